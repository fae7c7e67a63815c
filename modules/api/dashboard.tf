# One page about this Region, read from the top: what users feel, failover, then
# each layer on a request's way, then what costs money. Made from the contract's
# routes and the stack's own names, so that no picture outlives what it shows.

locals {
  stage    = flatten([for name, value in local.stage_dimensions : [name, value]])
  function = flatten([for name, value in local.function_dimensions : [name, value]])
  table    = ["TableName", var.table_name]
  pool     = flatten([for name, value in local.sign_in_dimensions : [name, value]])
  app      = ["service", "items", "region", var.region]

  runbooks = "docs/runbooks"

  user_route_keys = sort(keys(local.user_routes))

  # The metrics that an expression counts with, none of them drawn.
  user_traffic = [
    for id, metric in local.user_traffic_metrics : concat(
      [metric.namespace, metric.name],
      flatten([for name, value in metric.dimensions : [name, value]]),
      [{ id = id, stat = metric.stat, visible = false }],
    )
  ]

  # Each row has a height in grid units; its pictures share the 24 columns.
  dashboard_rows = [
    {
      height = 3
      texts = [
        <<-MARKDOWN
          # ${local.monitoring_name}: ${var.role}
          Objectives: ${var.availability_objective} % of users' requests answered without a 5XX, 99 in 100 within ${var.latency_objective_ms} ms. Health checks are no user's requests and are not in them.
          Paged? [The runbook](${local.runbooks}/region-serves-errors.md). What the other alarms mean: [here](${local.runbooks}/informing-alarms.md).
        MARKDOWN
      ]
      graphs = []
    },
    {
      height = 7
      texts  = []
      graphs = [
        {
          title = "Availability of users' requests, %"
          metrics = concat(local.user_traffic, [
            [{ id = "availability", expression = "100 * (1 - IF(${local.user_requests} > 0, ${local.user_failures} / ${local.user_requests}, 0))", label = "answered without a 5XX" }],
          ])
          line = { value = var.availability_objective, label = "objective" }
        },
        {
          title = "Latency of users' requests, p99, ms"
          metrics = [
            for key in local.user_route_keys :
            concat(["AWS/ApiGateway", "Latency"], local.stage, ["Resource", local.routes[key].path, "Method", local.routes[key].method, { stat = "p99", label = key }])
          ]
          line = { value = var.latency_objective_ms, label = "objective" }
        },
        {
          title = "Users' requests and failures"
          metrics = concat(local.user_traffic, [
            [{ id = "requests", expression = local.user_requests, label = "requests" }],
            [{ id = "errors", expression = local.user_failures, label = "5XX", color = "#d62728" }],
          ])
          line = null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = [
        {
          title   = "Replication from here to ${var.peer_region}, ms (nothing written, nothing measured)"
          metrics = [concat(["AWS/DynamoDB", "ReplicationLatency"], local.table, ["ReceivingRegion", var.peer_region, { stat = "Average", label = "average" }])]
          line    = { value = 1000 * var.replication_lag_seconds, label = "alarm" }
        },
        {
          title = "Health checks that reach this Region"
          metrics = [
            for path in sort(local.health_check_paths) :
            concat(["AWS/ApiGateway", "Count"], local.stage, ["Resource", path, "Method", "GET", { stat = "Sum", label = path }])
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
          title = "Gateway: requests by route"
          metrics = [
            for key in local.user_route_keys :
            concat(["AWS/ApiGateway", "Count"], local.stage, ["Resource", local.routes[key].path, "Method", local.routes[key].method, { stat = "Sum", label = key }])
          ]
          line = null
        },
        {
          title = "Gateway: errors, health checks' 404s and 503s included"
          metrics = [
            concat(["AWS/ApiGateway", "4XXError"], local.stage, [{ stat = "Sum", label = "4XX" }]),
            concat(["AWS/ApiGateway", "5XXError"], local.stage, [{ stat = "Sum", label = "5XX", color = "#d62728" }]),
          ]
          line = null
        },
        {
          title = "Gateway and function: latency, p50, ms"
          metrics = [
            concat(["AWS/ApiGateway", "Latency"], local.stage, [{ stat = "p50", label = "gateway" }]),
            concat(["AWS/ApiGateway", "IntegrationLatency"], local.stage, [{ stat = "p50", label = "function, as the gateway waits" }]),
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
          title = "Function: calls, errors, throttles"
          metrics = [
            concat(["AWS/Lambda", "Invocations"], local.function, [{ stat = "Sum", label = "calls" }]),
            concat(["AWS/Lambda", "Errors"], local.function, [{ stat = "Sum", label = "errors", color = "#d62728" }]),
            concat(["AWS/Lambda", "Throttles"], local.function, [{ stat = "Sum", label = "throttles" }]),
          ]
          line = null
        },
        {
          title = "Function: duration, ms"
          metrics = [
            for stat in ["p50", "p99", "Maximum"] : concat(["AWS/Lambda", "Duration"], local.function, [{ stat = stat, label = stat }])
          ]
          line = { value = 1000 * var.function_timeout_seconds, label = "timeout" }
        },
        {
          title   = "Function: running at once"
          metrics = [["AWS/Lambda", "ConcurrentExecutions", "FunctionName", local.function_name, { stat = "Maximum", label = "running" }]]
          line    = var.reserved_concurrency > 0 ? { value = var.reserved_concurrency, label = "reserved" } : null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = [
        {
          title = "Table: latency by operation, average, ms"
          metrics = [
            for operation in local.table_operations :
            concat(["AWS/DynamoDB", "SuccessfulRequestLatency"], local.table, ["Operation", operation, { stat = "Average", label = operation }])
          ]
          line = null
        },
        {
          title = "Table: refused and failed"
          metrics = concat(
            [
              concat(["AWS/DynamoDB", "ReadThrottleEvents"], local.table, [{ stat = "Sum", label = "throttled reads" }]),
              concat(["AWS/DynamoDB", "WriteThrottleEvents"], local.table, [{ stat = "Sum", label = "throttled writes" }]),
              concat(["AWS/DynamoDB", "ConditionalCheckFailedRequests"], local.table, [{ stat = "Sum", label = "conditions not met" }]),
            ],
            [
              for operation in local.table_operations :
              concat(["AWS/DynamoDB", "SystemErrors"], local.table, ["Operation", operation, { stat = "Sum", label = "${operation} failed" }])
            ],
          )
          line = null
        },
        {
          title = "What the app did"
          metrics = [
            for metric, label in { ItemCreated = "items made", CreateReplayed = "creates repeated", WriteConflict = "conflicts (412)" } :
            concat([var.name, metric], local.app, [{ stat = "Sum", label = label }])
          ]
          line = null
        },
      ]
    },
    {
      height = 6
      texts  = []
      graphs = concat(
        [
          {
            title   = "Cost: table, units used"
            metrics = [for kind in ["Read", "Write"] : concat(["AWS/DynamoDB", "Consumed${kind}CapacityUnits"], local.table, [{ stat = "Sum", label = lower(kind) }])]
            line    = null
          },
          {
            title   = "Cost: bytes of log"
            metrics = [for group in [local.access_log, local.function_log] : ["AWS/Logs", "IncomingBytes", "LogGroupName", group, { stat = "Sum", label = group }]]
            line    = null
          },
        ],
        # The pool is in one Region, and its metrics with it.
        local.is_the_pools ? [
          {
            title = "Identity: sign-ins and refreshes that succeeded"
            metrics = [
              for metric, label in { SignInSuccesses = "sign-ins", SignUpSuccesses = "sign-ups", TokenRefreshSuccesses = "refreshes" } :
              concat(["AWS/Cognito", metric], local.pool, [{ stat = "Sum", label = label }])
            ]
            line = null
          },
        ] : [],
      )
    },
  ]
}

module "dashboard" {
  source = "../dashboard"

  name   = local.monitoring_name
  region = var.region
  rows   = local.dashboard_rows
}
