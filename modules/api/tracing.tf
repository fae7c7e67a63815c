# What X-Ray keeps of this Region's requests. CloudFront sends no segments; its
# request id is an annotation of the function's.

locals {
  # X-Ray's own name for a stage. Names of rules have at most 32 characters.
  traced_service = "${local.function_name}/${local.stage_name}"
  trace_prefix   = substr(var.name, 0, 22)

  # By host, which X-Ray matches for a stage as the request names it; of a path it is
  # documented nowhere with or without the stage
  # (apigateway-configuring-xray-sampling-rules). Health checkers ask the Region's own
  # name, and so do operators; users come by the edge, to the name that both share,
  # and the canary with them.
  #
  # The first rule that matches decides, by priority. It decides before the answer
  # is known, so no rule can keep errors alone: what is kept of them is their share,
  # and the group below finds it.
  sampling_rules = {
    # A dozen checkers every few seconds, from each of which nobody learns anything.
    health = { priority = 100, host = local.domain_names.region, reservoir = 0, rate = 0 }
    users  = { priority = 200, host = local.domain_names.origin, reservoir = var.trace_reservoir, rate = var.trace_rate }
  }
}

resource "aws_xray_sampling_rule" "this" {
  for_each = local.sampling_rules

  rule_name      = "${local.trace_prefix}-${each.key}"
  priority       = each.value.priority
  reservoir_size = each.value.reservoir
  fixed_rate     = each.value.rate
  url_path       = "*"
  service_name   = local.traced_service
  service_type   = "*"
  host           = each.value.host
  http_method    = "*"
  resource_arn   = "*"
  version        = 1
}

resource "aws_xray_group" "this" {
  group_name        = "${local.trace_prefix}-troubled"
  filter_expression = "service(\"${local.traced_service}\") AND (fault = true OR error = true OR throttle = true OR responsetime > ${var.latency_objective_ms / 1000})"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}
