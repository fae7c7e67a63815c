# The embedded AWS: two Regions on this machine's loopback, no account and no cost.
# This file alone knows of it; the modules that it deploys are those of dev and prod.

locals {
  project      = "landing"
  account_name = "local"
  account_id   = "000000000000"

  # Names below .localhost never leave the machine. A first apply can find the domain delegated only
  # where its hosted zone is there already: as in an account that registered the domain with Route 53,
  # the embedded AWS has the zone from its first start (REGISTERED_DOMAIN in local/settings.py).
  domain_name        = "landing.localhost"
  create_hosted_zone = false
  domain_delegated   = true

  primary_region = "us-east-1"
  standby_region = "us-west-2"

  callback_urls   = ["http://localhost:3000/signed-in"]
  logout_urls     = ["http://localhost:3000/signed-out"]
  allowed_origins = ["http://localhost:3000"]

  # Off, or `terragrunt run --all destroy` couldn't end clean.
  deletion_protection = false

  # Nobody is on call for a laptop.
  alarms_reach_somebody = false

  trace_rate = 1

  # As in prod: the drills stop the users' function, and what is left is the health function's.
  health_reserved_concurrency = 20

  # Metrics are there at once here; and whoever tries this out sends few requests, a tenth of which
  # may be none.
  canary_percent = 25
  bake_minutes   = 0.25

  # The emulator adds little to the 40 s that the settings of a failover allow at best.
  rto_target_seconds = 46
  drills_ask_twice   = false

  # One address sends everything here, load tests included.
  edge_rate_limit        = 1000000
  edge_health_rate_limit = 1000000

  log_retention_days = 7

  # What makes this account the embedded one: units reach 127.0.0.1 at this port and nothing else, so
  # nothing below can touch, or be paid by, a real account. tests/live compares the services
  # with those that the modules use.
  embedded_aws = {
    port       = get_env("LOCAL_AWS_PORT", "remembered") # by the clone, in its state folder
    access_key = "000000000000"                          # a key id that is an account's id is that account's root here
    services = [
      "acm", "apigateway", "cloudfront", "cloudwatch", "cognitoidp", "dynamodb", "iam", "kms", "lambda", "logs",
      "route53", "sns", "sts", "wafv2", "xray",
    ]
  }
}
