# The global layer in front of both Regions: it comes last, since a new origin key must be known to
# the Regions before the edge sends it.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
  folder     = dirname(find_in_parent_folders("account.hcl"))
  command    = read_terragrunt_config("${local.repository}/live/_units/command.hcl").locals

  # The root's own question, answered from its cache: a refused unit reads nobody's state.
  refusal = run_cmd(
    "--terragrunt-quiet", "--terragrunt-global-cache",
    "${local.repository}/.venv/bin/python", "${local.repository}/live/account_guard.py", dirname(get_terragrunt_dir()), jsonencode(local.account), jsonencode(keys(local.defaults)), local.command.name,
  )

  # Part of the stand-ins for outputs that aren't there yet, or not any more.
  mock_id       = "00000000-0000-0000-0000-000000000000"
  mock_endpoint = { domain_name = "d-mock.execute-api.amazonaws.com", zone_id = "Z00000000000000000000" }
}

dependency "foundation" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.folder}/global/foundation"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = {
    zone_id              = "Z00000000000000000000"
    origin_key           = { current = local.mock_id, previous = local.mock_id }
    edge_certificate_arn = "arn:aws:acm:us-east-1:${local.account.account_id}:certificate/${local.mock_id}"
    log_key_arns         = { us-east-1 = "arn:aws:kms:us-east-1:${local.account.account_id}:key/${local.mock_id}" }
  }
}

# Read for its protection alone; the Regions wait for it anyway.
dependency "identity" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.folder}/global/identity"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = { deletion_protection = false }
}

dependency "data" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.folder}/global/data"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = { table_name = "mock", deletion_protection = false }
}

dependency "primary" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.folder}/${local.account.primary_region}/api"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = { regional_endpoints = { region = local.mock_endpoint, origin = local.mock_endpoint } }
}

dependency "standby" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.folder}/${local.account.standby_region}/api"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = { regional_endpoints = { region = local.mock_endpoint, origin = local.mock_endpoint } }
}

terraform {
  source = "${local.repository}/modules//edge"

  # The edge goes first. Table or pool would refuse to follow when they are protected still, because
  # nobody has applied what account.hcl says now.
  after_hook "deployed_protection" {
    commands = ["terragrunt-read-config"]
    if       = local.command.destroys && try(dependency.data.outputs.deletion_protection || dependency.identity.outputs.deletion_protection, false)
    execute  = ["sh", "-c", "echo \"$0\" >&2; exit 1", "The table or the user pool of ${local.account.account_name} is deployed with deletion protection: apply live/${local.account.account_name} first, then destroy it."]
  }
}

inputs = {
  name           = local.name
  domain_name    = local.account.domain_name
  primary_region = local.account.primary_region
  standby_region = local.account.standby_region

  zone_id              = dependency.foundation.outputs.zone_id
  edge_certificate_arn = dependency.foundation.outputs.edge_certificate_arn
  origin_key           = dependency.foundation.outputs.origin_key
  regional_endpoints = {
    (local.account.primary_region) = dependency.primary.outputs.regional_endpoints
    (local.account.standby_region) = dependency.standby.outputs.regional_endpoints
  }

  health_check_interval_seconds  = local.account.health_check_interval_seconds
  health_check_failure_threshold = local.account.health_check_failure_threshold
  failover_record_ttl_seconds    = local.account.failover_record_ttl_seconds
  allowed_origins                = local.account.allowed_origins
  rate_limit_per_five_minutes    = local.account.edge_rate_limit
  health_rate_limit_per_minute   = local.account.edge_health_rate_limit
  price_class                    = local.account.price_class
  geo_restriction                = local.account.geo_restriction
  log_retention_days             = local.account.log_retention_days
  log_kms_key_arn                = dependency.foundation.outputs.log_key_arns["us-east-1"]
  log_refused_requests           = local.account.log_refused_requests

  table_name             = dependency.data.outputs.table_name
  availability_objective = local.account.availability_objective
  latency_objective_ms   = local.account.latency_objective_ms
  alarm_emails           = local.account.alarm_emails
  alarms_reach_somebody  = local.account.alarms_reach_somebody
  runbook_base_url       = local.account.runbook_base_url
}
