# What protects users, and those who pay, at the edge while nobody says otherwise: each literal
# that could be turned round without anything failing to plan or to apply.

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
  allowed_origins      = ["https://app.example.com", "https://www.example.com"]

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

override_resource {
  target = aws_cloudwatch_log_group.web_acl
  values = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:aws-waf-logs-landing-test-edge" }
}

run "what_stands_unless_somebody_says_otherwise" {
  # Between viewer, edge and Region.

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "https-only"
    error_message = "a viewer must not send a token in the clear: not by plain HTTP, nor in the request that is redirected from it"
  }

  assert {
    condition = (
      one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
      && one(aws_cloudfront_distribution.this.viewer_certificate).ssl_support_method == "sni-only"
      && one(aws_cloudfront_distribution.this.viewer_certificate).acm_certificate_arn == var.edge_certificate_arn
      && coalesce(one(aws_cloudfront_distribution.this.viewer_certificate).cloudfront_default_certificate, false) == false
    )
    error_message = "viewers must be met with TLS 1.2 or later and the certificate of the name; by an address of its own instead of SNI that is 600 dollars a month"
  }

  assert {
    condition = length(aws_cloudfront_distribution.this.origin) > 0 && alltrue([
      for origin in aws_cloudfront_distribution.this.origin :
      one(origin.custom_origin_config).origin_protocol_policy == "https-only"
      && one(origin.custom_origin_config).origin_ssl_protocols == toset(["TLSv1.2"])
      && one(origin.custom_origin_config).https_port == 443
    ])
    error_message = "tokens and the origin key must reach a Region by TLS 1.2, and by nothing older or in the clear"
  }

  assert {
    condition = alltrue([
      for origin in aws_cloudfront_distribution.this.origin : origin.connection_attempts == 1 && origin.connection_timeout <= 3
    ])
    error_message = "a Region that takes no connection in 3 s isn't going to: each further attempt, and each second, is one that every user waits for a failover"
  }

  assert {
    condition     = max([for origin in aws_cloudfront_distribution.this.origin : one(origin.custom_origin_config).origin_read_timeout]...) == 15
    error_message = "the edge must wait longer for a write than the function may take (10 s): the edge's own 504 doesn't say whether it was done"
  }

  # What is kept, changed and passed on.

  assert {
    condition = (
      data.aws_cloudfront_cache_policy.caching_disabled.name == "Managed-CachingDisabled"
      && aws_cloudfront_distribution.this.default_cache_behavior[0].cache_policy_id == data.aws_cloudfront_cache_policy.caching_disabled.id
      && length(aws_cloudfront_distribution.this.ordered_cache_behavior) == 0
    )
    error_message = "a cache would give one person's items to another: nothing of the API's may be kept"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].compress == false
    error_message = "CloudFront makes weak ETags of strong ones when it compresses, and no If-Match would match any more: nobody could change an item"
  }

  assert {
    condition = (
      aws_cloudfront_distribution.this.default_cache_behavior[0].allowed_methods == toset(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"])
      && aws_cloudfront_distribution.this.default_cache_behavior[0].cached_methods == toset(["GET", "HEAD"])
    )
    error_message = "every method of the contract's, and browsers' preflights, must pass; and an answer to OPTIONS is an origin's own, to be kept for no other"
  }

  assert {
    condition = (
      aws_cloudfront_distribution.this.enabled
      && aws_cloudfront_distribution.this.aliases == toset(["api.example.com"])
      && aws_cloudfront_distribution.this.is_ipv6_enabled
      && aws_cloudfront_distribution.this.http_version == "http2and3"
    )
    error_message = "the distribution must answer to the public name, by IPv6 as well: mobile networks have little else"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.price_class == "PriceClass_100" && one(one(aws_cloudfront_distribution.this.restrictions).geo_restriction).restriction_type == "none"
    error_message = "dearer edge locations, and countries that are shut out, must be somebody's wish"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.wait_for_deployment == false
    error_message = "an apply must not wait for the last edge location: what is to be done on a bad day would wait with it"
  }

  # Security headers.

  assert {
    condition     = length(aws_cloudfront_response_headers_policy.security.cors_config) + length(aws_cloudfront_response_headers_policy.security.remove_headers_config) == 0
    error_message = "which pages may read an answer is for the Region to say, and the edge may take none of its headers away"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].response_headers_policy_id == aws_cloudfront_response_headers_policy.security.id
    error_message = "without the policy no answer carries a security header"
  }

  assert {
    condition = (
      one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).strict_transport_security).access_control_max_age_sec == 63072000
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).strict_transport_security).include_subdomains
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).strict_transport_security).preload == false
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).strict_transport_security).override
    )
    error_message = "for two years a browser must come by HTTPS alone; a max-age of 0 makes it forget, and a preload list can't be left in time"
  }

  assert {
    condition = (
      one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).content_security_policy).content_security_policy == "default-src 'none'; frame-ancestors 'none'"
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).content_security_policy).override
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).frame_options).frame_option == "DENY"
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).frame_options).override
    )
    error_message = "an answer that a browser takes for a page must load nothing, and stand in nobody's frame"
  }

  assert {
    condition     = one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).content_type_options).override
    error_message = "a browser must not guess that a note is a script (nosniff)"
  }

  assert {
    condition = (
      one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).referrer_policy).referrer_policy == "no-referrer"
      && one(one(aws_cloudfront_response_headers_policy.security.security_headers_config).referrer_policy).override
    )
    error_message = "an item's URL is nobody else's to read"
  }

  # The web ACL.

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.this.arn && aws_wafv2_web_acl.this.scope == "CLOUDFRONT"
    error_message = "a web ACL that no distribution names guards nothing"
  }

  assert {
    condition     = length(one(aws_wafv2_web_acl.this.default_action).allow) == 1 && length(one(aws_wafv2_web_acl.this.default_action).block) == 0
    error_message = "who breaks no rule must get in"
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == {
      rate-per-address                      = 0
      health-rate-per-address               = 1
      AWSManagedRulesAmazonIpReputationList = 10
      AWSManagedRulesCommonRuleSet          = 20
      AWSManagedRulesKnownBadInputsRuleSet  = 30
    }
    error_message = "both limits and AWS's three groups must stand, the limits first"
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => [length(one(rule.action).block), length(one(rule.action).count)] if length(rule.action) == 1
    } == { rate-per-address = [1, 0], health-rate-per-address = [1, 0] }
    error_message = "a limit that only counts refuses nobody"
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => [length(one(rule.override_action).none), length(one(rule.override_action).count)] if length(rule.override_action) == 1
      } == {
      for name in ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"] : name => [1, 0]
    }
    error_message = "a managed group that only counts lets every attack in"
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for group in one(rule.statement).managed_rule_group_statement : group.vendor_name == "AWS" && group.name == rule.name
      ]
    ]))
    error_message = "the groups must be AWS's own, by their names: another vendor's is paid for"
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => [
        for limit in one(rule.statement).rate_based_statement : "${limit.limit} in ${limit.evaluation_window_sec} by ${limit.aggregate_key_type}${join("", [for scope in limit.scope_down_statement : " of ${one(scope.byte_match_statement).positional_constraint} ${one(scope.byte_match_statement).search_string}"])}"
      ] if endswith(rule.name, "rate-per-address")
      } == {
      rate-per-address        = ["10000 in 300 by IP"]
      health-rate-per-address = ["240 in 60 by IP of STARTS_WITH /health"]
    }
    error_message = "an address gets 10,000 requests in five minutes, and 240 for health in one: more is a flood, and less shuts out a carrier's users or whoever watches a takeover"
  }

  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => one(flatten([
        for block in one(rule.action).block : [
          for response in block.custom_response : [for header in response.response_header : header.value if header.name == "retry-after"]
        ]
      ])) if length(rule.action) == 1
    } == { rate-per-address = "300", health-rate-per-address = "60" }
    error_message = "who is refused for a window must wait as long as that window: sooner, the retries keep the limit reached"
  }

  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for response in flatten([
          rule.action[*].block[*].custom_response[*],
          [
            for override in try(rule.statement[0].managed_rule_group_statement[0].rule_action_override, []) :
            override.action_to_use[0].block[*].custom_response[*]
          ],
        ]) : join("", [for header in response.response_header : header.value if header.name == "access-control-allow-origin"])
      ]
    ])) == toset(["*"])
    error_message = "with several origins each of them must be able to read why it was refused"
  }

  assert {
    condition = alltrue([
      for shown in concat(flatten([for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config]), aws_wafv2_web_acl.this.visibility_config) :
      shown.cloudwatch_metrics_enabled && shown.sampled_requests_enabled
    ])
    error_message = "what a rule refuses must be measured, and seen in samples: otherwise users are refused and nobody knows why"
  }

  # Names.

  assert {
    condition = { for type, record in aws_route53_record.public : type => [record.type, record.name, record.zone_id, one(record.alias).name, one(record.alias).zone_id, one(record.alias).evaluate_target_health] } == {
      for type in ["A", "AAAA"] : type => [
        type, "api.example.com", "Z0000000000000",
        aws_cloudfront_distribution.this.domain_name, aws_cloudfront_distribution.this.hosted_zone_id, false,
      ]
    }
    error_message = "the public name must lead to the distribution, for IPv4 and for IPv6: a phone on an IPv6 network finds nothing without an AAAA"
  }

  assert {
    condition     = { for role, record in aws_route53_record.origin : role => "${record.set_identifier} ${one(record.failover_routing_policy).type} ${record.name} ${record.zone_id}" } == { primary = "primary PRIMARY origin.example.com Z0000000000000", standby = "standby SECONDARY origin.example.com Z0000000000000" }
    error_message = "the primary must be the primary record of the pair: the other way round all users are in the standby, and fail over to the primary"
  }

  assert {
    condition     = { for role, record in aws_route53_record.region : role => [record.type, one(record.alias).zone_id, one(record.alias).evaluate_target_health] } == { primary = ["A", "Z1", false], standby = ["A", "Z2", false] }
    error_message = "a Region's own name must lead to it whatever its health: the health checks themselves ask by it"
  }

  # Health checks: a failover takes what they take.

  assert {
    condition = alltrue([
      for check in concat(values(aws_route53_health_check.ready), [aws_route53_health_check.not_taken_over, aws_route53_health_check.public_path]) :
      check.type == "HTTPS" && check.port == 443 && check.enable_sni && coalesce(check.disabled, false) == false
    ])
    error_message = "a check must ask as users do, by HTTPS and by name; one that is disabled counts as healthy for ever"
  }

  assert {
    condition = {
      for check in concat(values(aws_route53_health_check.ready), [aws_route53_health_check.not_taken_over, aws_route53_health_check.public_path]) :
      check.tags.Name => "${check.fqdn}${check.resource_path}, ${check.failure_threshold} times every ${check.request_interval} s"
      } == {
      landing-test-ready-primary  = "us-east-1.example.com/health/ready, 3 times every 10 s"
      landing-test-ready-standby  = "us-west-2.example.com/health/ready, 3 times every 10 s"
      landing-test-not-taken-over = "us-west-2.example.com/health/takeover, 3 times every 10 s"
      landing-test-public-path    = "api.example.com/health/ready, 3 times every 30 s"
    }
    error_message = "interval x threshold is the larger part of an outage, 30 s: 10 failures or 30 s between them are minutes more of it, each time. The public path only wakes somebody, and is asked less often"
  }

  assert {
    condition = (
      aws_route53_health_check.not_taken_over.invert_healthcheck
      && !anytrue([for check in concat(values(aws_route53_health_check.ready), [aws_route53_health_check.public_path]) : coalesce(check.invert_healthcheck, false)])
    )
    error_message = "the switch alone is inverted: elsewhere a Region that is well would count as lost"
  }

  assert {
    condition     = aws_route53_health_check.primary_serves.type == "CALCULATED"
    error_message = "what the primary's record follows must be made of both, readiness and the switch"
  }

  # Logs, and what wakes somebody.

  assert {
    condition     = aws_cloudwatch_log_group.access.retention_in_days == 30
    error_message = "addresses of users must not be kept for ever, nor paid for: a month tells what happened"
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.web_acl[0].name == "aws-waf-logs-landing-test-edge"
      && aws_cloudwatch_log_group.web_acl[0].kms_key_id == null
      && aws_cloudwatch_log_group.web_acl[0].retention_in_days == 30
      && one(aws_wafv2_web_acl_logging_configuration.this).log_destination_configs == toset([aws_cloudwatch_log_group.web_acl[0].arn])
      && one(aws_wafv2_web_acl_logging_configuration.this).resource_arn == aws_wafv2_web_acl.this.arn
    )
    error_message = "what is refused must be logged, for as long as all else, under the only beginning that AWS WAF takes"
  }

  assert {
    condition = toset([
      for field in one(aws_wafv2_web_acl_logging_configuration.this).redacted_fields : one(field.single_header).name
    ]) == toset(["authorization", "cookie", "x-origin-key"])
    error_message = "a token, a cookie or a key must be in no log"
  }

  assert {
    condition = [
      for protection in one(aws_wafv2_web_acl.this.data_protection_config).data_protection :
      "${protection.action} ${one(protection.field).field_type} ${join(" ", sort(one(protection.field).field_keys))}"
    ] == ["SUBSTITUTION SINGLE_HEADER authorization cookie x-origin-key"]
    error_message = "samples know no redaction: who may look at them would read users' tokens"
  }

  assert {
    condition = one(one(aws_wafv2_web_acl_logging_configuration.this).logging_filter).default_behavior == "DROP" && [
      for filter in one(one(aws_wafv2_web_acl_logging_configuration.this).logging_filter).filter :
      "${filter.behavior} ${filter.requirement} ${join(" ", sort(flatten([for condition in filter.condition : [for one in condition.action_condition : one.action]])))}"
    ] == ["KEEP MEETS_ANY BLOCK COUNT EXCLUDED_AS_COUNT"]
    error_message = "what is let in is in the access log: logged here as well it costs as much again"
  }

  assert {
    condition = (
      aws_cloudwatch_log_delivery_source.access.log_type == "ACCESS_LOGS"
      && aws_cloudwatch_log_delivery_source.access.resource_arn == aws_cloudfront_distribution.this.arn
      && aws_cloudwatch_log_delivery_destination.access.output_format == "json"
      && one(aws_cloudwatch_log_delivery_destination.access.delivery_destination_configuration).destination_resource_arn == aws_cloudwatch_log_group.access.arn
      && aws_cloudwatch_log_delivery.access.delivery_source_name == aws_cloudwatch_log_delivery_source.access.name
      && aws_cloudwatch_log_delivery.access.delivery_destination_arn == aws_cloudwatch_log_delivery_destination.access.arn
    )
    error_message = "without its log a request that ended at the edge has left no trace: the distribution must deliver it to the group, in the format that the queries read"
  }

  assert {
    condition = (
      aws_cloudfront_monitoring_subscription.this.distribution_id == aws_cloudfront_distribution.this.id
      && one(one(aws_cloudfront_monitoring_subscription.this.monitoring_subscription).realtime_metrics_subscription_config).realtime_metrics_subscription_status == "Enabled"
    )
    error_message = "without it CloudFront doesn't measure what the dashboard draws of origins and codes"
  }

  assert {
    condition = {
      for key, alarm in local.health_alarms : key => "${alarm.metrics.status.stat} of ${alarm.metrics.status.dimensions.HealthCheckId} ${alarm.comparison} ${alarm.threshold}, ${alarm.periods} x ${alarm.period} s, pages: ${alarm.pages}"
      } == {
      public-path-down  = "Minimum of ${aws_route53_health_check.public_path.id} LessThanThreshold 1, 2 x 60 s, pages: true"
      primary-not-ready = "Minimum of ${aws_route53_health_check.ready["primary"].id} LessThanThreshold 1, 1 x 60 s, pages: false"
      standby-not-ready = "Minimum of ${aws_route53_health_check.ready["standby"].id} LessThanThreshold 1, 1 x 60 s, pages: false"
      takeover-active   = "Minimum of ${aws_route53_health_check.not_taken_over.id} LessThanThreshold 1, 1 x 60 s, pages: false"
    }
    error_message = "each alarm must watch its own check and go off when that is unhealthy; that nobody gets through wakes somebody, and nothing else of these does"
  }

  assert {
    condition = alltrue([
      for alarm in local.health_alarms : alarm.expression == "status" && alarm.metrics.status.namespace == "AWS/Route53" && alarm.metrics.status.name == "HealthCheckStatus"
    ])
    error_message = "a health check's alarm must watch its status"
  }

  assert {
    condition = local.burn_rate.objective == 99.9 && local.burn_rate.expression == "IF(requests >= 100, failed / 100, 0)" && {
      for id, metric in local.burn_rate.metrics : id => "${metric.namespace} ${metric.name} ${metric.stat} ${metric.dimensions.DistributionId} ${metric.dimensions.Region}"
      } == {
      requests = "AWS/CloudFront Requests Sum ${aws_cloudfront_distribution.this.id} Global"
      failed   = "AWS/CloudFront 5xxErrorRate Average ${aws_cloudfront_distribution.this.id} Global"
    }
    error_message = "the page must follow the share of failed requests (CloudFront's rate is in percent), and a handful of requests must wake nobody"
  }
}
