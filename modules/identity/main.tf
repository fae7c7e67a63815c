# Who is calling: one user pool, in the primary Region, that both Regions' APIs trust.

data "aws_caller_identity" "current" {}

locals {
  # Sign-in prefixes are shared by all of AWS's customers in a Region; the account id keeps
  # two environments, or two companies, from asking for the same one.
  domain_prefix = coalesce(
    var.domain_prefix,
    "${var.name}-${data.aws_caller_identity.current.account_id}",
  )

  # What each setting needs (cognito-sign-in-feature-plans), cheapest plan first. A setting that
  # is to need more than LITE stands here.
  tiers = ["LITE", "ESSENTIALS", "PLUS"]
  needed_tiers = {
    advanced_security = var.advanced_security == "OFF" ? "LITE" : "PLUS"
  }
  unmet_tiers = {
    for setting, tier in local.needed_tiers : setting => tier
    if index(local.tiers, tier) > index(local.tiers, var.user_pool_tier)
  }

  pool_region    = provider::aws::arn_parse(aws_cognito_user_pool.this.arn).region
  sign_in_domain = "${aws_cognito_user_pool_domain.this.domain}.auth.${local.pool_region}.amazoncognito.com"
}
