# Saved Logs Insights queries. A query asks one Region's groups; the edge's log is
# in us-east-1 alone and has a query of its own. `make trace` asks all of them.

locals {
  access_log   = aws_cloudwatch_log_group.access.name
  function_log = aws_cloudwatch_log_group.function.name
  health_log   = aws_cloudwatch_log_group.health.name

  queries = {
    "one request" = {
      groups = [local.access_log, local.function_log, local.health_log]
      query  = <<-QUERY
        # Put the id in: x-amz-apigw-id, x-amzn-requestid, x-amz-cf-id or the trace's, from the answer's headers.
        fields @timestamp, @log, httpMethod, resourcePath, status, responseType, integrationError, responseLatency, integrationLatency, message, method, route, reason, exception_name, duration_ms, extendedRequestId, extended_request_id, requestId, request_id, xrayTraceId, xray_trace_id, edge_request_id
        | filter extendedRequestId = "ID" or extended_request_id = "ID" or requestId = "ID" or request_id = "ID" or edge_request_id = "ID" or xrayTraceId like /ID/ or xray_trace_id = "ID"
        | sort @timestamp asc
        | limit 100
      QUERY
    }

    "slowest requests" = {
      groups = [local.access_log]
      query  = <<-QUERY
        fields @timestamp, httpMethod, resourcePath, status, responseLatency, integrationLatency, requestId, xrayTraceId
        | filter resourcePath not like /health/
        | sort responseLatency desc
        | limit 50
      QUERY
    }

    "errors by route" = {
      groups = [local.access_log]
      query  = <<-QUERY
        filter status >= 400 and resourcePath not like /health/
        | stats count(*) as requests by httpMethod, resourcePath, status, responseType
        | sort requests desc
      QUERY
    }

    "one user's journey" = {
      groups = [local.function_log]
      query  = <<-QUERY
        # The owner's hash, as it stands in each of their lines: it names nobody. It is the first
        # 16 digits of SHA-256 of the `sub` in the gateway's access log.
        fields @timestamp, method, route, status, duration_ms, request_id, edge_request_id, xray_trace_id
        | filter owner_hash = "HASH"
        | sort @timestamp asc
        | limit 200
      QUERY
    }
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.queries

  name            = "${var.name}/${var.region}/${each.key}"
  log_group_names = each.value.groups
  query_string    = each.value.query
}
