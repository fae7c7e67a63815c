# CloudFront's standard logging v2, which delivers to CloudWatch Logs, so that
# one query follows a request from the edge to the table. Its log group, source
# and delivery can only be in us-east-1.

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  provider = aws.us_east_1

  name              = "/${var.name}/edge/access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  provider = aws.us_east_1

  name         = "${var.name}-edge-access"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  provider = aws.us_east_1

  name          = "${var.name}-edge-access"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = aws_cloudwatch_log_group.access.arn
  }
}

resource "aws_cloudwatch_log_delivery" "access" {
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.access.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access.arn
}
