# What answers the health routes: out of users' reach, and able to do nothing of theirs.

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

run "health_is_answered_by_a_function_of_its_own" {
  assert {
    condition = { for key, integration in aws_api_gateway_integration.route : key => integration.uri == aws_lambda_alias.health.invoke_arn } == {
      for key in keys(aws_api_gateway_integration.route) : key => strcontains(key, " /health")
    }
    error_message = "A health route calls the users' function, or another route the health function."
  }

  assert {
    condition     = aws_lambda_function.health.handler == "health_function.handler" && aws_lambda_function.health.source_code_hash == aws_lambda_function.this.source_code_hash
    error_message = "The health function isn't the package's."
  }

  assert {
    condition     = aws_lambda_alias.health.function_name == aws_lambda_function.health.function_name && aws_lambda_alias.health.function_version == aws_lambda_function.health.version
    error_message = "The health routes call something else than the version that was just published."
  }

  assert {
    condition     = aws_lambda_permission.gateway_health.source_arn == "${aws_api_gateway_rest_api.this.execution_arn}/live/*/health*" && aws_lambda_permission.gateway_health.function_name == aws_lambda_function.health.function_name
    error_message = "The gateway may not call the health function, or for other routes too."
  }

  assert {
    condition = one(aws_lambda_function.health.environment).variables == tomap({
      TABLE_NAME                   = "items"
      ALLOWED_ORIGINS              = ""
      POWERTOOLS_SERVICE_NAME      = "health"
      POWERTOOLS_METRICS_NAMESPACE = "landing-test"
      POWERTOOLS_LOG_LEVEL         = "INFO"
      POWERTOOLS_TRACE_DISABLED    = "true"
    })
    error_message = "The health function's environment isn't what its settings read."
  }
}

run "users_load_takes_nothing_away_from_health" {
  variables {
    reserved_concurrency = 0
    throttle_rate_limit  = 1
    throttle_burst_limit = 1
  }

  assert {
    condition     = aws_lambda_function.health.reserved_concurrent_executions == 10
    error_message = "The health function shares the users' concurrency, or the account's."
  }

  # A method with settings of its own takes none from the stage's.
  assert {
    condition = { for key, one in aws_api_gateway_method_settings.health : one.method_path => one(one.settings).throttling_rate_limit } == {
      for key, route in aws_api_gateway_method.route : "${replace(trimprefix(key, "${route.http_method} "), "/", "~1")}/${route.http_method}" => 100 if strcontains(key, " /health")
    }
    error_message = "A health route has the users' throttle."
  }

  assert {
    condition     = alltrue([for one in aws_api_gateway_method_settings.health : one(one.settings).metrics_enabled && !one(one.settings).data_trace_enabled])
    error_message = "A health route isn't measured, or is logged whole."
  }
}

run "all_methods_together_are_what_the_quota_has_to_hold" {
  variables {
    throttle_rate_limit        = 1000
    health_throttle_rate_limit = 100
    allowed_origins            = ["https://app.example.com"]
  }

  # Preflights are methods, too.
  assert {
    condition     = output.throttle_rate_total == sum([for key in concat(keys(aws_api_gateway_method.route), [for path in keys(aws_api_gateway_method.preflight) : "OPTIONS"]) : strcontains(key, " /health") ? 100 : 1000])
    error_message = "The sum isn't that of the methods' limits."
  }
}

run "health_may_do_what_its_code_does_and_no_more" {
  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_role_policy.health.policy).Statement : statement.Action if statement.Effect == "Allow"])) == toset([
      "dynamodb:GetItem",
      "dynamodb:UpdateItem",
      "kms:Decrypt",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ])
    error_message = "The role's actions are not those that the code calls."
  }

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.health.policy).Statement : statement if statement.Sid == "RegionsOwnItems"]) == {
      Sid      = "RegionsOwnItems"
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      Resource = var.table_arn
      Condition = {
        "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["region#us-east-1"] }
        Null                        = { "dynamodb:LeadingKeys" = "false" }
      }
    }
    error_message = "The health function reaches other items than the Region's own."
  }

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.health.policy).Statement : statement if statement.Sid == "NotTheSwitch"]) == {
      Sid       = "NotTheSwitch"
      Effect    = "Deny"
      Action    = "dynamodb:UpdateItem"
      Resource  = var.table_arn
      Condition = { "ForAnyValue:StringEquals" = { "dynamodb:Attributes" = ["active", "changed_at", "next_at", "next_writer", "paused", "paused_at", "writer"] } }
    }
    error_message = "The health function may turn the operator's switch."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.health.policy).Statement : statement.Resource != "*"])
    error_message = "The health function reaches everything of a kind."
  }
}

# By the name that is asked for: what a rule's path matches of a stage's is documented nowhere.
run "checkers_are_not_traced_and_users_are" {
  assert {
    condition = { for key, rule in aws_xray_sampling_rule.this : key => [rule.host, rule.url_path] } == {
      health = ["us-east-1.example.com", "*"]
      users  = ["origin.example.com", "*"]
    }
    error_message = "A sampling rule isn't for the host that its requests come to."
  }

  assert {
    condition     = aws_xray_sampling_rule.this["health"].fixed_rate == 0 && aws_xray_sampling_rule.this["health"].reservoir_size == 0
    error_message = "Health checks are traced."
  }
}
