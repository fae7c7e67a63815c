# Production. Everything that tells this account from another is here and nowhere else.
# Before the first apply, put your own in the lines marked ←. docs/deployment-guide.md has the steps.

locals {
  project      = "landing"
  account_name = "prod"         # the folder's name; with the project it begins every resource's name
  account_id   = "222222222222" # ← a placeholder, refused until it is your account's

  # ← Made here as a public zone, or false where the account has the zone already. Delegated means
  # that the world resolves the domain through it: certificates wait for that, and so do the Regions.
  domain_name        = "example.com"
  create_hosted_zone = true
  domain_delegated   = false

  # The folders beside this file carry the same names.
  primary_region = "us-east-1"
  replica_region = "us-west-2"

  # The version that was tested; modules say which ones they can live with.
  provider_version = "5.100.0"

  # Where the app takes a signed-in user back to, and web pages that may call the API.
  callback_urls   = ["https://example.com/signed-in"]
  logout_urls     = ["https://example.com/signed-out"]
  allowed_origins = []

  # A table or a user pool that is deleted takes every user's data with it.
  deletion_protection    = true
  point_in_time_recovery = true
  # Read and write units a second beyond which the table throttles, to bound the bill; null doesn't.
  table_max_throughput = null

  mfa = "OPTIONAL"
  # ENFORCED refuses leaked passwords and odd sign-ins, and needs the PLUS tier, which costs more for
  # every user: a decision about money, so it is made by whoever pays.
  user_pool_tier    = "ESSENTIALS"
  advanced_security = "OFF"
  # ← A verified SES identity. Without one Cognito sends 50 e-mails a day, and no more people sign up.
  email_ses_identity_arn = null
  email_from             = null

  # 1,000,000 daily users × 50 requests: 580 a second on average, 5,800 at a tenfold peak. Both
  # Regions get the same, since the replica takes all of it on the bad day. The account's quotas
  # (10,000 a second, 1,000 functions at once by default) have to be raised in both before these.
  throttle_rate_limit  = 8000
  throttle_burst_limit = 4000
  function_memory_mb   = 1024
  reserved_concurrency = 600 # 5,800 a second × 0.06 s, and as much again for a slow day

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
  trace_rate = 0.01

  # What `make drill` holds a failover to: how long users may be without, how much of what they were
  # told is written may be missing in the other Region. The 40 s above are the least; CloudFront's
  # resolvers and health checkers all over the world add to them.
  rto_target_seconds = 60
  rpo_target_seconds = 5
  drills_ask_twice   = true

  # Of one address: requests in five minutes, and those for /health* in one. A mobile carrier puts
  # thousands of users behind one, none of whom asks for health.
  edge_rate_limit        = 10000
  edge_health_rate_limit = 240
  price_class            = "PriceClass_All"
  geo_restriction        = { restriction_type = "none" }

  log_retention_days = 365

  # Raise it by one to rotate the key that the edge shows to the Regions.
  origin_key_rotation = 1
}
