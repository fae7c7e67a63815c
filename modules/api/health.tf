# What Route 53 and operators ask is answered by a function of its own: the users'
# load, whatever it is, takes nothing away from it. A flood would look like a lost
# Region otherwise, and be moved to an equal standby, which it would flood as well.

locals {
  health_function_name = "${var.name}-health"

  # Of the operator's row (lambda/items/fence.py, drills/switch.py).
  switch_attributes = ["active", "changed_at", "next_at", "next_writer", "paused", "paused_at", "writer"]

  # Route → the name of the method in the stage's settings, where every slash of
  # the path is ~1 (UpdateStage's patch paths; GetStage gives it back the same way).
  health_methods = {
    for key, route in local.health_routes : key => "${replace(route.path, "/", "~1")}/${route.method}"
  }
}

resource "aws_lambda_function" "health" {
  # checkov:skip=CKV_AWS_116: Dead letters are of asynchronous calls; the gateway's wait for the answer.
  # checkov:skip=CKV_AWS_117: It reaches nothing but AWS's own endpoints, and nothing reaches it by the network; a VPC would add endpoints to pay for and to lose.
  # checkov:skip=CKV_AWS_173: No variable is a secret, and AWS's key encrypts them; a key of our own would be asked for at each cold start.
  function_name = local.health_function_name
  description   = "Health of the API's ${var.role} in ${var.region}."
  role          = aws_iam_role.health.arn

  filename         = var.package_path
  source_code_hash = filebase64sha256(var.package_path)
  handler          = "health_function.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]

  code_signing_config_arn = one(aws_lambda_code_signing_config.this[*].arn)

  # The same processor as the users': a checker waits two seconds, a cold start included.
  memory_size                    = var.function_memory_mb
  timeout                        = 3
  reserved_concurrent_executions = var.health_reserved_concurrency

  publish = true

  environment {
    variables = {
      TABLE_NAME                   = var.table_name
      ALLOWED_ORIGINS              = join(",", var.allowed_origins)
      POWERTOOLS_SERVICE_NAME      = "health"
      POWERTOOLS_METRICS_NAMESPACE = var.name
      POWERTOOLS_LOG_LEVEL         = var.log_level
      # Nobody follows a health check from call to call, and loading the tracer takes time.
      POWERTOOLS_TRACE_DISABLED = "true"
    }
  }

  tracing_config {
    mode = "PassThrough"
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.health.name
    application_log_level = var.log_level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = var.system_log_level
  }

  depends_on = [aws_iam_role_policy.health]
}

resource "aws_lambda_alias" "health" {
  name             = local.alias_name
  description      = "What the API's health routes call."
  function_name    = aws_lambda_function.health.function_name
  function_version = aws_lambda_function.health.version

  # As the users' function's: a release moves it.
  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_permission" "gateway_health" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.health.function_name
  qualifier     = aws_lambda_alias.health.name
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage_name}/*/health*"
}

resource "aws_cloudwatch_log_group" "health" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  name              = "/aws/lambda/${local.health_function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

# A method with settings of its own takes none from */*, so all of them are said again.
resource "aws_api_gateway_method_settings" "health" {
  # checkov:skip=CKV_AWS_225: A kept answer would say that a Region is well which isn't.
  for_each = local.health_methods

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.live.stage_name
  method_path = each.value

  settings {
    metrics_enabled        = true
    throttling_rate_limit  = var.health_throttle_rate_limit
    throttling_burst_limit = var.health_throttle_burst_limit
    logging_level          = var.execution_log_level
    data_trace_enabled     = false
  }

  depends_on = [aws_cloudwatch_log_group.execution]
}

resource "aws_iam_role" "health" {
  name                 = "${var.name}-${var.region}-health"
  description          = "The health function in ${var.region}."
  assume_role_policy   = local.lambda_trust
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "health" {
  name = "health"
  role = aws_iam_role.health.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The Region's own items: the probe's and the operator's switch. DynamoDB
        # gives this key for every operation that names an item
        # (specifying-conditions); were it missing, Null would refuse.
        Sid    = "RegionsOwnItems"
        Effect = "Allow"
        Action = [
          "dynamodb:GetItem",
          "dynamodb:UpdateItem",
        ]
        Resource = var.table_arn
        Condition = {
          "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["region#${var.region}"] }
          Null                        = { "dynamodb:LeadingKeys" = "false" }
        }
      },
      {
        # The switch, and who may write, are the operator's to say: every attribute of
        # that row. This function reads it.
        Sid       = "NotTheSwitch"
        Effect    = "Deny"
        Action    = "dynamodb:UpdateItem"
        Resource  = var.table_arn
        Condition = { "ForAnyValue:StringEquals" = { "dynamodb:Attributes" = local.switch_attributes } }
      },
      local.table_key_statement,
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ]
        Resource = "${aws_cloudwatch_log_group.health.arn}:log-stream:*"
      },
    ]
  })
}
