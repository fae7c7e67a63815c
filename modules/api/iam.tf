# IAM is global: its names carry the Region, so that every Region has its own.

locals {
  # Lambda, for this account. No aws:SourceArn: a role is made, and has to be
  # assumable, before the function that it is for; Lambda's guide states a trust
  # without it (lambda-intro-execution-role), and a role can't be passed across
  # accounts anyhow.
  lambda_trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaOfThisAccount"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })

  # DynamoDB decrypts the table's key in the caller's name, for reads and writes
  # alike. Everything else it does with the key, it does by the grant that it was
  # given when the table was made.
  table_key_statement = {
    Sid       = "TableKey"
    Effect    = "Allow"
    Action    = "kms:Decrypt"
    Resource  = var.kms_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${var.region}.amazonaws.com" } }
  }
}

# What the users' function may do: what its code calls, on what it calls it on. The
# health function's role is in health.tf.
resource "aws_iam_role" "function" {
  name                 = "${var.name}-${var.region}-function"
  description          = "The API's function in ${var.region}."
  assume_role_policy   = local.lambda_trust
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "function" {
  name = "function"
  role = aws_iam_role.function.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Items"
        Effect = "Allow"
        Action = [
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
        ]
        Resource = var.table_arn
      },
      {
        # DELETE /v1/me removes items for good, deleted ones too, which
        # stand in no index; a count of an owner's items is made the same way.
        Sid    = "OwnersItems"
        Effect = "Allow"
        Action = [
          "dynamodb:BatchWriteItem",
          "dynamodb:Query",
        ]
        Resource = var.table_arn
      },
      {
        # What isn't an owner's, the probe's item and the operator's switch, is
        # written by others: users' requests move no users. A batch is refused for
        # one key in it that is none.
        Sid    = "NothingButOwnersItems"
        Effect = "Deny"
        Action = [
          "dynamodb:BatchWriteItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
        ]
        Resource  = var.table_arn
        Condition = { "ForAnyValue:StringNotLike" = { "dynamodb:LeadingKeys" = ["user#*"] } }
      },
      {
        # Which accounts' items are a new account's is an operator's word. Were
        # it the function's to write, whoever takes it over could read them all.
        Sid    = "NotTheOperatorsWord"
        Effect = "Deny"
        Action = [
          "dynamodb:BatchWriteItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
        ]
        Resource  = var.table_arn
        Condition = { "ForAnyValue:StringEquals" = { "dynamodb:Attributes" = ["accepted_subs"] } }
      },
      {
        Sid    = "Lists"
        Effect = "Allow"
        Action = "dynamodb:Query"
        Resource = [
          "${var.table_arn}/index/${var.index_names.created}",
          "${var.table_arn}/index/${var.index_names.status}",
        ]
      },
      local.table_key_statement,
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ]
        Resource = "${aws_cloudwatch_log_group.function.arn}:log-stream:*"
      },
      {
        Sid    = "Traces"
        Effect = "Allow"
        Action = [
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        # X-Ray knows no resource for either.
        Resource = "*"
      },
    ]
  })
}

# What API Gateway writes its logs with, for every REST API of the account in
# this Region. It checks the role for the permissions of AWS's own policy, which
# is therefore the one to attach.
resource "aws_iam_role" "gateway_logs" {
  count = var.manage_gateway_account ? 1 : 0

  name                 = "${var.name}-${var.region}-gateway-logs"
  description          = "API Gateway's logs in ${var.region}."
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "gateway_logs" {
  count = var.manage_gateway_account ? 1 : 0

  role       = aws_iam_role.gateway_logs[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}
