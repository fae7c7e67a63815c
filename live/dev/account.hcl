# Development: the same stack in a real account, where it may be cheap and may be lost.
# Before the first apply, put your own in the lines marked ←. docs/deployment-guide.md has the steps.

locals {
  project      = "landing"
  account_name = "dev"          # the folder's name; with the project it begins every resource's name
  account_id   = "111111111111" # ← a placeholder, refused until it is your account's

  # ← Made here as a public zone, or false where the account has the zone already. Delegated means
  # that the world resolves the domain through it: certificates wait for that, and so do the Regions.
  domain_name        = "dev.example.com"
  create_hosted_zone = true
  domain_delegated   = false

  # The folders beside this file carry the same names.
  primary_region = "us-east-1"
  replica_region = "us-west-2"

  # The version that was tested; modules say which ones they can live with.
  provider_version = "5.100.0"

  # Where the app takes a signed-in user back to, and web pages that may call the API.
  callback_urls   = ["https://dev.example.com/signed-in", "http://localhost:3000/signed-in"]
  logout_urls     = ["https://dev.example.com/signed-out", "http://localhost:3000/signed-out"]
  allowed_origins = ["http://localhost:3000"]

  # Made and destroyed as people like.
  deletion_protection    = false
  point_in_time_recovery = false
  table_max_throughput   = { read = 200, write = 200 } # units a second: a bound to the bill

  mfa               = "OPTIONAL"
  user_pool_tier    = "ESSENTIALS"
  advanced_security = "OFF"
  # Cognito's own sender: 50 e-mails a day.
  email_ses_identity_arn = null
  email_from             = null

  # Enough for a team and its tests, and a limit to what a loop in someone's script can cost.
  throttle_rate_limit  = 100
  throttle_burst_limit = 200
  function_memory_mb   = 1024 # as in prod: it decides how fast the function is
  reserved_concurrency = -1   # none: a new account's quota may be as low as 10, all of it needed

  # How soon users are moved: interval × threshold + TTL, 40 s. A shorter threshold moves them for
  # hiccups, too.
  health_check_interval_seconds  = 10
  health_check_failure_threshold = 3
  failover_record_ttl_seconds    = 10

  # What users are promised, over 30 days: the share of requests that don't fail, in percent, and
  # the time in which 99 in 100 are answered. Alarms page when the rest to 100 is used up too fast.
  availability_objective = 99.9
  latency_objective_ms   = 1000
  alarm_emails           = [] # ← whom alarms wake
  # Share of users' requests that X-Ray traces, beside one a second.
  trace_rate = 0.1

  # What `make drill` holds a failover to: how long users may be without, how much of what they were
  # told is written may be missing in the other Region. The 40 s above are the least; CloudFront's
  # resolvers and health checkers all over the world add to them.
  rto_target_seconds = 60
  rpo_target_seconds = 5
  drills_ask_twice   = false

  # Of one address: requests in five minutes, and those for /health* in one.
  edge_rate_limit        = 10000
  edge_health_rate_limit = 240
  price_class            = "PriceClass_100"
  geo_restriction        = { restriction_type = "none" }

  log_retention_days = 14

  # Raise it by one to rotate the key that the edge shows to the Regions.
  origin_key_rotation = 1
}
