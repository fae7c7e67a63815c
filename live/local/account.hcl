# The embedded AWS: two Regions on this machine's loopback, no account and no cost.
# This file alone knows of it; the modules that it deploys are those of dev and prod.

locals {
  project      = "landing"
  account_name = "local"
  account_id   = "000000000000"

  # Names below .localhost never leave the machine. Nobody has to delegate them.
  domain_name        = "landing.localhost"
  create_hosted_zone = true
  domain_delegated   = true

  primary_region = "us-east-1"
  replica_region = "us-west-2"

  provider_version = "5.100.0"

  callback_urls   = ["http://localhost:3000/signed-in"]
  logout_urls     = ["http://localhost:3000/signed-out"]
  allowed_origins = ["http://localhost:3000"]

  # Off, or `terragrunt run --all destroy` couldn't end clean.
  deletion_protection    = false
  point_in_time_recovery = true
  table_max_throughput   = null

  mfa               = "OPTIONAL"
  user_pool_tier    = "ESSENTIALS"
  advanced_security = "OFF"
  # Cognito's own sender: 50 e-mails a day.
  email_ses_identity_arn = null
  email_from             = null

  # More than a laptop serves: no test should ever meet the limit by accident.
  throttle_rate_limit  = 8000
  throttle_burst_limit = 4000
  function_memory_mb   = 1024
  reserved_concurrency = -1

  # How soon users are moved: interval × threshold + TTL, 40 s. A shorter threshold moves them for
  # hiccups, too.
  health_check_interval_seconds  = 10
  health_check_failure_threshold = 3
  failover_record_ttl_seconds    = 10

  # What users are promised, over 30 days: the share of requests that don't fail, in percent, and
  # the time in which 99 in 100 are answered. Alarms page when the rest to 100 is used up too fast.
  availability_objective = 99.9
  latency_objective_ms   = 1000
  alarm_emails           = []
  # Share of users' requests that X-Ray traces, beside one a second.
  trace_rate = 1

  # What `make drill` holds a failover to: how long users may be without, how much of what they were
  # told is written may be missing in the other Region. The bench adds little to the 40 s above.
  rto_target_seconds = 46
  rpo_target_seconds = 5
  drills_ask_twice   = false

  # One address sends everything here, load tests included.
  edge_rate_limit        = 1000000
  edge_health_rate_limit = 1000000
  price_class            = "PriceClass_100"
  geo_restriction        = { restriction_type = "none" }

  log_retention_days = 7

  origin_key_rotation = 1

  # What makes this account the embedded one: units reach 127.0.0.1 at this port and nothing else, so
  # nothing below can touch, or be paid by, a real account. tests/live compares the services
  # with those that the modules use.
  embedded_aws = {
    port       = get_env("LOCAL_AWS_PORT", "4566")
    access_key = "000000000000" # a key id that is an account's id is that account's root here
    secret_key = "local"
    services = [
      "acm", "apigateway", "cloudfront", "cloudwatch", "cognitoidp", "dynamodb", "iam", "kms", "lambda", "logs",
      "route53", "sns", "ssm", "sts", "wafv2", "xray",
    ]
  }
}
