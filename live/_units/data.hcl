# The Global Table, both replicas of it in one state: reads nothing of other units.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
}

terraform {
  source = "${local.repository}/modules//data"
}

inputs = {
  name                   = local.name
  table_name             = local.account.table_name
  primary_region         = local.account.primary_region
  standby_region         = local.account.standby_region
  former_standby_region  = local.account.former_standby_region
  deletion_protection    = local.account.deletion_protection
  point_in_time_recovery = local.account.point_in_time_recovery
  max_throughput         = local.account.table_max_throughput
}
