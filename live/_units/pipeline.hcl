# What lets a repository's workflows plan and apply the account: reads nothing of other units. It is
# left out of every queue until the account names a repository.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
}

terraform {
  source = "${local.repository}/modules//pipeline"
}

inputs = {
  name         = local.name
  account_id   = local.account.account_id
  state_bucket = "${local.account.project}-tfstate-${local.account.account_id}-${lookup(local.account, "state_region", "")}"
  # Null, as an input that nobody gives, would say less than the module's own refusal.
  subject           = local.account.pipeline_subject == null ? "" : local.account.pipeline_subject
  branch            = local.account.pipeline_branch
  environment       = local.account.account_name
  oidc_provider_arn = local.account.pipeline_oidc_provider_arn
  table_name        = local.account.table_name == null ? "${local.name}-items" : local.account.table_name
  # Where a drill asks a person twice, no job starts one.
  drills = !local.account.drills_ask_twice
}
