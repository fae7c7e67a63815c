# How the function runs, and what of it the API calls.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Told apart from the users', whose version and ARN are the mock's.
override_resource {
  target = aws_lambda_function.health
  values = { version = "8" }
}

override_resource {
  target = aws_lambda_alias.health
  values = { invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/health" }
}

run "the_alias_is_what_is_called" {
  assert {
    condition     = alltrue([for key, integration in aws_api_gateway_integration.route : integration.uri == aws_lambda_alias.live.invoke_arn if !strcontains(key, " /health")])
    error_message = "A users' route calls something else than the alias."
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.function_name == aws_lambda_function.this.function_name && aws_lambda_alias.live.function_version == aws_lambda_function.this.version
    error_message = "The alias isn't the function's, or isn't made at the version that was just published."
  }
}

run "the_function_is_told_what_it_needs" {
  variables {
    user_pool_client_ids = ["one", "two"]
    allowed_origins      = ["https://app.example.com", "https://www.example.com"]
  }

  assert {
    condition = one(aws_lambda_function.this.environment).variables == tomap({
      TABLE_NAME                   = "items"
      CLIENT_IDS                   = "one,two"
      MAX_ITEMS_PER_OWNER          = "10000"
      STANDBY_REGION               = "us-west-2"
      ALLOWED_ORIGINS              = "https://app.example.com,https://www.example.com"
      POWERTOOLS_SERVICE_NAME      = "items"
      POWERTOOLS_METRICS_NAMESPACE = "landing-test"
      POWERTOOLS_LOG_LEVEL         = "INFO"
    })
    error_message = "The function's environment isn't what its settings read."
  }
}

run "the_primary_goes_by_the_standbys_row" {
  assert {
    condition     = one(aws_lambda_function.this.environment).variables.STANDBY_REGION == "us-west-2"
    error_message = "The primary's function goes by another row than the one that the switch writes."
  }
}

run "the_standby_goes_by_its_own_row" {
  variables {
    role        = "standby"
    peer_region = "us-west-2"
  }

  assert {
    condition     = one(aws_lambda_function.this.environment).variables.STANDBY_REGION == "us-east-1"
    error_message = "The standby's function goes by another row than the one that the switch writes."
  }

  # It reads the row with the users' role, and never /health's.
  assert {
    condition     = !contains(keys(one(aws_lambda_function.health.environment).variables), "STANDBY_REGION")
    error_message = "The health function is told whose row says who writes: readiness would depend on it."
  }
}

run "logs_are_kept_for_as_long_as_told_and_no_longer" {
  variables {
    log_retention_days  = 30
    execution_log_level = "ERROR"
  }

  assert {
    condition     = alltrue([for group in [aws_cloudwatch_log_group.function, aws_cloudwatch_log_group.health, aws_cloudwatch_log_group.access, one(aws_cloudwatch_log_group.execution)] : group.retention_in_days == 30])
    error_message = "A log group is kept for ever."
  }

  assert {
    condition     = one(aws_lambda_function.this.logging_config).log_group == aws_cloudwatch_log_group.function.name && one(aws_lambda_function.health.logging_config).log_group == aws_cloudwatch_log_group.health.name
    error_message = "A function logs elsewhere."
  }

  # Where AWS makes it itself when it isn't there.
  assert {
    condition     = one(aws_cloudwatch_log_group.execution).name == "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${aws_api_gateway_stage.live.stage_name}"
    error_message = "The gateway's execution log goes to another group, kept for ever."
  }
}

# Lambda would drop metrics, which state no level and are taken for INFO.
run "a_quiet_function_keeps_its_metrics" {
  variables {
    log_level = "ERROR"
  }

  assert {
    condition     = one(aws_lambda_function.this.logging_config).application_log_level == "INFO"
    error_message = "Lambda filters more than the function does."
  }
}

run "a_talkative_function_is_heard" {
  variables {
    log_level = "DEBUG"
  }

  assert {
    condition     = one(aws_lambda_function.this.logging_config).application_log_level == "DEBUG"
    error_message = "Lambda drops what the function logs."
  }
}

# Headers and messages can carry tokens, quotes and items.
run "the_access_log_holds_nothing_that_a_caller_chooses" {
  assert {
    condition     = can(jsondecode(one(aws_api_gateway_stage.live.access_log_settings).format))
    error_message = "The access log isn't JSON."
  }

  assert {
    condition = alltrue([
      for variable in ["error.message", "validationErrorString", "userAgent", "$context.path", "requestOverride"] :
      !strcontains(one(aws_api_gateway_stage.live.access_log_settings).format, variable)
    ])
    error_message = "The access log repeats what was sent."
  }

  assert {
    condition     = one(aws_api_gateway_method_settings.all.settings).data_trace_enabled == false
    error_message = "The gateway logs whole requests."
  }
}

run "traced_and_throttled" {
  variables {
    throttle_rate_limit  = 123
    throttle_burst_limit = 45
  }

  assert {
    condition     = aws_api_gateway_stage.live.xray_tracing_enabled && one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "A request isn't traced through gateway and function."
  }

  assert {
    condition     = one(aws_api_gateway_method_settings.all.settings).throttling_rate_limit == 123 && one(aws_api_gateway_method_settings.all.settings).throttling_burst_limit == 45
    error_message = "The limits aren't those given."
  }
}

run "reached_by_its_names_only" {
  assert {
    condition     = aws_api_gateway_rest_api.this.disable_execute_api_endpoint
    error_message = "The default endpoint is a way around what guards the names."
  }

  assert {
    condition     = toset([for domain in aws_api_gateway_domain_name.this : domain.domain_name]) == toset(["us-east-1.example.com", "origin.example.com"])
    error_message = "The Region has a name of its own and one that both Regions share."
  }

  assert {
    condition     = alltrue([for mapping in aws_api_gateway_base_path_mapping.this : mapping.api_id == aws_api_gateway_rest_api.this.id && mapping.stage_name == aws_api_gateway_stage.live.stage_name])
    error_message = "A name leads to another API or stage."
  }

  assert {
    condition     = { for key, endpoint in output.regional_endpoints : key => endpoint.domain_name } == { for key, domain in aws_api_gateway_domain_name.this : key => domain.regional_domain_name }
    error_message = "The edge's records would lead elsewhere."
  }
}

run "warm_or_from_a_snapshot_when_wanted" {
  variables {
    snap_start = true
  }

  assert {
    condition     = one(aws_lambda_function.this.snap_start).apply_on == "PublishedVersions" && length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "SnapStart isn't on, or comes with provisioned concurrency."
  }
}
