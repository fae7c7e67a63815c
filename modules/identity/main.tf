# Who is calling: one user pool, in the primary Region, that both Regions' APIs trust.

data "aws_caller_identity" "current" {}

locals {
  # Sign-in prefixes are shared by all of AWS's customers in a Region; the account id keeps
  # two environments, or two companies, from asking for the same one.
  domain_prefix = coalesce(
    var.domain_prefix,
    "${var.name}-${data.aws_caller_identity.current.account_id}",
  )

  pool_region    = provider::aws::arn_parse(aws_cognito_user_pool.this.arn).region
  sign_in_domain = "${aws_cognito_user_pool_domain.this.domain}.auth.${local.pool_region}.amazoncognito.com"
}
