# What protects users, and those who pay, in a Region: each literal that could be turned round
# without anything failing to plan or to apply.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Told apart from the other of its kind, whose ARN is the mock's.
override_resource {
  target = aws_cloudwatch_log_group.access
  values = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:/access" }
}

override_resource {
  target = aws_cloudwatch_log_group.web_acl
  values = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:aws-waf-logs-landing-test-api" }
}

override_resource {
  target = aws_iam_role.health
  values = { arn = "arn:aws:iam::111111111111:role/health" }
}

override_resource {
  target = aws_iam_role.gateway_logs
  values = { arn = "arn:aws:iam::111111111111:role/gateway-logs" }
}

run "what_is_asked_for_reaches_everything_that_needs_it" {
  variables {
    user_pool_arns = [
      "arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_a",
      "arn:aws:cognito-idp:us-west-2:111111111111:userpool/us-west-2_b",
    ]
    allowed_origins         = ["https://app.example.com", "http://localhost:5173"]
    log_kms_key_arn         = "arn:aws:kms:us-east-1:111111111111:key/logs"
    execution_log_level     = "ERROR"
    reserved_concurrency    = 20
    provisioned_concurrency = 5
    trace_encryption        = "KMS"
    signing_profile_version_arns = [
      "arn:aws:signer:us-east-1:111111111111:/signing-profiles/releases/ab12CD34ef",
    ]
  }

  # Names and who gets in.

  assert {
    condition = length(aws_api_gateway_domain_name.this) == 2 && alltrue([
      for domain in aws_api_gateway_domain_name.this :
      domain.security_policy == "TLS_1_2" && domain.regional_certificate_arn == var.certificate_arn && one(domain.endpoint_configuration).types == tolist(["REGIONAL"])
    ])
    error_message = "A Region's names take TLS 1.2 and nothing older, and answer in the Region itself: an edge-optimized name would lead through another CloudFront, in front of the web ACL's key."
  }

  assert {
    condition     = one(aws_api_gateway_rest_api.this.endpoint_configuration).types == tolist(["REGIONAL"])
    error_message = "An edge-optimized API hangs on us-east-1, whichever Region it is in."
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.minimum_compression_size == "1024"
    error_message = "The Region compresses, since the edge would weaken the ETags; what is smaller than 1 KB gets no smaller by it."
  }

  assert {
    condition = (
      aws_api_gateway_authorizer.cognito.type == "COGNITO_USER_POOLS"
      && aws_api_gateway_authorizer.cognito.provider_arns == toset(var.user_pool_arns)
      && aws_api_gateway_authorizer.cognito.identity_source == "method.request.header.Authorization"
    )
    error_message = "Every pool's tokens are taken, and from the Authorization header alone: with the first pool only, a move to another one locks everybody out."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.route : method.authorizer_id == aws_api_gateway_authorizer.cognito.id if method.authorization != "NONE"])
    error_message = "A signed-in route asks another authorizer."
  }

  assert {
    condition     = aws_wafv2_web_acl.this.scope == "REGIONAL" && aws_wafv2_web_acl_association.this.web_acl_arn == aws_wafv2_web_acl.this.arn
    error_message = "A web ACL that isn't the stage's guards nothing."
  }

  assert {
    condition     = length(one(aws_wafv2_web_acl.this.default_action).block) == 1 && length(one(aws_wafv2_web_acl.this.default_action).allow) == 0
    error_message = "Who has no key and asks for no public path must stay out."
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => "${rule.priority} ${join("", [for kind in ["allow", "block", "count"] : length(one(rule.action)[kind]) == 1 ? kind : ""])}"
    } == { origin-key = "0 allow", health-rate-per-address = "1 block", health = "2 allow" }
    error_message = "The limit must come after the edge's own requests and before health is let in, and refuse: one that counts leaves the checkers nothing in a flood."
  }

  assert {
    condition = [
      for rule in aws_wafv2_web_acl.this.rule : [
        for limit in one(rule.statement).rate_based_statement : "${limit.limit} in ${limit.evaluation_window_sec} by ${limit.aggregate_key_type}"
      ] if rule.name == "health-rate-per-address"
    ] == [["1000 in 300 by IP"]]
    error_message = "One address gets 1,000 health requests in five minutes: a checker makes 30 of them."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for statement in try(one(rule.statement).or_statement[0], one(rule.statement).rate_based_statement[0].scope_down_statement[0].or_statement[0]).statement :
        one(statement.byte_match_statement).positional_constraint == "EXACTLY"
        && [for transformation in one(statement.byte_match_statement).text_transformation : transformation.type] == ["NONE"]
        && (rule.name == "origin-key" ? one(one(one(statement.byte_match_statement).field_to_match).single_header).name == "x-origin-key" : length(one(one(statement.byte_match_statement).field_to_match).uri_path) == 1)
      ]
    ]))
    error_message = "The key is compared whole, in its own header, and a path whole, as it was sent: by CONTAINS, /v1/items?/health and every part of the key would do."
  }

  assert {
    condition = {
      for shown in concat(flatten([for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config]), aws_wafv2_web_acl.this.visibility_config) :
      shown.metric_name => "metrics ${shown.cloudwatch_metrics_enabled}, samples ${shown.sampled_requests_enabled}"
      } == {
      origin-key              = "metrics true, samples false"
      health-rate-per-address = "metrics true, samples true"
      health                  = "metrics true, samples true"
      landing-test-api        = "metrics true, samples false"
    }
    error_message = "A sample shows the origin key to whoever may look at samples, a wrong one's near miss among what is blocked as well."
  }

  # What browsers are told.

  assert {
    condition = alltrue([
      for path, response in aws_api_gateway_integration_response.preflight : response.response_parameters == tomap({
        "method.response.header.Access-Control-Allow-Origin"  = "'https://app.example.com'"
        "method.response.header.Access-Control-Allow-Methods" = "'${join(",", [for key in keys(aws_api_gateway_method.route) : split(" ", key)[0] if split(" ", key)[1] == path])}'"
        "method.response.header.Access-Control-Allow-Headers" = "'authorization,content-type,idempotency-key,if-match,if-none-match'"
        "method.response.header.Access-Control-Max-Age"       = "'600'"
        "method.response.header.Vary"                         = "'Origin'"
        "method.response.header.x-served-by"                  = "'us-east-1'"
      })
    ])
    error_message = "A preflight says more or less than it has to. No credentials: a page that may send cookies along may act for whoever looks at it."
  }

  assert {
    condition = alltrue([
      for path, response in aws_api_gateway_integration_response.preflight :
      response.response_templates == tomap({ "application/json" = local.preflight_template })
      && response.status_code == "204"
      && aws_api_gateway_method_response.preflight[path].status_code == "204"
      && keys(aws_api_gateway_method_response.preflight[path].response_parameters) == keys(response.response_parameters)
    ])
    error_message = "Every preflight puts in the caller's own origin, where that is allowed, and may send each of its headers."
  }

  # tests/modules/test_preflights.py evaluates it.
  assert {
    condition     = strcontains(local.preflight_template, "#if($origin == \"https://app.example.com\" || $origin == \"http://localhost:5173\")")
    error_message = "An origin is allowed when it is one of the list, compared whole, and never otherwise."
  }

  assert {
    condition = alltrue([
      for integration in aws_api_gateway_integration.preflight :
      integration.type == "MOCK" && jsondecode(integration.request_templates["application/json"]) == { statusCode = 204 }
    ])
    error_message = "A preflight is answered by the gateway itself: the function would be paid for each, and refuse it."
  }

  # What the gateway refuses by itself.

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this : response.response_parameters["gatewayresponse.header.Cache-Control"] == "'no-store'"
    ])
    error_message = "A refusal that is kept is given to whoever asks next, and after the fault is over."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this : toset([
        for name in keys(response.response_parameters) : name if strcontains(name, "Access-Control")
      ]) == toset(["gatewayresponse.header.Access-Control-Allow-Origin", "gatewayresponse.header.Access-Control-Expose-Headers"])
    ])
    error_message = "a page may read why it was refused, and no more: with credentials it would act for whoever looks at it"
  }

  assert {
    condition = {
      for type, response in aws_api_gateway_gateway_response.this : type => response.response_parameters["gatewayresponse.header.WWW-Authenticate"]
      if contains(keys(response.response_parameters), "gatewayresponse.header.WWW-Authenticate")
    } == { UNAUTHORIZED = "'Bearer'", EXPIRED_TOKEN = "'Bearer'" }
    error_message = "A 401 must say how to authenticate (RFC 9110, 15.5.2), and nothing else may ask for it."
  }

  assert {
    condition = {
      for type, response in aws_api_gateway_gateway_response.this : type => response.response_parameters["gatewayresponse.header.Retry-After"]
      if contains(keys(response.response_parameters), "gatewayresponse.header.Retry-After")
    } == { THROTTLED = "'1'", INTEGRATION_FAILURE = "'2'", INTEGRATION_TIMEOUT = "'2'" }
    error_message = "Whoever is to try again must hear when: otherwise all of them do so at once."
  }

  assert {
    condition = { for type, response in aws_api_gateway_gateway_response.this : type => response.status_code if response.status_code != null } == {
      ACCESS_DENIED                  = "403"
      API_CONFIGURATION_ERROR        = "500"
      AUTHORIZER_CONFIGURATION_ERROR = "500"
      AUTHORIZER_FAILURE             = "500"
      BAD_REQUEST_BODY               = "400"
      BAD_REQUEST_PARAMETERS         = "400"
      EXPIRED_TOKEN                  = "401"
      INTEGRATION_FAILURE            = "503"
      INTEGRATION_TIMEOUT            = "503"
      INVALID_API_KEY                = "403"
      INVALID_SIGNATURE              = "403"
      MISSING_AUTHENTICATION_TOKEN   = "404"
      QUOTA_EXCEEDED                 = "429"
      RESOURCE_NOT_FOUND             = "404"
      THROTTLED                      = "429"
      UNAUTHORIZED                   = "401"
      UNSUPPORTED_MEDIA_TYPE         = "415"
      WAF_FILTERED                   = "403"
    }
    error_message = "A client acts on the status: a 401 that is a 403 is never refreshed, a 429 that is a 503 counts against the availability."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      response.response_parameters["gatewayresponse.header.x-request-id"] == "context.requestId"
      && strcontains(response.response_parameters["gatewayresponse.header.Access-Control-Expose-Headers"], "x-request-id")
    ])
    error_message = "Whoever reports a refusal must be able to name the request, from a page as well."
  }

  # Logs.

  assert {
    condition = alltrue([
      for group in concat([aws_cloudwatch_log_group.function, aws_cloudwatch_log_group.health, aws_cloudwatch_log_group.access], aws_cloudwatch_log_group.execution) :
      group.kms_key_id == var.log_kms_key_arn && group.retention_in_days == 90
    ]) && length(aws_cloudwatch_log_group.execution) == 1
    error_message = "Every log is encrypted with the key that was given, and ends after 90 days: whoever may take that key away takes the logs away."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.web_acl[0].name == "aws-waf-logs-landing-test-api"
      && aws_cloudwatch_log_group.web_acl[0].kms_key_id == var.log_kms_key_arn
      && aws_cloudwatch_log_group.web_acl[0].retention_in_days == 90
      && one(aws_wafv2_web_acl_logging_configuration.this).log_destination_configs == toset([aws_cloudwatch_log_group.web_acl[0].arn])
      && one(aws_wafv2_web_acl_logging_configuration.this).resource_arn == aws_wafv2_web_acl.this.arn
    )
    error_message = "What is refused is logged, encrypted, for as long as all else, under the only beginning that AWS WAF takes."
  }

  assert {
    condition = toset([
      for field in one(aws_wafv2_web_acl_logging_configuration.this).redacted_fields : one(field.single_header).name
    ]) == toset(["authorization", "cookie", "x-origin-key"])
    error_message = "A token, a cookie or a key that is nearly right must be in no log."
  }

  assert {
    condition = [
      for protection in one(aws_wafv2_web_acl.this.data_protection_config).data_protection :
      "${protection.action} ${one(protection.field).field_type} ${join(" ", sort(one(protection.field).field_keys))}"
    ] == ["SUBSTITUTION SINGLE_HEADER authorization cookie x-origin-key"]
    error_message = "Samples know no redaction: who may look at them would read users' tokens."
  }

  assert {
    condition = one(one(aws_wafv2_web_acl_logging_configuration.this).logging_filter).default_behavior == "DROP" && [
      for filter in one(one(aws_wafv2_web_acl_logging_configuration.this).logging_filter).filter :
      "${filter.behavior} ${filter.requirement} ${join(" ", sort(flatten([for condition in filter.condition : [for one in condition.action_condition : one.action]])))}"
    ] == ["KEEP MEETS_ANY BLOCK COUNT EXCLUDED_AS_COUNT"]
    error_message = "What is let in is in the access logs: logged here as well it costs as much again."
  }

  assert {
    condition = (
      one(aws_xray_encryption_config.this).type == "KMS"
      && one(aws_xray_encryption_config.this).key_id == one(aws_kms_key.traces).arn
      && one(aws_kms_key.traces).enable_key_rotation
      && one(aws_kms_key.traces).deletion_window_in_days == 30
      && [for statement in jsondecode(one(aws_kms_key.traces).policy).Statement : [statement.Principal, statement.Action, try(statement.Condition, {})]] == [
        [{ AWS = "arn:aws:iam::111111111111:root" }, jsondecode(file("../key_administration.json")), {}],
        [{ AWS = "arn:aws:iam::111111111111:root" }, ["kms:CreateGrant", "kms:Decrypt"], { StringEquals = { "kms:ViaService" = "xray.us-east-1.amazonaws.com" } }],
      ]
    )
    error_message = "Traces are encrypted with a key of the account's, which X-Ray alone uses for whoever may read traces."
  }

  assert {
    condition = (
      one(one(aws_lambda_code_signing_config.this).policies).untrusted_artifact_on_deployment == "Enforce"
      && one(one(aws_lambda_code_signing_config.this).allowed_publishers).signing_profile_version_arns == toset(var.signing_profile_version_arns)
      && alltrue([for function in [aws_lambda_function.this, aws_lambda_function.health] : function.code_signing_config_arn == one(aws_lambda_code_signing_config.this).arn])
    )
    error_message = "Both functions take a package that was signed, and refuse any other: a warning stops nobody."
  }

  assert {
    condition     = one(aws_api_gateway_stage.live.access_log_settings).destination_arn == aws_cloudwatch_log_group.access.arn
    error_message = "The access log goes elsewhere, or nowhere."
  }

  assert {
    condition = keys(jsondecode(one(aws_api_gateway_stage.live.access_log_settings).format)) == [
      "apiId", "authorizerError", "authorizerLatency", "authorizerStatus", "domainName", "extendedRequestId",
      "functionRequestId", "functionStatus", "httpMethod", "integrationError", "integrationLatency",
      "integrationStatus", "protocol", "region", "requestId", "requestTimeEpoch", "resourcePath",
      "responseLatency", "responseLength", "responseType", "sourceIp", "stage", "status", "sub",
      "wafError", "wafStatus", "xrayTraceId",
    ]
    error_message = "A line of the access log says who asked for what, what came of it and how long each part took: what is missing is missing on the day that it is needed."
  }

  assert {
    condition = (
      one(aws_api_gateway_account.this).cloudwatch_role_arn == one(aws_iam_role.gateway_logs).arn
      && one(aws_iam_role_policy_attachment.gateway_logs).role == one(aws_iam_role.gateway_logs).name
      && endswith(one(aws_iam_role_policy_attachment.gateway_logs).policy_arn, ":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
      && one(jsondecode(one(aws_iam_role.gateway_logs).assume_role_policy).Statement).Principal == { Service = "apigateway.amazonaws.com" }
    )
    error_message = "Without its role the gateway writes no log, and refuses a stage that has one."
  }

  # Limits.

  assert {
    condition = (
      aws_api_gateway_method_settings.all.method_path == "*/*"
      && aws_api_gateway_method_settings.all.stage_name == "live"
      && one(aws_api_gateway_method_settings.all.settings).metrics_enabled
      && one(aws_api_gateway_method_settings.all.settings).logging_level == "ERROR"
    )
    error_message = "The settings are every method's: on one route alone, all others are neither limited nor measured, and the alarms see nothing."
  }

  assert {
    condition = alltrue([
      for method in aws_api_gateway_method_settings.health :
      one(method.settings).logging_level == "ERROR" && one(method.settings).throttling_burst_limit == 100 && one(method.settings).metrics_enabled
    ])
    error_message = "A health route has settings of its own alone: what isn't said there is off."
  }

  assert {
    condition = (
      aws_lambda_function.this.reserved_concurrent_executions == 20
      && one(aws_lambda_provisioned_concurrency_config.live).provisioned_concurrent_executions == 5
      && one(aws_lambda_provisioned_concurrency_config.live).function_name == aws_lambda_function.this.function_name
      && one(aws_lambda_provisioned_concurrency_config.live).qualifier == aws_lambda_alias.live.name
    )
    error_message = "What is reserved must be, or one Region's other functions take it, and what is kept warm must be what the API calls."
  }

  # The functions.

  assert {
    condition     = aws_lambda_function.this.timeout == 10 && aws_lambda_function.health.timeout == 3
    error_message = "A call must end before the edge (15 s) and the gateway (29 s) give up, so that it is the function that says what came of it; a health check's before the checker (2 s and the way) gives up."
  }

  assert {
    condition = alltrue([
      for function in [aws_lambda_function.this, aws_lambda_function.health] :
      function.memory_size == 1024 && function.runtime == "python3.13" && function.architectures == tolist(["arm64"]) && function.publish
    ])
    error_message = "A processor's share comes with the memory, and both functions need the same; arm64 costs a fifth less, and a function that isn't published never gets to the alias."
  }

  assert {
    condition     = aws_lambda_function.this.handler == "lambda_function.handler" && aws_lambda_function.this.role == aws_iam_role.function.arn && aws_lambda_function.health.role == aws_iam_role.health.arn
    error_message = "Each function has its own code and its own role: with the other's, users could turn the switch or no check could read it."
  }

  assert {
    condition = one(aws_lambda_function.health.tracing_config).mode == "PassThrough" && alltrue([
      for function in [aws_lambda_function.this, aws_lambda_function.health] :
      one(function.logging_config).log_format == "JSON" && one(function.logging_config).system_log_level == "WARN"
    ])
    error_message = "Two lines of Lambda's own for every call are most of a log's price; what isn't JSON no query finds; and nobody pays for a health check's trace."
  }

  assert {
    condition = alltrue([
      for permission in [aws_lambda_permission.gateway, aws_lambda_permission.gateway_health] :
      permission.action == "lambda:InvokeFunction" && permission.principal == "apigateway.amazonaws.com" && permission.qualifier == "live"
    ])
    error_message = "The gateway may call the aliases, may do nothing else, and nobody else may."
  }

  # Traces.

  assert {
    condition = { for key, rule in aws_xray_sampling_rule.this : key => [rule.priority, rule.reservoir_size, rule.fixed_rate, rule.service_name] } == {
      health = [100, 0, 0, "landing-test-api/live"]
      users  = [200, 1, 0.01, "landing-test-api/live"]
    }
    error_message = "Every trace is paid for: one user's request a second and one in a hundred of the rest, and no health check's, whose rule must come first."
  }

  assert {
    condition     = strcontains(aws_xray_group.this.filter_expression, "(fault = true OR error = true OR throttle = true OR responsetime > 1)")
    error_message = "The group holds whatever failed, was refused or took longer than the objective."
  }

  # Alarms.

  assert {
    condition     = local.burn_rate.objective == 99.9 && local.burn_rate.expression == "IF(${local.user_requests} >= 100, ${local.user_failures} / ${local.user_requests}, 0)" && local.burn_rate.metrics == local.user_traffic_metrics
    error_message = "The page follows the share of users' requests that failed: turned round, or by too few requests, it wakes somebody for nothing or not at all."
  }

  assert {
    condition = {
      for key, alarm in local.non_paging_alarms : key => "${try(alarm.comparison, "GreaterThanThreshold")} ${alarm.threshold} ${try(alarm.periods, 1)} x ${alarm.period} s ${try(alarm.missing, "notBreaching")}"
      } == merge({ for key in keys(local.latency_alarms) : key => "GreaterThanThreshold 1000 3 x 300 s notBreaching" }, {
        client-errors        = "GreaterThanThreshold 0.5 3 x 300 s notBreaching"
        function-errors      = "GreaterThanThreshold 0.01 1 x 300 s notBreaching"
        function-throttles   = "GreaterThanThreshold 10 1 x 300 s notBreaching"
        function-duration    = "GreaterThanThreshold 8000 3 x 300 s notBreaching"
        function-concurrency = "GreaterThanThreshold 16 3 x 60 s notBreaching"
        health-function      = "GreaterThanThreshold 10 1 x 300 s notBreaching"
        table-throttles      = "GreaterThanThreshold 10 1 x 300 s notBreaching"
        table-system-errors  = "GreaterThanThreshold 10 1 x 300 s notBreaching"
        replication-lag      = "GreaterThanThreshold 10000 3 x 300 s breaching"
        web-acl-blocks       = "GreaterThanThreshold 1000 1 x 300 s notBreaching"
        sign-in-failures     = "GreaterThanThreshold 0.5 3 x 300 s notBreaching"
    })
    error_message = "An alarm goes off at another limit, or isn't there: too high nobody hears of it, too low nobody listens."
  }

  assert {
    condition = {
      for key, alarm in local.non_paging_alarms : key => alarm.expression if !startswith(key, "latency-") && !contains(["client-errors", "replication-lag"], key)
      } == {
      function-errors      = "IF(calls >= 100, errors / calls, 0)"
      function-throttles   = "throttles"
      function-duration    = "IF(calls >= 100, slow, 0)"
      function-concurrency = "running"
      health-function      = "SUM([FILL(errors, 0), FILL(throttles, 0)])"
      table-throttles      = "SUM([FILL(reads, 0), FILL(writes, 0), FILL(index_reads, 0), FILL(index_writes, 0)])"
      table-system-errors  = "SUM([FILL(getitem, 0), FILL(putitem, 0), FILL(query, 0), FILL(updateitem, 0)])"
      web-acl-blocks       = "blocked"
      sign-in-failures     = "IF(attempts >= 100, 1 - successes / attempts, 0)"
    }
    error_message = "An alarm counts something else than it says, or forgets a part of it: a share turned round is on while all is well."
  }

  assert {
    condition = {
      for key, alarm in local.non_paging_alarms : key => join(", ", sort(distinct([for metric in alarm.metrics : "${metric.namespace} ${metric.name} ${metric.stat}"]))) if !startswith(key, "latency-")
      } == {
      client-errors        = "AWS/ApiGateway 4XXError Sum, AWS/ApiGateway Count Sum"
      function-errors      = "AWS/Lambda Errors Sum, AWS/Lambda Invocations Sum"
      function-throttles   = "AWS/Lambda Throttles Sum"
      function-duration    = "AWS/Lambda Duration p99, AWS/Lambda Invocations Sum"
      function-concurrency = "AWS/Lambda ConcurrentExecutions Maximum"
      health-function      = "AWS/Lambda Errors Sum, AWS/Lambda Throttles Sum"
      table-throttles      = "AWS/DynamoDB ReadThrottleEvents Sum, AWS/DynamoDB WriteThrottleEvents Sum"
      table-system-errors  = "AWS/DynamoDB SystemErrors Sum"
      replication-lag      = "AWS/DynamoDB ReplicationLatency Average"
      web-acl-blocks       = "AWS/WAFV2 BlockedRequests Sum"
      sign-in-failures     = "AWS/Cognito SignInSuccesses SampleCount, AWS/Cognito SignInSuccesses Sum"
    }
    error_message = "An alarm reads another metric, or another statistic of it."
  }

  assert {
    condition = toset([
      for metric in local.non_paging_alarms["table-throttles"].metrics : "${metric.name} ${metric.dimensions.TableName} ${try(metric.dimensions.GlobalSecondaryIndexName, "the table")}"
      ]) == toset([
      "ReadThrottleEvents items the table", "WriteThrottleEvents items the table",
      "ReadThrottleEvents items by_status", "WriteThrottleEvents items by_status",
    ])
    error_message = "By TableName alone these metrics leave the index out: its throttling, which holds up the table's writes, would be seen by nobody."
  }

  assert {
    condition     = alltrue([for metric in local.non_paging_alarms["replication-lag"].metrics : metric.dimensions == { TableName = "items", ReceivingRegion = "us-west-2" }])
    error_message = "The lag that counts is that of what leaves for the other Region: it is published in the Region that sends."
  }
}

run "what_stands_unless_somebody_says_otherwise" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1 && aws_lambda_function.health.reserved_concurrent_executions == 10
    error_message = "Nothing is taken out of the account's quota but what health needs: that must be there on the day that users take all the rest."
  }

  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.live) == 0 && length(aws_lambda_function.this.snap_start) == 0
    error_message = "What is paid by the hour, or by the version, must be somebody's wish."
  }

  assert {
    condition     = one(aws_api_gateway_method_settings.all.settings).throttling_rate_limit == 1000 && one(aws_api_gateway_method_settings.all.settings).throttling_burst_limit == 500
    error_message = "Each method has a limit: without one a flood of one takes the account's whole quota, health checks' among it."
  }

  assert {
    condition     = one(aws_api_gateway_method_settings.all.settings).logging_level == "OFF" && length(aws_cloudwatch_log_group.execution) == 0
    error_message = "The execution log quotes what callers sent: it is for a debugging session."
  }

  assert {
    condition     = alltrue([for group in [aws_cloudwatch_log_group.function, aws_cloudwatch_log_group.health, aws_cloudwatch_log_group.access] : group.kms_key_id == null && group.retention_in_days == 90])
    error_message = "Logs end after 90 days."
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.web_acl) == 1 && length(aws_wafv2_web_acl_logging_configuration.this) == 1
    error_message = "What is refused is logged: who attacks, and whom a rule refuses wrongly, can't be found otherwise."
  }

  assert {
    condition     = length(aws_xray_encryption_config.this) + length(aws_kms_key.traces) == 0
    error_message = "How X-Ray encrypts is a setting of the whole account's: somebody has to ask for a change of it."
  }

  assert {
    condition     = length(aws_lambda_code_signing_config.this) == 0
    error_message = "With no profile that signs, Lambda would take no package at all."
  }

  assert {
    condition     = toset(keys(local.non_paging_alarms)) == setunion(keys(local.latency_alarms), setsubtract(keys(local.non_paging_alarm_definitions), ["function-concurrency"]))
    error_message = "Every alarm must be there but the one on a reservation that there is none of."
  }
}

run "what_somebody_else_logs_or_encrypts" {
  command = plan

  variables {
    log_refused_requests = false
    trace_encryption     = "NONE"
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.web_acl) + length(aws_wafv2_web_acl_logging_configuration.this) == 0
    error_message = "A web ACL has one log: where Firewall Manager makes it, a second one is refused."
  }

  assert {
    condition     = one(aws_xray_encryption_config.this).type == "NONE" && length(aws_kms_key.traces) == 1
    error_message = "The key stays while traces that it encrypted are kept."
  }
}
