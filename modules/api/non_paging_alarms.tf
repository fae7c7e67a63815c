# Alarms that wake nobody: each says where to look when something pages, or what
# will page one day if it is left alone.

locals {
  # Cognito's metrics are in the pool's own Region alone.
  user_pool_id       = split("/", var.user_pool_arns[0])[1]
  is_the_pools       = provider::aws::arn_parse(var.user_pool_arns[0]).region == var.region
  sign_in_dimensions = { UserPool = local.user_pool_id, UserPoolClient = var.user_pool_client_ids[0] }

  # The table's own metrics leave its global index out.
  index_dimensions = merge(local.table_dimensions, { GlobalSecondaryIndexName = var.index_names.status })

  table_operations = ["GetItem", "PutItem", "Query", "UpdateItem"]

  non_paging_alarm_definitions = {
    client-errors = {
      description = "Every other of users' requests is refused as the caller's mistake (4XX), throttling (429) included. A release of the app that sends nonsense, tokens that nobody takes, or a method's rate limit: errors by route are in the saved query."
      # The health checks' own 4XXs ("takeover is not active") are taken from both.
      metrics = {
        for id, metric in local.user_traffic_metrics :
        id => merge(metric, { name = metric.name == "5XXError" ? "4XXError" : metric.name })
      }
      expression = "IF(${local.user_requests} >= ${var.alarm_min_requests}, ${local.user_failures} / ${local.user_requests}, 0)"
      threshold  = 0.5
      period     = 300
      periods    = 3
    }

    function-errors = {
      description = "More than one call in a hundred ends with an error of the function itself: a fault in the code, memory, or a timeout. Look at the function's log; after a release, roll back."
      metrics = {
        calls  = { namespace = "AWS/Lambda", name = "Invocations", dimensions = local.function_dimensions, stat = "Sum" }
        errors = { namespace = "AWS/Lambda", name = "Errors", dimensions = local.function_dimensions, stat = "Sum" }
      }
      expression = "IF(calls >= ${var.alarm_min_requests}, errors / calls, 0)"
      threshold  = 0.01
      period     = 300
    }

    function-throttles = {
      description = "Calls of the function are refused because too many run: users get errors. Look at the concurrency, raise reserved_concurrency or the account's quota, in both Regions. Nobody is moved for it: the other Region has no more room."
      metrics = {
        throttles = { namespace = "AWS/Lambda", name = "Throttles", dimensions = local.function_dimensions, stat = "Sum" }
      }
      expression = "throttles"
      threshold  = 10
      period     = 300
    }

    function-duration = {
      description = "The slowest hundredth of calls is near the function's timeout of ${var.function_timeout_seconds} s, where users get errors. Look at the slowest traces: it is almost always the table."
      metrics = {
        calls = { namespace = "AWS/Lambda", name = "Invocations", dimensions = local.function_dimensions, stat = "Sum" }
        slow  = { namespace = "AWS/Lambda", name = "Duration", dimensions = local.function_dimensions, stat = "p99" }
      }
      expression = "IF(calls >= ${var.alarm_min_requests}, slow, 0)"
      threshold  = 0.8 * 1000 * var.function_timeout_seconds
      period     = 300
      periods    = 3
    }

    function-concurrency = {
      description = "The function runs more than 80 % of what is reserved for it (${var.reserved_concurrency}): a little more, and calls are refused. Raise it, in both Regions."
      metrics = {
        running = { namespace = "AWS/Lambda", name = "ConcurrentExecutions", dimensions = { FunctionName = local.function_name }, stat = "Maximum" }
      }
      expression = "running"
      threshold  = 0.8 * var.reserved_concurrency
      period     = 60
      periods    = 3
    }

    health-function = {
      description = "Calls of the health function fail or are refused: Route 53 may take ${var.region} for lost while its users are well. Look at its log, and raise health_reserved_concurrency in both Regions; where somebody floods the health routes, see the web ACLs' samples."
      metrics = {
        errors    = { namespace = "AWS/Lambda", name = "Errors", dimensions = local.health_dimensions, stat = "Sum" }
        throttles = { namespace = "AWS/Lambda", name = "Throttles", dimensions = local.health_dimensions, stat = "Sum" }
      }
      expression = "SUM([FILL(errors, 0), FILL(throttles, 0)])"
      threshold  = 10
      period     = 300
    }

    table-throttles = {
      description = "The table refuses reads or writes beyond its limit or on a hot key: users get 429s. Look at table_max_throughput, and for one owner with very many requests."
      metrics = {
        reads        = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", dimensions = local.table_dimensions, stat = "Sum" }
        writes       = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", dimensions = local.table_dimensions, stat = "Sum" }
        index_reads  = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", dimensions = local.index_dimensions, stat = "Sum" }
        index_writes = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", dimensions = local.index_dimensions, stat = "Sum" }
      }
      expression = "SUM([FILL(reads, 0), FILL(writes, 0), FILL(index_reads, 0), FILL(index_writes, 0)])"
      threshold  = 10
      period     = 300
    }

    table-system-errors = {
      description = "DynamoDB itself fails in this Region. Users move by themselves once /health/ready fails; where it doesn't, move them (make takeover)."
      metrics = {
        for operation in local.table_operations : lower(operation) => {
          namespace  = "AWS/DynamoDB"
          name       = "SystemErrors"
          dimensions = merge(local.table_dimensions, { Operation = operation })
          stat       = "Sum"
        }
      }
      expression = "SUM([${join(", ", [for operation in local.table_operations : "FILL(${lower(operation)}, 0)"])}])"
      threshold  = 10
      period     = 300
    }

    replication-lag = {
      description = "What is written here reaches ${var.peer_region} late, or not at all: a failover now would lose more than it should for a while. Don't fail over or back on purpose until it is over."
      metrics = {
        lag = { namespace = "AWS/DynamoDB", name = "ReplicationLatency", dimensions = merge(local.table_dimensions, { ReceivingRegion = var.peer_region }), stat = "Average" }
      }
      expression = "lag"
      threshold  = 1000 * var.replication_lag_seconds
      period     = 300
      periods    = 3
      # The readiness probe writes every few seconds, so that there is always something to
      # replicate: no lag at all is replication that has stopped.
      missing = "breaching"
    }

    web-acl-blocks = {
      description = "Very many requests come to the regional endpoint without the edge's key. Somebody goes around CloudFront, or the edge sends a key that this Region doesn't know: then users get 403s, and the key has to be rotated again."
      metrics = {
        blocked = { namespace = "AWS/WAFV2", name = "BlockedRequests", dimensions = { WebACL = aws_wafv2_web_acl.this.name, Region = var.region, Rule = "ALL" }, stat = "Sum" }
      }
      expression = "blocked"
      threshold  = 1000
      period     = 300
    }

    sign-in-failures = {
      description = "Half of all sign-ins fail. Somebody tries passwords, or the pool or the app's client was changed: users who are signed in go on for as long as their token lives."
      metrics = {
        successes = { namespace = "AWS/Cognito", name = "SignInSuccesses", dimensions = local.sign_in_dimensions, stat = "Sum" }
        attempts  = { namespace = "AWS/Cognito", name = "SignInSuccesses", dimensions = local.sign_in_dimensions, stat = "SampleCount" }
      }
      expression = "IF(attempts >= ${var.alarm_min_requests}, 1 - successes / attempts, 0)"
      threshold  = 0.5
      period     = 300
      periods    = 3
    }
  }

  # One for each route. All routes in one alarm, and the requests that tell whether
  # there are enough, would fill the ten metrics that an alarm may have: the
  # contract could get no further route. This way each counts its own, too.
  latency_alarms = {
    for key, route in local.user_routes : "latency-${trim(replace(lower(key), "/[^a-z0-9]+/", "-"), "-")}" => {
      description = "One in a hundred users' requests of ${key} takes longer than ${var.latency_objective_ms} ms. Look at the Region's dashboard: is it the function, the table, or waiting for a free function?"
      runbook     = "non-paging-alarms.md#latency"
      metrics = {
        for id, metric in { requests = { name = "Count", stat = "Sum" }, slow = { name = "Latency", stat = "p99" } } :
        id => merge(metric, {
          namespace  = "AWS/ApiGateway"
          dimensions = merge(local.stage_dimensions, { Resource = route.path, Method = route.method })
        })
      }
      expression = "IF(requests >= ${var.alarm_min_requests}, slow, 0)"
      threshold  = var.latency_objective_ms
      period     = 300
      periods    = 3
    }
  }

  # Those that make no sense here are left out.
  non_paging_alarms = merge(local.latency_alarms, {
    for key, alarm in local.non_paging_alarm_definitions :
    key => merge(alarm, { runbook = "non-paging-alarms.md#${key}" })
    if !(key == "function-concurrency" && var.reserved_concurrency <= 0) && !(key == "sign-in-failures" && !local.is_the_pools)
  })
}
