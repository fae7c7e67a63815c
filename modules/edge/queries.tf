# Saved Logs Insights queries of the edge's log, which is in us-east-1.

locals {
  queries = {
    "one request" = <<-QUERY
      # Put the id in: x-amz-cf-id, from the answer's headers.
      filter `x-edge-request-id` = "ID"
      | display `date`, `time`, `cs-method`, `cs-uri-stem`, `sc-status`, `x-edge-detailed-result-type`, `time-taken`, `time-to-first-byte`, `x-edge-request-id`
      | limit 10
    QUERY

    "errors by code" = <<-QUERY
      filter `sc-status` >= 400
      | stats count(*) as requests by `cs-method`, `sc-status`, `x-edge-detailed-result-type`
      | sort requests desc
    QUERY
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  provider = aws.us_east_1
  for_each = local.queries

  name            = "${var.name}/edge/${each.key}"
  log_group_names = [aws_cloudwatch_log_group.access.name]
  query_string    = each.value
}
