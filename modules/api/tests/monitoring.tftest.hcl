# Whom the Region's alarms and dashboard count, and where they send whoever reads them.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "what_counts_for_a_rate_is_users_own_and_no_health_check" {
  command = plan

  assert {
    condition = toset([
      for metric in local.non_paging_alarms["client-errors"].metrics : try(metric.dimensions.Resource, "the stage") if metric.name == "Count"
    ]) == toset(["the stage", "/health", "/health/ready", "/health/takeover"])
    error_message = "Health checks' requests must be taken from the stage's."
  }

  assert {
    condition = {
      for id, metric in local.non_paging_alarms["client-errors"].metrics : try("${metric.dimensions.Method} ${metric.dimensions.Resource}", "the stage") => id if metric.name == "4XXError"
      } == {
      for id, metric in local.user_traffic_metrics : try("${metric.dimensions.Method} ${metric.dimensions.Resource}", "the stage") => id if metric.name == "5XXError"
    }
    error_message = "A health check's 4XX (takeover is not active) is no mistake of a user's."
  }

  assert {
    condition     = strcontains(local.non_paging_alarms["client-errors"].expression, "${local.user_failures} / ${local.user_requests}")
    error_message = "A share of users' requests must have these below the line, and users' errors alone above it."
  }

  assert {
    condition     = alltrue([for alarm in local.non_paging_alarms : length(alarm.metrics) <= 10])
    error_message = "An alarm on metric math reads ten metrics at most."
  }

  assert {
    condition = alltrue([
      for key, alarm in local.latency_alarms :
      alarm.metrics.requests.dimensions == alarm.metrics.slow.dimensions && strcontains(alarm.expression, "requests >= ${var.alarm_min_requests}")
    ])
    error_message = "A route's latency must be judged by that route's own number of requests."
  }

  assert {
    condition = toset([
      for metric in local.user_traffic_metrics : "${metric.name} ${metric.dimensions.Method} ${metric.dimensions.Resource}" if can(metric.dimensions.Resource)
      ]) == toset(flatten([
        for route in ["GET /health", "GET /health/ready", "GET /health/takeover", "HEAD /health/ready"] : [
          for name in ["5XXError", "Count"] : "${name} ${route}"
        ]
    ]))
    error_message = "Requests and 5XXs of every health check, HEAD's where it can have one, and of no other, must be known to be taken away."
  }

  assert {
    condition = alltrue([
      for id, metric in local.user_traffic_metrics : strcontains(
        metric.name == "Count" ? local.user_requests : local.user_failures,
        try(metric.dimensions.Resource, null) == null ? "(${id} - " : "FILL(${id}, 0)",
      )
    ])
    error_message = "What health routes have must be taken from what the stage has."
  }
}

run "every_route_of_users_is_drawn_and_has_an_alarm_on_its_latency" {
  command = plan

  assert {
    condition = toset([
      for alarm in local.latency_alarms : "${alarm.metrics.slow.dimensions.Method} ${alarm.metrics.slow.dimensions.Resource}"
      ]) == toset(flatten([
        for path, item in yamldecode(file(var.openapi_path)).paths : [
          for method in keys(item) : "${upper(method)} ${path}"
        ] if !startswith(path, "/health")
    ]))
    error_message = "The alarms on latency are not those of the contract's routes."
  }

  assert {
    condition = alltrue(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method in keys(item) : [
          for metric in ["Count", "Latency"] : strcontains(
            jsonencode(local.dashboard),
            trim(jsonencode(["AWS/ApiGateway", metric, "ApiName", aws_api_gateway_rest_api.this.name, "Stage", local.stage_name, "Resource", path, "Method", upper(method)]), "[]"),
          )
        ]
      ] if !startswith(path, "/health")
    ]))
    error_message = "The dashboard doesn't draw the requests or the latency of a route."
  }
}

run "every_alarm_has_a_runbook_that_is_there" {
  command = plan

  assert {
    condition     = alltrue([for runbook in module.alarms.runbooks : fileexists("../../docs/runbooks/${split("#", runbook)[0]}")])
    error_message = "An alarm's page isn't among the runbooks."
  }

  assert {
    condition = alltrue([
      for runbook in module.alarms.runbooks :
      strcontains(file("../../docs/runbooks/${split("#", runbook)[0]}"), "\n## ${split("#", runbook)[1]}\n") if strcontains(runbook, "#")
    ])
    error_message = "An alarm's section isn't on its page."
  }

  assert {
    condition = (
      local.non_paging_alarms["replication-lag"].missing == "breaching" &&
      try(tonumber(regex("^FILL\\(lag, ([0-9]+)\\)$", local.non_paging_alarms["replication-lag"].expression)[0]), 0) > local.non_paging_alarms["replication-lag"].threshold
    )
    error_message = "Replication that stops has no lag to measure: that must not look like none."
  }

  assert {
    condition     = alltrue([for name in ["landing-test-us-east-1-availability-fast-long", "landing-test-us-east-1-client-errors", "landing-test-us-east-1-serves-errors"] : contains(keys(module.alarms.runbooks), name)])
    error_message = "The alarms that were looked at aren't all."
  }
}
