# Which resolver asked for which name, where the account asks for it. Route 53 writes it in us-east-1
# alone (query-logs).

resource "aws_cloudwatch_log_group" "queries" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  count = var.query_logs ? 1 : 0

  provider = aws.us_east_1

  name              = "/aws/route53/${var.domain_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.edge_log_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "queries" {
  count = var.query_logs ? 1 : 0

  provider = aws.us_east_1

  policy_name = "${var.name}-dns-queries"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Route53WritesQueries"
      Effect    = "Allow"
      Principal = { Service = "route53.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.queries[0].arn}:*"
      Condition = local.from_this_accounts_zones
    }]
  })
}

resource "aws_route53_query_log" "this" {
  count = var.query_logs ? 1 : 0

  zone_id                  = local.zone_id
  cloudwatch_log_group_arn = aws_cloudwatch_log_group.queries[0].arn

  # Route 53 writes a first stream to see whether it may.
  depends_on = [aws_cloudwatch_log_resource_policy.queries]
}
