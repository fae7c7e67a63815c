# One Region's stack. Both Regions have it, once what they share is there; the standby first, so that
# what is wrong shows where no user is.

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters"))
  defaults   = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  account    = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl")).locals)
  name       = "${local.account.project}-${local.account.account_name}"
  region     = read_terragrunt_config(find_in_parent_folders("region.hcl")).locals.region
  role       = read_terragrunt_config(find_in_parent_folders("region.hcl")).locals.role
  global     = "${dirname(find_in_parent_folders("account.hcl"))}/global"
  command    = read_terragrunt_config("${local.repository}/live/_units/command.hcl").locals

  # The root's own question, answered from its cache: a refused unit reads nobody's state.
  refusal = run_cmd(
    "--terragrunt-quiet", "--terragrunt-global-cache",
    "${local.repository}/.venv/bin/python", "${local.repository}/live/account_guard.py", dirname(get_terragrunt_dir()), jsonencode(local.account), jsonencode(keys(local.defaults)), local.command.name,
  )

  # Part of the stand-ins for outputs that aren't there yet, or not any more.
  mock_id              = "00000000-0000-0000-0000-000000000000"
  mock_certificate_arn = "arn:aws:acm:${local.region}:${local.account.account_id}:certificate/${local.mock_id}"
  table_arn_prefix     = "arn:aws:dynamodb:${local.region}:${local.account.account_id}:table/"
  mock_kms_key_arn     = "arn:aws:kms:${local.region}:${local.account.account_id}:key/${local.mock_id}"

  # What was built, or what a release has signed of it.
  package = try(local.account.code_signing.package, ".build/lambda.zip")

  # A former standby is there to be destroyed. What it was made of is among no outputs any more.
  is_former = local.region == local.account.former_standby_region
}

# The primary reads nothing of the standby: it waits until the standby serves what was asked for. A
# destroy goes the other way round.
dependencies {
  paths = local.role == "primary" ? ["${dirname(local.global)}/${local.account.standby_region}/api"] : []
}

dependency "foundation" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.global}/foundation"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = {
    origin_key       = { current = local.mock_id, previous = local.mock_id }
    certificate_arns = { (local.region) = local.mock_certificate_arn }
    log_key_arns     = { (local.region) = local.mock_kms_key_arn }
  }
}

dependency "identity" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.global}/identity"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = {
    client_id     = "mock"
    user_pool_arn = "arn:aws:cognito-idp:${local.account.primary_region}:${local.account.account_id}:userpool/${local.account.primary_region}_mock"
  }
}

dependency "data" {
  enabled                                 = local.refusal == ""
  config_path                             = "${local.global}/data"
  mock_outputs_allowed_terraform_commands = local.command.mocks_for
  mock_outputs_merge_strategy_with_state  = "shallow"

  mock_outputs = {
    table_name   = "mock"
    table_arns   = { (local.region) = "${local.table_arn_prefix}mock" }
    kms_key_arns = { (local.region) = local.mock_kms_key_arn }
    index_names  = { created = "mock_created", status = "mock_status" }
  }
}

terraform {
  source = "${local.repository}/modules//api"

  # The package is built when its sources have changed, and stands in the module's folder under a
  # name that is the same in every clone: its path is part of the state.
  before_hook "package" {
    commands    = ["plan", "apply", "destroy", "refresh", "import", "console"]
    working_dir = local.repository
    execute     = ["${local.repository}/.venv/bin/python", "-m", "toolchain", "package"]
  }

  before_hook "package_link" {
    commands = ["plan", "apply", "destroy", "refresh", "import", "console"]
    execute  = ["ln", "-sf", "${local.repository}/${local.package}", "lambda.zip"]
  }

  # An apply publishes; this puts what was published to the test, and lets it serve or not. A unit whose
  # release fails has failed, and those that wait for it don't run.
  after_hook "release" {
    commands    = ["apply"]
    if          = local.refusal == "" && !local.command.destroys
    working_dir = local.repository
    execute = [
      "${local.repository}/.venv/bin/python", "-m", "toolchain", "release",
      "--account", local.account.account_name, "--region", local.region,
    ]
  }
}

inputs = {
  name         = local.name
  region       = local.region
  role         = local.is_former ? "standby" : local.role
  domain_name  = local.account.domain_name
  package_path = "lambda.zip"
  openapi_path = "${local.repository}/lambda/openapi.yaml"

  certificate_arn      = local.is_former ? local.mock_certificate_arn : dependency.foundation.outputs.certificate_arns[local.region]
  origin_key           = dependency.foundation.outputs.origin_key
  user_pool_arns       = [dependency.identity.outputs.user_pool_arn]
  user_pool_client_ids = [dependency.identity.outputs.client_id]
  table_name           = dependency.data.outputs.table_name
  table_arn            = local.is_former ? "${local.table_arn_prefix}${dependency.data.outputs.table_name}" : dependency.data.outputs.table_arns[local.region]
  kms_key_arn          = local.is_former ? local.mock_kms_key_arn : dependency.data.outputs.kms_key_arns[local.region]
  index_names          = dependency.data.outputs.index_names

  # By its name: units don't wait for who may apply them.
  permissions_boundary_arn = local.account.pipeline_subject == null ? null : "arn:aws:iam::${local.account.account_id}:policy/${local.name}-boundary"

  allowed_origins      = local.account.allowed_origins
  function_memory_mb   = local.account.function_memory_mb
  reserved_concurrency = local.account.reserved_concurrency
  health_reserved_concurrency = local.account.health_reserved_concurrency
  max_items_per_owner  = local.account.max_items_per_owner
  throttle_rate_limit  = local.account.throttle_rate_limit
  throttle_burst_limit = local.account.throttle_burst_limit
  log_retention_days   = local.account.log_retention_days
  log_kms_key_arn      = local.is_former ? local.mock_kms_key_arn : dependency.foundation.outputs.log_key_arns[local.region]
  log_refused_requests = local.account.log_refused_requests

  peer_region            = local.role == "primary" ? local.account.standby_region : local.account.primary_region
  availability_objective = local.account.availability_objective
  latency_objective_ms   = local.account.latency_objective_ms
  alarm_emails           = local.account.alarm_emails
  alarms_reach_somebody  = local.account.alarms_reach_somebody
  runbook_base_url       = local.account.runbook_base_url
  trace_rate             = local.account.trace_rate
  trace_encryption       = local.account.trace_encryption

  signing_profile_version_arns = try(local.account.code_signing.profile_version_arns, [])
}
