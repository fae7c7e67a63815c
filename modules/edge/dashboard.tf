# One page about users, whichever Region serves them: what they feel, who serves
# and why, the edge itself, and what costs money. The Regions have pages of their
# own.

locals {
  runbooks     = "docs/runbooks"
  distribution = flatten([for name, value in local.distribution_dimensions : [name, value]])

  watched_checks = {
    "primary ready"                         = aws_route53_health_check.ready["primary"].id
    "standby ready"                         = aws_route53_health_check.ready["standby"].id
    "primary serves"                        = aws_route53_health_check.primary_serves.id
    "not told to take over"                 = aws_route53_health_check.not_taken_over.id
    "the whole way through the public name" = aws_route53_health_check.public_path.id
  }

  # A Region's gateway and table go by the same names in both.
  gateway = ["ApiName", "${var.name}-api", "Stage", var.stage_name]
  table   = ["TableName", var.table_name]

  dashboard_rows = [
    {
      height = 3
      texts = [
        <<-MARKDOWN
          # ${var.name}: users at ${local.public_domain_name}
          Objective: ${var.availability_objective} % of requests answered without a 5XX. ${var.primary_region} serves while it is ready; otherwise, or once told to (make takeover), ${var.replica_region} does.
          Paged? [Errors](${local.runbooks}/edge-serves-errors.md), [nobody gets through](${local.runbooks}/public-path-down.md). What the other alarms mean: [here](${local.runbooks}/informing-alarms.md).
        MARKDOWN
      ]
      graphs = []
    },
    {
      height = 7
      texts  = []
      graphs = [
        {
          title = "Availability at the edge, %"
          metrics = [
            concat(["AWS/CloudFront", "5xxErrorRate"], local.distribution, [{ id = "failed", stat = "Average", visible = false }]),
            [{ id = "availability", expression = "100 - failed", label = "answered without a 5XX" }],
          ]
          line = { value = var.availability_objective, label = "objective" }
        },
        {
          title = "Latency of the origin as the edge sees it, ms"
          metrics = [
            for stat in ["p50", "p99"] : concat(["AWS/CloudFront", "OriginLatency"], local.distribution, [{ stat = stat, label = stat }])
          ]
          line = { value = var.latency_objective_ms, label = "objective for p99" }
        },
        {
          title = "Requests by the Region that served them, health checks included"
          metrics = [
            for role, region in local.regions : concat(["AWS/ApiGateway", "Count"], local.gateway, [{ stat = "Sum", label = "${region} (${role})", region = region }])
          ]
          line = null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = [
        {
          title   = "Health checks: 1 is healthy"
          metrics = [for label, id in local.watched_checks : ["AWS/Route53", "HealthCheckStatus", "HealthCheckId", id, { stat = "Minimum", label = label }]]
          line    = null
        },
        {
          title   = "Share of checkers that find a Region ready, %"
          metrics = [for role, check in aws_route53_health_check.ready : ["AWS/Route53", "HealthCheckPercentageHealthy", "HealthCheckId", check.id, { stat = "Average", label = role }]]
          line    = { value = 18, label = "Route 53's limit" }
        },
        {
          title = "Replication lag, both ways, ms"
          metrics = [
            for from, to in { (var.primary_region) = var.replica_region, (var.replica_region) = var.primary_region } :
            concat(["AWS/DynamoDB", "ReplicationLatency"], local.table, ["ReceivingRegion", to, { stat = "Average", label = "${from} to ${to}", region = from }])
          ]
          line = null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = [
        {
          title   = "Edge: requests"
          metrics = [concat(["AWS/CloudFront", "Requests"], local.distribution, [{ stat = "Sum", label = "requests" }])]
          line    = null
        },
        {
          title = "Edge: error rates, %"
          metrics = [
            for metric in ["4xxErrorRate", "5xxErrorRate", "502ErrorRate", "503ErrorRate", "504ErrorRate"] :
            concat(["AWS/CloudFront", metric], local.distribution, [{ stat = "Average", label = metric }])
          ]
          line = null
        },
        {
          title = "Web ACL: let in and blocked"
          metrics = [
            for metric in ["AllowedRequests", "BlockedRequests"] :
            ["AWS/WAFV2", metric, "WebACL", aws_wafv2_web_acl.this.name, "Rule", "ALL", { stat = "Sum", label = metric }]
          ]
          line = null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = [
        {
          title = "Cost: bytes to and from users"
          metrics = [
            for metric in ["BytesDownloaded", "BytesUploaded"] : concat(["AWS/CloudFront", metric], local.distribution, [{ stat = "Sum", label = metric }])
          ]
          line = null
        },
        {
          title   = "Cost: bytes of log"
          metrics = [["AWS/Logs", "IncomingBytes", "LogGroupName", aws_cloudwatch_log_group.access.name, { stat = "Sum", label = "edge" }]]
          line    = null
        },
      ]
    },
  ]
}

module "dashboard" {
  source = "../dashboard"

  name   = local.monitoring_name
  region = "us-east-1"
  rows   = local.dashboard_rows
}
