# The folder's name is the Region; account.hcl says which part it plays.
locals {
  account = read_terragrunt_config(find_in_parent_folders("account.hcl")).locals
  region  = basename(get_terragrunt_dir())
  role    = lookup({ (local.account.primary_region) = "primary", (local.account.standby_region) = "standby" }, local.region, "unknown")
}
