# What an account has once is kept from its primary Region.
locals {
  account = read_terragrunt_config(find_in_parent_folders("account.hcl")).locals
  region  = local.account.primary_region
  role    = "global"
}
