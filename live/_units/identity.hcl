# The user pool, in the primary Region: reads nothing of other units, and is made beside them.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
}

terraform {
  source = "${local.repository}/modules//identity"
}

inputs = {
  name                   = local.name
  domain_prefix          = local.account.sign_in_domain_prefix
  callback_urls          = local.account.callback_urls
  logout_urls            = local.account.logout_urls
  deletion_protection    = local.account.deletion_protection
  mfa                    = local.account.mfa
  user_pool_tier         = local.account.user_pool_tier
  advanced_security      = local.account.advanced_security
  email_ses_identity_arn = local.account.email_ses_identity_arn
  email_from             = local.account.email_from
}
