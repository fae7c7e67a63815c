mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  name                 = "landing-test"
  domain_name          = "example.com"
  zone_id              = "Z0000000000000"
  edge_certificate_arn = "arn:aws:acm:us-east-1:111111111111:certificate/1"
  primary_region       = "us-east-1"
  standby_region       = "us-west-2"
  origin_key           = { current = "new-key", previous = "old-key" }
  table_name           = "landing-test-items"
  alarm_emails         = ["somebody@example.com"]

  regional_endpoints = {
    us-east-1 = {
      region = { domain_name = "d-region-east.example.net", zone_id = "Z1" }
      origin = { domain_name = "d-origin-east.example.net", zone_id = "Z1" }
    }
    us-west-2 = {
      region = { domain_name = "d-region-west.example.net", zone_id = "Z2" }
      origin = { domain_name = "d-origin-west.example.net", zone_id = "Z2" }
    }
  }
}

run "failover_follows_readiness_and_the_operators_switch" {
  assert {
    condition = toset(aws_route53_health_check.primary_serves.child_healthchecks) == toset([
      aws_route53_health_check.ready["primary"].id,
      aws_route53_health_check.not_taken_over.id,
    ])
    error_message = "the primary's health must be its own readiness and the operator's switch"
  }

  assert {
    condition     = aws_route53_health_check.primary_serves.child_health_threshold == length(aws_route53_health_check.primary_serves.child_healthchecks)
    error_message = "the primary serves only while every child is healthy"
  }

  assert {
    condition     = aws_route53_health_check.not_taken_over.fqdn == "us-west-2.example.com" && aws_route53_health_check.not_taken_over.invert_healthcheck
    error_message = "the switch must be watched in the standby, or it fails with the primary"
  }

  assert {
    condition     = aws_route53_record.origin["primary"].health_check_id == aws_route53_health_check.primary_serves.id
    error_message = "the primary record must follow the calculated check"
  }

  assert {
    condition     = aws_route53_record.origin["standby"].health_check_id == aws_route53_health_check.ready["standby"].id
    error_message = "the standby record must follow the standby's own readiness"
  }

  assert {
    condition     = alltrue([for record in values(aws_route53_record.origin) : record.type == "CNAME" && record.ttl == 10])
    error_message = "the failover pair must be CNAMEs with a TTL of our own"
  }

  assert {
    condition     = { for role, record in aws_route53_record.origin : role => record.records } == { primary = toset(["d-origin-east.example.net"]), standby = toset(["d-origin-west.example.net"]) }
    error_message = "each record of the pair must lead to its own Region"
  }

  assert {
    condition     = { for record in values(aws_route53_record.region) : record.name => record.alias[0].name } == { "us-east-1.example.com" = "d-region-east.example.net", "us-west-2.example.com" = "d-region-west.example.net" }
    error_message = "each Region must be found by its own name"
  }

  assert {
    condition     = output.failover_limit_seconds == 40
    error_message = "interval x threshold + TTL must be 40 s by default"
  }
}

run "health_has_a_limit_of_its_own_at_the_edge" {
  variables {
    health_rate_limit_per_minute = 20
  }

  assert {
    condition = alltrue([
      for rule in aws_wafv2_web_acl.this.rule : (
        rule.statement[0].rate_based_statement[0].limit == 20 &&
        rule.statement[0].rate_based_statement[0].aggregate_key_type == "IP" &&
        rule.statement[0].rate_based_statement[0].scope_down_statement[0].byte_match_statement[0].search_string == "/health" &&
        [for each in rule.statement[0].rate_based_statement[0].scope_down_statement[0].byte_match_statement[0].text_transformation : "${each.priority} ${each.type}"] == ["0 URL_DECODE", "1 NORMALIZE_PATH"] &&
        rule.action[0].block[0].custom_response[0].response_code == 429
      ) if rule.name == "health-rate-per-address"
    ])
    error_message = "every spelling of a health path must count for one address' limit, whose refusal is a 429"
  }

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority if endswith(rule.name, "rate-per-address") } == { rate-per-address = 0, health-rate-per-address = 1 }
    error_message = "health must count for the limit of everything, and both limits before the rules that cost more"
  }
}

run "what_the_edge_refuses_is_answered_in_json" {
  variables {
    allowed_origins = ["https://app.example.com"]
  }

  # Every rule that blocks, by its name: its custom response.
  assert {
    condition = toset([
      for response in concat(
        flatten([for rule in aws_wafv2_web_acl.this.rule : rule.action[*].block[*].custom_response[*]]),
        flatten([
          for rule in aws_wafv2_web_acl.this.rule : [
            for override in try(rule.statement[0].managed_rule_group_statement[0].rule_action_override, []) :
            override.action_to_use[0].block[*].custom_response[*]
          ]
        ]),
      ) : "${response.response_code} ${response.custom_response_body_key} ${join("", [for header in response.response_header : header.value if header.name == "access-control-allow-origin"])}"
      ]) == toset([
      "429 too-many-requests https://app.example.com",
      "403 forbidden https://app.example.com",
    ])
    error_message = "each refusal must have a body, its status and the origin that may read it"
  }

  assert {
    condition = toset([
      for body in aws_wafv2_web_acl.this.custom_response_body :
      "${body.key} ${body.content_type} ${jsondecode(body.content).status} ${join(" ", keys(jsondecode(body.content)))}"
      ]) == toset([
      "forbidden APPLICATION_JSON 403 detail status title type",
      "too-many-requests APPLICATION_JSON 429 detail status title type",
    ])
    error_message = "a refusal must be what a client that reads problems can parse"
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for override in try(rule.statement[0].managed_rule_group_statement[0].rule_action_override, []) :
        endswith(override.name, "_BODY") == (length(override.action_to_use[0].count) == 1)
      ]
    ]))
    error_message = "rules that read the body must count, and no others"
  }

  assert {
    condition = length(setsubtract(
      ["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY", "CrossSiteScripting_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY"],
      flatten([
        for rule in aws_wafv2_web_acl.this.rule : [
          for override in try(rule.statement[0].managed_rule_group_statement[0].rule_action_override, []) : override.name
        ]
      ]),
    )) == 0
    error_message = "a note may quote an attack: every rule of AWS's that reads the body must be named"
  }
}

run "without_origins_a_refusal_says_nothing_of_any" {
  command = plan

  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for response in flatten([
          rule.action[*].block[*].custom_response[*],
          [
            for override in try(rule.statement[0].managed_rule_group_statement[0].rule_action_override, []) :
            override.action_to_use[0].block[*].custom_response[*]
          ],
        ]) : [for header in response.response_header : header.name]
      ]
    ])) == toset(["retry-after"])
    error_message = "no CORS where no web page may call"
  }
}

run "reads_try_both_regions_and_writes_one" {
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].target_origin_id == "writes"
    error_message = "what the function chooses no origin for must go to the one for writes"
  }

  assert {
    condition     = strcontains(aws_cloudfront_function.viewer_request.code, "READ_ORIGINS = [\"reads\",\"standby\"];")
    error_message = "a read must try the failover name first: once DNS has moved, it pays no first attempt"
  }

  assert {
    condition     = [for one in aws_cloudfront_distribution.this.default_cache_behavior[0].function_association : one.event_type] == ["viewer-request"]
    error_message = "the function must see a request before an origin is chosen"
  }

  assert {
    condition     = aws_cloudfront_function.viewer_request.runtime == "cloudfront-js-2.0" && aws_cloudfront_function.viewer_request.publish
    error_message = "only runtime 2.0 can make origin groups, and only a published function runs"
  }

  assert {
    condition = { for origin in aws_cloudfront_distribution.this.origin : origin.origin_id => [origin.connection_attempts, origin.connection_timeout, origin.custom_origin_config[0].origin_read_timeout] } == {
      writes  = [1, 3, 15]
      reads   = [1, 2, 3]
      standby = [1, 2, 3]
    }
    error_message = "a read must leave a Region that hangs after 3 s, and a write must wait for its answer"
  }

  assert {
    condition     = alltrue([for origin in aws_cloudfront_distribution.this.origin : origin.custom_origin_config[0].origin_keepalive_timeout == 5])
    error_message = "no origin's idle connection may outlive a change of DNS for long"
  }
}

run "only_the_current_origin_key_is_sent" {
  assert {
    condition = alltrue([
      for origin in aws_cloudfront_distribution.this.origin :
      [for header in origin.custom_header : header.value if header.name == "x-origin-key"] == ["new-key"]
    ])
    error_message = "CloudFront must send every origin the current origin key and no other"
  }
}

run "the_region_sees_the_origins_name" {
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].origin_request_policy_id == aws_cloudfront_origin_request_policy.viewer.id
    error_message = "the distribution must send what our own policy says"
  }

  assert {
    condition = (
      aws_cloudfront_origin_request_policy.viewer.headers_config[0].header_behavior == "allExcept" &&
      aws_cloudfront_origin_request_policy.viewer.headers_config[0].headers[0].items == toset(["host", "x-amzn-requestid", "x-amzn-trace-id", "x-http-method-override"])
    )
    error_message = "a viewer's Host, request id, trace and method override must not reach the Region, and everything else must"
  }

  assert {
    condition = (
      aws_cloudfront_origin_request_policy.viewer.cookies_config[0].cookie_behavior == "all" &&
      aws_cloudfront_origin_request_policy.viewer.query_strings_config[0].query_string_behavior == "all"
    )
    error_message = "cookies and query strings are the API's to read"
  }

  assert {
    condition     = { for origin in aws_cloudfront_distribution.this.origin : origin.origin_id => origin.domain_name } == { writes = "origin.example.com", reads = "origin.example.com", standby = "us-west-2.example.com" }
    error_message = "writes and the first try of a read must go to the failover name, the second to the standby's own"
  }

  assert {
    condition     = alltrue([for error in aws_cloudfront_distribution.this.custom_error_response : error.response_page_path == null || error.response_page_path == ""])
    error_message = "errors of the API must pass through unchanged"
  }

  assert {
    condition = toset([
      for error in aws_cloudfront_distribution.this.custom_error_response : error.error_code if error.error_caching_min_ttl == 0
    ]) == toset([400, 403, 404, 405, 414, 500, 501, 502, 503, 504])
    error_message = "CloudFront must not keep an error that it may keep: it would give it to others"
  }
}

run "settings_reach_what_they_set" {
  variables {
    health_check_interval_seconds  = 30
    health_check_failure_threshold = 1
    failover_record_ttl_seconds    = 5
    geo_restriction                = { restriction_type = "whitelist", locations = ["DE", "FR"] }
    log_kms_key_arn                = "arn:aws:kms:us-east-1:111111111111:key/logs"
  }

  assert {
    condition     = toset([for group in concat([aws_cloudwatch_log_group.access], aws_cloudwatch_log_group.web_acl) : group.kms_key_id]) == toset([var.log_kms_key_arn])
    error_message = "both logs must be encrypted with the key that was given"
  }

  assert {
    condition     = output.failover_limit_seconds == 35
    error_message = "the limit must follow interval, threshold and TTL"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.restrictions[0].geo_restriction[0].locations == toset(["DE", "FR"])
    error_message = "the countries must reach the distribution"
  }
}

run "every_alarm_has_a_runbook_that_is_there_and_none_pages_for_want_of_data" {
  command = plan

  assert {
    condition     = alltrue([for runbook in module.alarms.runbooks : fileexists("../../docs/runbooks/${split("#", runbook)[0]}")])
    error_message = "an alarm's page must be among the runbooks"
  }

  assert {
    condition = alltrue([
      for runbook in module.alarms.runbooks :
      strcontains(file("../../docs/runbooks/${split("#", runbook)[0]}"), "\n## ${split("#", runbook)[1]}\n") if strcontains(runbook, "#")
    ])
    error_message = "an alarm's section must be on its page"
  }

  assert {
    condition     = alltrue([for name in ["landing-test-edge-availability-fast-long", "landing-test-edge-public-path-down", "landing-test-edge-serves-errors"] : contains(keys(module.alarms.runbooks), name)])
    error_message = "every alarm must be looked at"
  }

  assert {
    condition     = toset([for alarm in local.health_alarms : alarm.missing]) == toset(["missing"])
    error_message = "a check has no data for its first minutes: that must not be an alarm"
  }
}

run "an_undelegated_domain_is_refused_with_the_next_step" {
  command = plan

  variables {
    edge_certificate_arn = null
  }

  expect_failures = [var.edge_certificate_arn]
}

run "a_web_acl_that_somebody_else_logs" {
  command = plan

  variables {
    log_refused_requests = false
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.web_acl) + length(aws_wafv2_web_acl_logging_configuration.this) == 0
    error_message = "a web ACL has one log: where Firewall Manager makes it, a second one is refused"
  }
}

run "what_belongs_to_other_regions_is_refused" {
  command = plan

  variables {
    edge_certificate_arn = "arn:aws:acm:eu-west-1:111111111111:certificate/1"
    regional_endpoints   = {}
    log_kms_key_arn      = "arn:aws:kms:eu-west-1:111111111111:key/logs"
  }

  expect_failures = [
    var.edge_certificate_arn,
    var.log_kms_key_arn,
    var.regional_endpoints,
  ]
}

run "impossible_settings_are_refused" {
  command = plan

  variables {
    standby_region                 = "us-east-1"
    health_check_interval_seconds  = 20
    health_check_failure_threshold = 0
    failover_record_ttl_seconds    = 300
    origin_read_timeout_seconds    = 61
    minimum_tls_version            = "TLSv1.3_2025"
    allowed_origins                = ["https://app.example.com/"]
    read_timeout_seconds           = 11
    price_class                    = "PriceClass_50"
    geo_restriction                = { restriction_type = "none", locations = ["DE"] }
    rate_limit_per_five_minutes    = 10
    health_rate_limit_per_minute   = 9
    log_retention_days             = 31
    availability_objective         = 89.9
    latency_objective_ms           = 49
    alarm_min_requests             = 9
    alarm_emails                   = ["somebody"]
    table_name                     = "arn:aws:dynamodb:us-east-1:111111111111:table/items"
    stage_name                     = "live/other"
  }

  expect_failures = [
    var.standby_region,
    var.health_check_interval_seconds,
    var.health_check_failure_threshold,
    var.failover_record_ttl_seconds,
    var.origin_read_timeout_seconds,
    var.read_timeout_seconds,
    var.minimum_tls_version,
    var.allowed_origins,
    var.price_class,
    var.geo_restriction,
    var.rate_limit_per_five_minutes,
    var.health_rate_limit_per_minute,
    var.log_retention_days,
    var.availability_objective,
    var.latency_objective_ms,
    var.alarm_min_requests,
    var.alarm_emails,
    var.table_name,
    var.stage_name,
  ]
}

run "objectives_that_nobody_can_keep_are_refused" {
  command = plan

  variables {
    availability_objective = 99.999
    latency_objective_ms   = 29001
    alarm_emails           = ["somebody@example.com", "some body@example.com"]
  }

  expect_failures = [
    var.availability_objective,
    var.latency_objective_ms,
    var.alarm_emails,
  ]
}
