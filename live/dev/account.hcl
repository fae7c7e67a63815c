# Development: the same stack in a real account, where it may be cheap and may be lost.
# Before the first apply, put your own in the lines marked ←. docs/deployment-guide.md has the steps;
# live/_defaults.hcl says what else can be set.

locals {
  project      = "landing"
  account_name = "dev"          # the folder's name; with the project it begins every resource's name
  account_id   = "111111111111" # ← a placeholder, refused until it is your account's

  # ← A name that has nothing else yet: all of it, and what is below, is delegated to this account.
  domain_name = "dev.example.com"
  # ← false where the account has the zone already; hosted_zone_id for a name inside a larger one.
  create_hosted_zone = true
  domain_delegated   = false

  # The folders beside this file carry the same names. Not us-east-1: most of AWS's own control planes
  # are there, and shouldn't be lost together with the primary (docs/deployment-guide.md, Choosing
  # Regions).
  primary_region = "us-east-2"
  standby_region = "us-west-2"

  # Where Terraform's state is kept: not in the primary Region, or nothing could be changed in the
  # standby while the primary is lost. It stays where it is when another Region becomes the standby.
  state_region = "us-west-2"

  # ← Where the app takes a signed-in user back to, and web pages that may call the API.
  callback_urls   = ["https://dev.example.com/signed-in", "http://localhost:3000/signed-in"] # ←
  logout_urls     = ["https://dev.example.com/signed-out", "http://localhost:3000/signed-out"] # ←
  allowed_origins = ["http://localhost:3000"]

  # Made and destroyed as people like.
  deletion_protection    = false
  point_in_time_recovery = false
  table_max_throughput   = { read = 200, write = 200 } # units a second: a bound to the bill

  # Of each method: enough for a team and its tests, and a limit to what a loop in someone's script can
  # cost.
  throttle_rate_limit  = 100
  throttle_burst_limit = 200

  # Nobody waits long for a developer's release.
  canary_percent = 50
  bake_minutes   = 3

  alarm_emails = [] # ← whom alarms wake

  drills_ask_twice = false
}
