# Made before the function, which would otherwise make it itself on its first
# call, without a retention.
resource "aws_cloudwatch_log_group" "function" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338: How long logs are kept is the account's to say (log_retention_days): 365 days in prod.
  name              = "/aws/apigateway/${local.function_name}/access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

# The gateway makes this one by itself as well, under a name that can't be
# set and without a retention.
resource "aws_cloudwatch_log_group" "execution" {
  count = var.execution_log_level == "OFF" ? 0 : 1

  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${local.stage_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

# One per account and Region, shared by every REST API in it.
resource "aws_api_gateway_account" "this" {
  count = var.manage_gateway_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.gateway_logs[0].arn

  depends_on = [aws_iam_role_policy_attachment.gateway_logs]
}

locals {
  # A line of JSON for every request. None of these values is the caller's to
  # choose: the gateway doesn't say that it escapes them, so a quote in a user
  # agent could forge a field. Its error messages are left out too, as they can
  # quote what was sent, tokens included; the response type tells as much.
  #
  # Two are AWS's only for who comes by the edge, which drops the headers that set
  # them: requestId and xrayTraceId, each of which has a form that holds no quote.
  # So lines are joined by extendedRequestId, which no caller can set
  # (set-up-logging). Request headers can't be logged here: CloudFront's request id
  # stands in the function's log and in the trace.
  access_log_fields = {
    requestId          = "$context.requestId"
    extendedRequestId  = "$context.extendedRequestId"
    xrayTraceId        = "$context.xrayTraceId"
    requestTimeEpoch   = "$context.requestTimeEpoch"
    region             = var.region
    apiId              = "$context.apiId"
    stage              = "$context.stage"
    domainName         = "$context.domainName"
    protocol           = "$context.protocol"
    httpMethod         = "$context.httpMethod"
    resourcePath       = "$context.resourcePath"
    status             = "$context.status"
    responseType       = "$context.error.responseType"
    responseLength     = "$context.responseLength"
    responseLatency    = "$context.responseLatency"
    integrationLatency = "$context.integration.latency"
    integrationStatus  = "$context.integration.integrationStatus"
    functionRequestId  = "$context.integration.requestId"
    functionStatus     = "$context.integration.status"
    integrationError   = "$context.integration.error"
    authorizerStatus   = "$context.authorizer.status"
    authorizerError    = "$context.authorizer.error"
    authorizerLatency  = "$context.authorizer.latency"
    sub                = "$context.authorizer.claims.sub"
    wafStatus          = "$context.waf.status"
    wafError           = "$context.waf.error"
    sourceIp           = "$context.identity.sourceIp"
  }
}
