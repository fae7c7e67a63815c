# The zone, its certificates and the key that edge and Regions share: reads nothing of other units.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
}

terraform {
  source = "${local.repository}/modules//foundation"
}

inputs = {
  name                = local.name
  domain_name         = local.account.domain_name
  create_hosted_zone  = local.account.create_hosted_zone
  hosted_zone_id      = local.account.hosted_zone_id
  domain_delegated    = local.account.domain_delegated
  dnssec              = local.account.dnssec
  query_logs          = local.account.dns_query_logs
  log_retention_days  = local.account.log_retention_days
  primary_region      = local.account.primary_region
  standby_region      = local.account.standby_region
  origin_key_rotation = local.account.origin_key_rotation
}
