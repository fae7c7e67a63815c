resource "aws_api_gateway_rest_api" "this" {
  # checkov:skip=CKV_AWS_237: Its name, domain names and log groups are one API's: a second beside the first would take them from it.
  name        = local.function_name
  description = "${local.contract.info.title}, ${var.role} in ${var.region}."

  disable_execute_api_endpoint = var.disable_execute_api_endpoint

  # Bytes from which an answer is compressed for callers that accept it. Here and
  # not at the edge, which would weaken the ETags.
  minimum_compression_size = local.minimum_compression_size

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    precondition {
      condition     = local.deepest_path <= 3
      error_message = "The contract has a path of ${local.deepest_path} segments. Terraform makes resources level by level and this module has three of them: add a level to api_gateway.tf."
    }

    precondition {
      condition     = alltrue([for route in local.routes : route.security != null])
      error_message = "The contract says nothing about the security of ${join(", ", [for key, route in local.routes : key if route.security == null])}. State its scopes, or `security: []` if everybody may call it."
    }

    precondition {
      condition     = length(local.public_paths) > 0
      error_message = "The contract opens no path to everybody, so that no health check gets into the Region. State `security: []` for what Route 53 asks for."
    }

    precondition {
      condition     = alltrue([for model in local.models : can(regex("^[A-Za-z0-9]+$", model.title))])
      error_message = "Every schema of a request body needs a title of letters and digits: it is the name of its model."
    }
  }
}

# One block for every level of the tree, since a resource can't refer to another
# of the same block.
resource "aws_api_gateway_resource" "level_1" {
  for_each = local.resource_paths_by_depth[1]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = basename(each.key)
}

resource "aws_api_gateway_resource" "level_2" {
  for_each = local.resource_paths_by_depth[2]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.level_1[dirname(each.key)].id
  path_part   = basename(each.key)
}

resource "aws_api_gateway_resource" "level_3" {
  for_each = local.resource_paths_by_depth[3]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.level_2[dirname(each.key)].id
  path_part   = basename(each.key)
}

locals {
  resource_ids = {
    for path, resource in merge(
      aws_api_gateway_resource.level_1,
      aws_api_gateway_resource.level_2,
      aws_api_gateway_resource.level_3,
    ) : path => resource.id
  }
}

resource "aws_api_gateway_authorizer" "cognito" {
  name            = "cognito"
  rest_api_id     = aws_api_gateway_rest_api.this.id
  type            = "COGNITO_USER_POOLS"
  provider_arns   = var.user_pool_arns
  identity_source = "method.request.header.Authorization"
}

resource "aws_api_gateway_request_validator" "this" {
  name                        = "body-and-parameters"
  rest_api_id                 = aws_api_gateway_rest_api.this.id
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_model" "body" {
  for_each = local.models

  rest_api_id  = aws_api_gateway_rest_api.this.id
  name         = each.value.title
  description  = try(each.value.description, null)
  content_type = "application/json"
  schema       = jsonencode(each.value)
}

resource "aws_api_gateway_method" "route" {
  for_each = local.routes

  rest_api_id    = aws_api_gateway_rest_api.this.id
  resource_id    = local.resource_ids[each.value.path]
  http_method    = each.value.method
  operation_name = each.value.name

  # With scopes, the authorizer takes access tokens; without any it would take
  # ID tokens, which say who somebody is and not what an app may do.
  authorization        = length(each.value.scopes) > 0 ? "COGNITO_USER_POOLS" : "NONE"
  authorizer_id        = length(each.value.scopes) > 0 ? aws_api_gateway_authorizer.cognito.id : null
  authorization_scopes = each.value.scopes

  request_validator_id = aws_api_gateway_request_validator.this.id
  request_parameters   = each.value.parameters
  request_models = {
    for content_type, file in each.value.schemas : content_type => aws_api_gateway_model.body[file].name
  }
}

resource "aws_api_gateway_integration" "route" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = local.resource_ids[each.value.path]
  http_method             = aws_api_gateway_method.route[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = contains(local.health_check_paths, each.value.path) ? aws_lambda_alias.health.invoke_arn : aws_lambda_alias.live.invoke_arn
}

locals {
  minimum_compression_size = "1024"

  # All that a deployment deploys, as configured. Ids are not in it: they say
  # when something was made, not what it is, and a provider that learns a new
  # attribute would otherwise deploy again for nothing.
  # Which kinds of change need a deployment: apigateway's updating-api, and for
  # compression api-gateway-enable-compression.
  deployed = {
    api = {
      disable_execute_api_endpoint = var.disable_execute_api_endpoint
      minimum_compression_size     = local.minimum_compression_size
    }
    contract = local.contract
    # And what is made of it, which a newer module may read otherwise.
    routes = local.routes
    models = local.models
    authorizer = {
      provider_arns   = sort(var.user_pool_arns)
      identity_source = "Authorization"
    }
    integrations = {
      for key, route in local.routes :
      key => contains(local.health_check_paths, route.path) ? local.health_function_name : local.function_name
    }
    gateway_responses = local.gateway_responses
    preflight         = { paths = local.preflights, passthrough = local.preflight_passthrough }
  }
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "Contract ${local.contract.info.version}"

  triggers = {
    deployed = sha1(jsonencode(local.deployed))
  }

  # A deployment is a copy of what stands there when it is made: everything has
  # to, and nothing may be taken away before the stage has moved on.
  #
  # Terraform then makes a new one of whatever stands in this list before it
  # deletes the old one, too. For a method or an integration, both would have the
  # same place and so be the same thing: an argument of theirs that forces a new
  # one has to be constant, as they are now, or to be part of the key.
  depends_on = [
    aws_api_gateway_authorizer.cognito,
    aws_api_gateway_gateway_response.this,
    aws_api_gateway_integration.preflight,
    aws_api_gateway_integration.route,
    aws_api_gateway_integration_response.preflight,
    aws_api_gateway_method.preflight,
    aws_api_gateway_method.route,
    aws_api_gateway_method_response.preflight,
    aws_api_gateway_model.body,
    aws_api_gateway_request_validator.this,
  ]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "live" {
  # checkov:skip=CKV_AWS_120: Each answer is its owner's, and has to be the item as it is now.
  # checkov:skip=CKV2_AWS_4: The execution log quotes what callers sent; off but for debugging (execution_log_level). The access log has each request.
  # checkov:skip=CKV2_AWS_51: A client certificate is what a gateway shows to an HTTP backend; Lambda's permission names this stage instead.
  # checkov:skip=CKV2_AWS_77: What gets in has passed the edge's web ACL, whose KnownBadInputs holds the Log4J rules.
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = local.stage_name
  description          = "What ${local.region_domain_name} serves."
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode(local.access_log_fields)
  }

  # A stage with logs is refused while the account has no role to write them
  # with, and without the permission every call would be a 500.
  depends_on = [
    aws_api_gateway_account.this,
    aws_lambda_permission.gateway,
    aws_lambda_permission.gateway_health,
  ]
}

# Of every method that has no settings of its own (health.tf). API Gateway throttles
# each method by itself: what all of them take together is bounded by the account's
# quota alone (api-gateway-request-throttling).
resource "aws_api_gateway_method_settings" "all" {
  # checkov:skip=CKV_AWS_225: Each answer is its owner's, and has to be the item as it is now.
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.live.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    throttling_rate_limit  = var.throttle_rate_limit
    throttling_burst_limit = var.throttle_burst_limit
    logging_level          = var.execution_log_level
    # Would log whole requests, tokens and items included.
    data_trace_enabled = false
  }

  depends_on = [aws_cloudwatch_log_group.execution]
}
