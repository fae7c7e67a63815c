# What wakes somebody in this Region: that users' errors use up the error budget
# too fast. Non-paging alarms are in non_paging_alarms.tf.

locals {
  monitoring_name = "${var.name}-${var.region}"

  health_routes = { for key, route in local.routes : key => route if contains(local.health_check_paths, route.path) }
  user_routes   = { for key, route in local.routes : key => route if !contains(local.health_check_paths, route.path) }

  stage_dimensions    = { ApiName = aws_api_gateway_rest_api.this.name, Stage = local.stage_name }
  function_dimensions = { FunctionName = local.function_name, Resource = "${local.function_name}:${local.alias_name}" }
  health_dimensions   = { FunctionName = local.health_function_name, Resource = "${local.health_function_name}:${local.alias_name}" }
  table_dimensions    = { TableName = var.table_name }

  # Users' requests and failures: those of the stage less those of the health
  # checks, whose refusals are answers ("not ready", 503, and "takeover is not
  # active", 404) and no failures of users' requests. An alarm on metric math has
  # room for ten metrics; these are ten. HEAD, which uptime monitors send, is among
  # them where the contract has a 5XX for it.
  counted_health_operations = [
    for key in sort(keys(local.operations)) : local.operations[key] if contains(keys(local.health_routes), key) && (
      local.operations[key].method == "GET" || anytrue([for status in keys(local.operations[key].operation.responses) : startswith(status, "5")])
    )
  ]

  user_traffic_metrics = merge(
    {
      all      = { namespace = "AWS/ApiGateway", name = "Count", dimensions = local.stage_dimensions, stat = "Sum" }
      failures = { namespace = "AWS/ApiGateway", name = "5XXError", dimensions = local.stage_dimensions, stat = "Sum" }
    },
    merge([
      for index, check in local.counted_health_operations : {
        for id, metric in { checks = "Count", refusals = "5XXError" } : "${id}${index}" => {
          namespace                = "AWS/ApiGateway"
          name                     = metric
          dimensions               = merge(local.stage_dimensions, { Resource = check.path, Method = check.method })
          stat                     = "Sum"
        }
      }
    ]...)
  )
  health_indexes = range(length(local.counted_health_operations))
  user_requests  = "(all - SUM([${join(", ", [for index in local.health_indexes : "FILL(checks${index}, 0)"])}]))"
  user_failures  = "(failures - SUM([${join(", ", [for index in local.health_indexes : "FILL(refusals${index}, 0)"])}]))"

  burn_rate = {
    description = "Users' requests fail"
    runbook     = "region-serves-errors.md"
    objective   = var.availability_objective
    expression  = "IF(${local.user_requests} >= ${var.alarm_min_requests}, ${local.user_failures} / ${local.user_requests}, 0)"
    metrics     = local.user_traffic_metrics
  }
}

module "alarms" {
  source = "../alarms"

  name    = local.monitoring_name
  account = { id = local.account_id, partition = local.partition }
  emails  = var.alarm_emails

  reach_somebody   = var.alarms_reach_somebody
  runbook_base_url = var.runbook_base_url

  burn_rate = local.burn_rate
  alarms    = local.non_paging_alarms

  page = {
    description = "Pages: users of ${var.region} get errors, and the error budget goes too fast. First: is the other Region well? Then move users there (make takeover), and look for the cause afterwards."
    runbook     = "region-serves-errors.md"
  }
}
