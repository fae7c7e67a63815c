locals {
  # AWS's groups, by priority, and the names of their rules (the guide's
  # aws-managed-rule-groups pages).
  #
  # Rules that read the body only count: titles and notes are free text that may well
  # hold markup, paths, addresses or an attack that somebody writes about, the API never
  # renders, follows or deserializes any of it, and bounds its bodies itself (413).
  #
  # The others block, as they do by themselves. They are named for their answer, which
  # would be CloudFront's page in HTML. A rule that AWS adds blocks with that page until it
  # stands here; AWS WAF passes over a name that no rule has (API_RuleActionOverride).
  # AWSManagedIPDDoSList isn't here: it counts.
  managed_rule_groups = {
    AWSManagedRulesAmazonIpReputationList = {
      priority = 10
      counted  = []
      blocked  = ["AWSManagedIPReputationList", "AWSManagedReconnaissanceList"]
    }
    AWSManagedRulesCommonRuleSet = {
      priority = 20
      counted = [
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "SizeRestrictions_BODY",
      ]
      blocked = [
        "CrossSiteScripting_COOKIE",
        "CrossSiteScripting_QUERYARGUMENTS",
        "CrossSiteScripting_URIPATH",
        "EC2MetaDataSSRF_COOKIE",
        "EC2MetaDataSSRF_QUERYARGUMENTS",
        "EC2MetaDataSSRF_URIPATH",
        "GenericLFI_QUERYARGUMENTS",
        "GenericLFI_URIPATH",
        "GenericRFI_QUERYARGUMENTS",
        "GenericRFI_URIPATH",
        "NoUserAgent_HEADER",
        "RestrictedExtensions_QUERYARGUMENTS",
        "RestrictedExtensions_URIPATH",
        "SizeRestrictions_Cookie_HEADER",
        "SizeRestrictions_QUERYSTRING",
        "SizeRestrictions_URIPATH",
        "UserAgent_BadBots_HEADER",
      ]
    }
    AWSManagedRulesKnownBadInputsRuleSet = {
      priority = 30
      counted  = ["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"]
      blocked = [
        "ExploitablePaths_URIPATH",
        "Host_localhost_HEADER",
        "JavaDeserializationRCE_HEADER",
        "JavaDeserializationRCE_QUERYSTRING",
        "JavaDeserializationRCE_URIPATH",
        "Log4JRCE_HEADER",
        "Log4JRCE_QUERYSTRING",
        "Log4JRCE_URIPATH",
        "PROPFIND_METHOD",
      ]
    }
  }

  # What opens an account; and the key of the origin lock, should an operator's request come here.
  secret_headers = ["authorization", "cookie", "x-origin-key"]

  # What a client reads of a refusal. AWS WAF can't say application/problem+json, and
  # puts no request's id into an answer (customizing-the-response-for-blocked-requests).
  refusals = {
    forbidden = {
      type   = "about:blank"
      title  = "Forbidden"
      status = 403
      detail = "The request looks like an attack, or its address is known for them. Send a User-Agent and what the API's description says; if you do, report the header x-amz-cf-id."
    }
    too-many-requests = {
      type   = "about:blank"
      title  = "Too Many Requests"
      status = 429
      detail = "Too many requests come from this address. Wait for as long as Retry-After says."
    }
  }

  # One header for all: it can't depend on who asks. With more than one origin any page
  # may read a refusal, which holds nothing of anybody's.
  refusal_cors_headers = length(var.allowed_origins) == 0 ? {} : {
    access-control-allow-origin   = length(var.allowed_origins) == 1 ? var.allowed_origins[0] : "*"
    access-control-expose-headers = "retry-after, x-amz-cf-id"
  }
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192: KnownBadInputs is in the dynamic rule, which this check doesn't read; its Log4J rules block but for the body's, which counts.
  provider = aws.us_east_1

  name        = "${var.name}-edge"
  description = "What may reach the distribution of ${local.public_domain_name}"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  dynamic "custom_response_body" {
    for_each = local.refusals

    content {
      key          = custom_response_body.key
      content_type = "APPLICATION_JSON"
      content      = jsonencode(custom_response_body.value)
    }
  }

  # First, so that a flood isn't weighed by the other rules.
  rule {
    name     = "rate-per-address"
    priority = 0

    action {
      block {
        custom_response {
          response_code            = local.refusals["too-many-requests"].status
          custom_response_body_key = "too-many-requests"

          dynamic "response_header" {
            for_each = merge({ retry-after = "300" }, local.refusal_cors_headers)

            content {
              name  = response_header.key
              value = response_header.value
            }
          }
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
        limit                 = var.rate_limit_per_five_minutes
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate-per-address"
      sampled_requests_enabled   = true
    }
  }

  # Health answers anybody, and what comes through here carries the edge's key, which a
  # Region lets in before its own limit for health.
  #
  # The stage takes so many requests a second of each method, 100 in the smallest
  # account (dev), and the checkers need some 3 of them: with 16 to a check (AWS
  # doesn't say how many it runs), /health/ready is asked for 16 / 10 s by a Region's
  # own name and 16 / 30 s by this one. At 240 a minute one address gets 4 a second: to
  # leave the checkers none takes two dozen of them, at work all the time.
  #
  # No less than 240: one checker asks twice a minute, but whoever watches users move
  # (make takeover, a drill) twice a second, 120 a minute.
  #
  # After the rule above, so that these count there as well. The path is decoded and
  # resolved first, as the gateway may do, too: another spelling is no way round.
  rule {
    name     = "health-rate-per-address"
    priority = 1

    action {
      block {
        custom_response {
          response_code            = local.refusals["too-many-requests"].status
          custom_response_body_key = "too-many-requests"

          dynamic "response_header" {
            for_each = merge({ retry-after = "60" }, local.refusal_cors_headers)

            content {
              name  = response_header.key
              value = response_header.value
            }
          }
        }
      }
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 60
        limit                 = var.health_rate_limit_per_minute

        scope_down_statement {
          byte_match_statement {
            positional_constraint = "STARTS_WITH"
            search_string         = "/health"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }

            text_transformation {
              priority = 1
              type     = "NORMALIZE_PATH"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "health-rate-per-address"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_rule_groups

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.key
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }

          dynamic "rule_action_override" {
            for_each = rule.value.blocked

            content {
              name = rule_action_override.value

              action_to_use {
                block {
                  custom_response {
                    response_code            = local.refusals.forbidden.status
                    custom_response_body_key = "forbidden"

                    dynamic "response_header" {
                      for_each = local.refusal_cors_headers

                      content {
                        name  = response_header.key
                        value = response_header.value
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  # In logs and samples alike.
  data_protection_config {
    data_protection {
      action = "SUBSTITUTION"

      field {
        field_type = "SINGLE_HEADER"
        field_keys = local.secret_headers
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-edge"
    sampled_requests_enabled   = true
  }
}

# What the web ACL refused or counted, and nothing else: what it lets in is in the access logs, and
# would cost as much again. Whoever reads it finds no secret in it: a key that is nearly right would
# be one.
resource "aws_cloudwatch_log_group" "web_acl" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  count = var.log_refused_requests ? 1 : 0

  provider = aws.us_east_1

  # AWS WAF takes no other beginning (logging-cw-logs).
  name              = "aws-waf-logs-${var.name}-edge"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = var.log_refused_requests ? 1 : 0

  provider = aws.us_east_1

  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.web_acl[0].arn]

  dynamic "redacted_fields" {
    for_each = local.secret_headers

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      # A rule of a managed group that is overridden to count is EXCLUDED_AS_COUNT (API_ActionCondition).
      dynamic "condition" {
        for_each = ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"]

        content {
          action_condition {
            action = condition.value
          }
        }
      }
    }
  }
}
