# One page about users, whichever Region serves them: what they feel, who serves
# and why, the edge itself, and what costs money. The Regions have pages of their
# own.

locals {
  dashboard_introduction = <<-MARKDOWN
    # ${var.name}: users at ${local.public_domain_name}
    Objective: ${var.availability_objective} % of requests answered without a 5XX. ${var.primary_region} serves while it is ready; otherwise, or while takeover is active (make takeover), ${var.standby_region} does.
    Paged? [Errors](${module.alarms.runbooks_url}/edge-serves-errors.md), [nobody gets through](${module.alarms.runbooks_url}/public-path-down.md). What the other alarms mean: [here](${module.alarms.runbooks_url}/non-paging-alarms.md).
  MARKDOWN

  # Decoded and encoded again: what is no JSON fails here, and not in CloudWatch.
  dashboard = jsondecode(templatefile("${path.module}/dashboard.json.tftpl", {
    introduction           = local.dashboard_introduction
    availability_objective = var.availability_objective
    latency_objective_ms   = var.latency_objective_ms
    distribution           = aws_cloudfront_distribution.this.id
    web_acl                = aws_wafv2_web_acl.this.name
    access_log             = aws_cloudwatch_log_group.access.name
    regions                = local.regions
    table                  = var.table_name
    # A Region's gateway goes by the same name in both.
    api   = "${var.name}-api"
    stage = var.stage_name

    health_checks = {
      "primary ready"                         = aws_route53_health_check.ready["primary"].id
      "standby ready"                         = aws_route53_health_check.ready["standby"].id
      "primary serves"                        = aws_route53_health_check.primary_serves.id
      "takeover not active"                   = aws_route53_health_check.not_taken_over.id
      "the whole way through the public name" = aws_route53_health_check.public_path.id
    }
    readiness_checks = { for role, check in aws_route53_health_check.ready : role => check.id }
  }))
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.monitoring_name
  dashboard_body = jsonencode(local.dashboard)
}
