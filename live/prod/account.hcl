# Production. Everything that tells this account from another is here and nowhere else.
# Before the first apply, put your own in the lines marked ←. docs/deployment-guide.md has the steps;
# live/_defaults.hcl says what else can be set.

locals {
  project      = "landing"
  account_name = "prod"         # the folder's name; with the project it begins every resource's name
  account_id   = "222222222222" # ← a placeholder, refused until it is your account's

  # ← A name that has nothing else yet: all of it, and what is below, is delegated to this account.
  domain_name = "app.example.com"
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

  # ← Where the app takes a signed-in user back to.
  callback_urls = ["https://example.com/signed-in"] # ←
  logout_urls   = ["https://example.com/signed-out"] # ←

  # ← A verified SES identity. Without one Cognito sends 50 e-mails a day, and no more people sign up.
  email_ses_identity_arn = null
  email_from             = null

  # 1,000,000 daily users × 50 requests: 580 a second on average, 5,800 at a tenfold peak, half of them
  # of the busiest method: 2,900. Each method takes 4,000, the seven together 28,000, so that a flood is
  # refused by its own method and not by the account's quota, which health checks share. Have the quotas
  # (10,000 a second, 1,000 functions at once by default) raised to 30,000 and to 1,000 beyond what other
  # things in the account need, in both Regions, before these.
  throttle_rate_limit         = 4000
  throttle_burst_limit        = 2000
  reserved_concurrency        = 600 # 5,800 a second × 0.06 s, and as much again for a slow day
  health_reserved_concurrency = 20  # 5 a second × up to 1 s, and as much again for what else asks

  alarm_emails = [] # ← whom alarms wake
  trace_rate   = 0.01

  price_class        = "PriceClass_All"
  log_retention_days = 365
}
