locals {
  # AWS's groups, by priority. Rules that read the body only count: titles and
  # notes are free text that may well hold markup, paths or addresses, the API
  # never renders or follows any of it, and bounds its bodies itself (413).
  managed_rule_groups = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, counted = [] }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 30, counted = [] }
    AWSManagedRulesCommonRuleSet = {
      priority = 20
      counted = [
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "SizeRestrictions_BODY",
      ]
    }
  }
}

resource "aws_wafv2_web_acl" "this" {
  provider = aws.us_east_1

  name        = "${var.name}-edge"
  description = "What may reach the distribution of ${local.public_domain_name}"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  # First, so that a flood isn't weighed by the other rules.
  rule {
    name     = "rate-per-address"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "300"
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
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "60"
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
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-edge"
    sampled_requests_enabled   = true
  }
}
