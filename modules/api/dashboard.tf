# One page about this Region, read from the top: what users feel, failover, then
# each layer on a request's way, then what costs money. Made from the contract's
# routes and the stack's own names, so that no picture outlives what it shows.

locals {
  dashboard_introduction = <<-MARKDOWN
    # ${local.monitoring_name}: ${var.role}
    Objectives: ${var.availability_objective} % of users' requests answered without a 5XX, 99 in 100 within ${var.latency_objective_ms} ms. Health checks are no user's requests and are not in them.
    Paged? [The runbook](${module.alarms.runbooks_url}/region-serves-errors.md). What the other alarms mean: [here](${module.alarms.runbooks_url}/non-paging-alarms.md).
  MARKDOWN

  # The metrics that an expression counts with, none of them drawn.
  user_traffic = [
    for id, metric in local.user_traffic_metrics : concat(
      [metric.namespace, metric.name],
      flatten([for name, value in metric.dimensions : [name, value]]),
      [{ id = id, stat = metric.stat, visible = false }],
    )
  ]

  # Decoded and encoded again: what is no JSON fails here, and not in CloudWatch.
  dashboard = jsondecode(templatefile("${path.module}/dashboard.json.tftpl", {
    introduction             = local.dashboard_introduction
    region                   = var.region
    peer_region              = var.peer_region
    user_traffic             = local.user_traffic
    user_requests            = local.user_requests
    user_failures            = local.user_failures
    user_routes              = local.user_routes
    health_routes            = local.health_routes
    availability_objective   = var.availability_objective
    latency_objective_ms     = var.latency_objective_ms
    replication_lag_seconds  = var.replication_lag_seconds
    api                      = aws_api_gateway_rest_api.this.name
    stage                    = local.stage_name
    function                 = local.function_name
    alias                    = local.alias_name
    function_timeout_seconds = var.function_timeout_seconds
    health_function          = local.health_function_name
    reserved_concurrency     = var.reserved_concurrency
    table                    = var.table_name
    table_operations         = local.table_operations
    namespace                = var.name
    access_log               = local.access_log
    function_log             = local.function_log
    health_log               = local.health_log
    # The pool is in one Region, and its metrics with it.
    sign_ins = local.is_the_pools ? local.sign_in_dimensions : null
  }))
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.monitoring_name
  dashboard_body = jsonencode(local.dashboard)
}
