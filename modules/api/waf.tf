# The origin lock: nothing gets into the Region but what the edge sent, and what
# the contract opens to everybody: the health checks, which can't send a header of
# ours.

locals {
  # With and without the stage: AWS doesn't say which of them a web ACL sees
  # behind a custom domain name, and a health check that is refused looks like a
  # Region that is down.
  #
  # Compared as a whole, and as it was sent: AWS WAF decodes and resolves nothing in
  # a path unless a text transformation says so (waf-rule-statement-transformation),
  # and how the gateway reads /health/../v1/items, //health or /%68ealth is documented
  # nowhere. No spelling but the contract's opens.
  unlocked_paths = flatten([for path in local.public_paths : [path, "/${local.stage_name}${path}"]])

  # What opens a Region, and what opens an account.
  secret_headers = ["authorization", "cookie", "x-origin-key"]

  origin_keys = {
    current  = var.origin_key.current
    previous = var.origin_key.previous
  }
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192: What gets in has passed the edge's web ACL, whose KnownBadInputs holds the Log4J rules.
  name        = "${var.name}-api"
  description = "Lets in what carries the key of the edge, and health checks"
  scope       = "REGIONAL"

  default_action {
    block {}
  }

  # First, so that nothing below counts what the edge sends. Two keys, so that it
  # can be rotated: the edge sends the current one some minutes after the Regions
  # have learnt it.
  rule {
    name     = "origin-key"
    priority = 0

    action {
      allow {}
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = local.origin_keys

          content {
            byte_match_statement {
              positional_constraint = "EXACTLY"
              search_string         = statement.value

              field_to_match {
                single_header {
                  name = "x-origin-key"
                }
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "origin-key"
      # A sample would show the key to whoever may look at samples.
      sampled_requests_enabled = false
    }
  }

  # Round the edge, which limits what comes through it (modules/edge/waf.tf). A
  # checker asks some 30 times in five minutes from one address.
  rule {
    name     = "health-rate-per-address"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
        limit                 = var.health_rate_limit_per_five_minutes

        scope_down_statement {
          or_statement {
            dynamic "statement" {
              for_each = local.unlocked_paths

              content {
                byte_match_statement {
                  positional_constraint = "EXACTLY"
                  search_string         = statement.value

                  field_to_match {
                    uri_path {}
                  }

                  text_transformation {
                    priority = 0
                    type     = "NONE"
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
      metric_name                = "health-rate-per-address"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "health"
    priority = 2

    action {
      allow {}
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = local.unlocked_paths

          content {
            byte_match_statement {
              positional_constraint = "EXACTLY"
              search_string         = statement.value

              field_to_match {
                uri_path {}
              }

              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "health"
      sampled_requests_enabled   = true
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
    metric_name                = "${var.name}-api"
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_api_gateway_stage.live.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# What the web ACL refused or counted, and nothing else: what it lets in is in the access logs, and
# would cost as much again. Whoever reads it finds no secret in it: a key that is nearly right would
# be one.
resource "aws_cloudwatch_log_group" "web_acl" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  count = var.log_refused_requests ? 1 : 0

  # AWS WAF takes no other beginning (logging-cw-logs).
  name              = "aws-waf-logs-${var.name}-api"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = var.log_refused_requests ? 1 : 0

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
