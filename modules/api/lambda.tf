resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116: Dead letters are of asynchronous calls; the gateway's wait for the answer.
  # checkov:skip=CKV_AWS_117: It reaches nothing but AWS's own endpoints, and nothing reaches it by the network; a VPC would add endpoints to pay for and to lose.
  # checkov:skip=CKV_AWS_173: No variable is a secret, and AWS's key encrypts them; a key of our own would be asked for at each cold start.
  function_name = local.function_name
  description   = "The API's ${var.role} in ${var.region}."
  role          = aws_iam_role.function.arn

  filename         = var.package_path
  source_code_hash = filebase64sha256(var.package_path)
  handler          = "lambda_function.handler"
  runtime          = var.runtime
  architectures    = [var.architecture]

  code_signing_config_arn = one(aws_lambda_code_signing_config.this[*].arn)

  memory_size                    = var.function_memory_mb
  timeout                        = var.function_timeout_seconds
  reserved_concurrent_executions = var.reserved_concurrency

  # Every change is a version of its own, which serves nobody yet.
  publish = true

  environment {
    variables = {
      TABLE_NAME                   = var.table_name
      ALLOWED_ORIGINS              = join(",", var.allowed_origins)
      CLIENT_IDS                   = join(",", var.user_pool_client_ids)
      MAX_ITEMS_PER_OWNER          = tostring(var.max_items_per_owner)
      STANDBY_REGION               = local.standby_region
      POWERTOOLS_SERVICE_NAME      = "items"
      POWERTOOLS_METRICS_NAMESPACE = var.name
      POWERTOOLS_LOG_LEVEL         = var.log_level
    }
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
    # Lambda drops what is below its own level, and takes a line that states
    # none, such as a metric, for INFO. So it never filters above that: what the
    # function logs is for log_level to say.
    application_log_level = var.log_level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = var.system_log_level
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  # Otherwise the first calls could come before they may read or log.
  depends_on = [aws_iam_role_policy.function]
}

# Who may deploy may still deploy only what a release has signed.
resource "aws_lambda_code_signing_config" "this" {
  count = length(var.signing_profile_version_arns) == 0 ? 0 : 1

  description = "Packages of ${var.name}"

  allowed_publishers {
    signing_profile_version_arns = var.signing_profile_version_arns
  }

  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}

resource "aws_lambda_alias" "live" {
  name             = local.alias_name
  description      = "What the API calls."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  # The first version serves as soon as it is there. A later one serves once it
  # has shown that it can, and it is not for an apply to judge: live/_units/api.hcl
  # calls releases/ after each, which moves the alias, by weights or at once.
  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

# This API's own stage and no other, the console's test calls included.
resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.this.function_name
  qualifier     = aws_lambda_alias.live.name
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${local.stage_name}/*/*"
}
