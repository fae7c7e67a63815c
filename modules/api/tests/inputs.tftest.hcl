# Wrong inputs are refused, each by the variable that is wrong: one that was let
# through would be missed here.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "all_wrong_at_once" {
  command = plan

  variables {
    name                               = "a-name-that-leaves-no-room-for-a-region"
    role                               = "replica"
    domain_name                        = "example.com."
    certificate_arn                    = "arn:aws:acm:us-west-2:111111111111:certificate/0"
    security_policy                    = "TLS_1_0"
    user_pool_arns                     = []
    user_pool_client_ids               = []
    table_arn                          = "arn:aws:dynamodb:us-west-2:111111111111:table/items"
    index_names                        = { created = "*", status = "by_status" }
    kms_key_arn                        = "arn:aws:kms:us-west-2:111111111111:key/mrk-0"
    allowed_origins                    = ["https://app.example.com/"]
    max_items_per_owner                = 0
    runtime                            = "python3.8"
    architecture                       = "arm"
    function_memory_mb                 = 64
    function_timeout_seconds           = 29
    reserved_concurrency               = -2
    log_level                          = "TRACE"
    system_log_level                   = "ERROR"
    log_retention_days                 = 10
    log_kms_key_arn                    = "arn:aws:kms:us-west-2:111111111111:key/mrk-0"
    execution_log_level                = "WARN"
    origin_key                         = { current = "short", previous = "short" }
    health_rate_limit_per_five_minutes = 99
    throttle_rate_limit                = 0
    throttle_burst_limit               = 0
    health_throttle_rate_limit         = 9
    health_throttle_burst_limit        = 49
    health_reserved_concurrency        = 4
    package_path                       = "./nowhere.zip"
    openapi_path                       = "./tests/contracts/base/schemas/a.json"
    peer_region                        = "us-east-1"
    availability_objective             = 89.9
    latency_objective_ms               = 49
    replication_lag_seconds            = 1
    alarm_min_requests                 = 9
    alarm_emails                       = ["somebody"]
    trace_reservoir                    = 0.5
    trace_rate                         = 1.01
    trace_encryption                   = "AES"
    signing_profile_version_arns       = ["arn:aws:signer:us-east-1:111111111111:/signing-profiles/releases"]
  }

  expect_failures = [
    var.name,
    var.role,
    var.domain_name,
    var.origin_key,
    var.health_rate_limit_per_five_minutes,
    var.certificate_arn,
    var.security_policy,
    var.user_pool_arns,
    var.user_pool_client_ids,
    var.table_arn,
    var.index_names,
    var.kms_key_arn,
    var.allowed_origins,
    var.max_items_per_owner,
    var.runtime,
    var.architecture,
    var.function_memory_mb,
    var.function_timeout_seconds,
    var.reserved_concurrency,
    var.log_level,
    var.system_log_level,
    var.log_retention_days,
    var.log_kms_key_arn,
    var.execution_log_level,
    var.throttle_rate_limit,
    var.throttle_burst_limit,
    var.health_throttle_rate_limit,
    var.health_throttle_burst_limit,
    var.health_reserved_concurrency,
    var.package_path,
    var.openapi_path,
    var.peer_region,
    var.availability_objective,
    var.latency_objective_ms,
    var.replication_lag_seconds,
    var.alarm_min_requests,
    var.alarm_emails,
    var.trace_reservoir,
    var.trace_rate,
    var.trace_encryption,
    var.signing_profile_version_arns,
  ]
}

run "wrong_in_other_ways" {
  command = plan

  variables {
    user_pool_arns          = ["us-east-1_a"]
    table_arn               = "arn:aws:dynamodb:us-east-1:111111111111:table/others"
    kms_key_arn             = "arn:aws:kms:us-east-1:111111111111:alias/items"
    allowed_origins         = ["*"]
    max_items_per_owner     = 100001
    log_retention_days      = 0
    provisioned_concurrency = 5
    reserved_concurrency    = 4
    openapi_path            = "./nowhere.yaml"
    peer_region             = "Oregon"
    availability_objective  = 99.999
    latency_objective_ms    = 29001
    alarm_emails            = ["somebody@example.com", "some body@example.com"]
    # A provider that the modules still work with refuses both.
    security_policy = "SecurityPolicy_TLS13_1_3_2025_09"
    runtime         = "python3.14"
    trace_reservoir = -1
    trace_rate      = -0.01
  }

  expect_failures = [
    var.user_pool_arns,
    var.table_arn,
    var.kms_key_arn,
    var.allowed_origins,
    var.max_items_per_owner,
    var.log_retention_days,
    var.provisioned_concurrency,
    var.openapi_path,
    var.peer_region,
    var.availability_objective,
    var.latency_objective_ms,
    var.alarm_emails,
    var.security_policy,
    var.runtime,
    var.trace_reservoir,
    var.trace_rate,
  ]
}

# By themselves: others are checked against them.
run "a_table_by_its_arn" {
  command = plan

  variables {
    table_name = "arn:aws:dynamodb:us-east-1:111111111111:table/items"
  }

  expect_failures = [var.table_name]
}

run "a_region_that_is_none" {
  command = plan

  variables {
    region = "Virginia"
  }

  expect_failures = [var.region]
}

run "provisioned_concurrency_in_pieces" {
  command = plan

  variables {
    provisioned_concurrency = 0.5
  }

  expect_failures = [var.provisioned_concurrency]
}

run "provisioned_concurrency_and_a_snapshot" {
  command = plan

  variables {
    provisioned_concurrency = 1
    snap_start              = true
  }

  expect_failures = [var.provisioned_concurrency]
}

run "a_domain_that_is_not_delegated_yet" {
  command = plan

  variables {
    certificate_arn = ""
  }

  expect_failures = [aws_api_gateway_domain_name.this]
}

run "no_certificate_at_all" {
  command = plan

  variables {
    certificate_arn = null
  }

  expect_failures = [aws_api_gateway_domain_name.this]
}
