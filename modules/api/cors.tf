# Preflights, answered by the gateway itself: a browser sends them without a
# token. None of this exists while no origin is allowed.

locals {
  preflights = length(var.allowed_origins) == 0 ? {} : {
    for path, item in local.contract.paths : path => {
      headers = {
        Access-Control-Allow-Origin = "'${var.allowed_origins[0]}'"
        Access-Control-Allow-Methods = "'${join(",", [
          for key, route in local.routes : route.method if route.path == path
        ])}'"
        Access-Control-Allow-Headers = "'${join(",", local.contract["x-cors"].allow_headers)}'"
        Access-Control-Max-Age       = "'${local.contract["x-cors"].max_age_seconds}'"
        Vary                         = "'Origin'"
        x-served-by                  = "'${var.region}'"
      }
      templates = length(var.allowed_origins) == 1 ? {} : { "application/json" = local.preflight_template }
    }
  }

  preflight_passthrough = "NEVER"

  # A mapped header has one value. With more than one origin, the template puts
  # the caller's in its place if it is allowed; any other sees the first, which
  # isn't its own.
  preflight_template = join("\n", [
    "#set($origin = $input.params().header.get(\"Origin\"))",
    "#if(!$origin) #set($origin = $input.params().header.get(\"origin\")) #end",
    "#if(${join(" || ", [for origin in var.allowed_origins : "$origin == \"${origin}\""])})",
    "#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)",
    "#end",
  ])
}

resource "aws_api_gateway_method" "preflight" {
  # checkov:skip=CKV2_AWS_53: The gateway answers a preflight itself, with nothing of what was sent but an Origin that it compares.
  for_each = local.preflights

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = local.resource_ids[each.key]
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "preflight" {
  for_each = local.preflights

  rest_api_id       = aws_api_gateway_rest_api.this.id
  resource_id       = local.resource_ids[each.key]
  http_method       = aws_api_gateway_method.preflight[each.key].http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 204 }) }

  # A preflight has no Content-Type, which counts as application/json. Any other would
  # get past the template, to a mock that finds no status in it: a 500 for whoever asks.
  passthrough_behavior = local.preflight_passthrough
}

resource "aws_api_gateway_method_response" "preflight" {
  for_each = local.preflights

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = local.resource_ids[each.key]
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  status_code = "204"

  response_parameters = {
    for header in keys(each.value.headers) : "method.response.header.${header}" => true
  }
}

resource "aws_api_gateway_integration_response" "preflight" {
  for_each = local.preflights

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = local.resource_ids[each.key]
  http_method = aws_api_gateway_integration.preflight[each.key].http_method
  status_code = aws_api_gateway_method_response.preflight[each.key].status_code

  response_parameters = {
    for header, value in each.value.headers : "method.response.header.${header}" => value
  }
  response_templates = each.value.templates
}
