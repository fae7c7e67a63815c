# One Region's stack: REST API → Lambda → the Region's own replica of the table.
# Applied once in every Region, from the same contract, and reading nothing of
# the other Region, so that it can be applied when that one is gone.

locals {
  # The account and partition are the table's: one thing less to pass, and
  # nothing to ask AWS for while planning.
  partition  = provider::aws::arn_parse(var.table_arn).partition
  account_id = provider::aws::arn_parse(var.table_arn).account_id

  # Whose row says which Region may write (lambda/items/fence.py).
  standby_region = var.role == "standby" ? var.region : var.peer_region

  function_name = "${var.name}-api"
  alias_name    = "live"
  stage_name    = "live"

  region_domain_name = "${var.region}.${var.domain_name}"

  domain_names = {
    region = local.region_domain_name
    # Registered in every Region: DNS decides which of them answers.
    origin = "origin.${var.domain_name}"
  }
}

# The contract, read into what the gateway needs of it. Every resource of the
# REST API is made from these locals and from nothing else, which is why a hash
# of them is a fingerprint of what a deployment deploys.
locals {
  contract     = yamldecode(file(var.openapi_path))
  contract_dir = dirname(var.openapi_path)

  http_methods = ["get", "head", "put", "post", "delete", "patch"]

  operations = merge([
    for path, item in local.contract.paths : {
      for method, operation in item : "${upper(method)} ${path}" => {
        path      = path
        method    = upper(method)
        operation = operation
      } if contains(local.http_methods, method)
    }
  ]...)

  routes = {
    for key, route in local.operations : key => {
      path   = route.path
      method = route.method
      name   = try(route.operation.operationId, null)

      # Null means that the contract says nothing, which is refused below: a
      # route is public because somebody wrote so, never because nobody did.
      security = try(route.operation.security, local.contract.security, null)

      # OpenAPI lists alternatives, one of which is enough; so does the gateway.
      scopes = toset(flatten([
        for alternative in coalesce(try(route.operation.security, local.contract.security, null), []) :
        values(alternative)
      ]))

      # No header is required here: a REST API processes header names case-sensitively
      # (apigateway/latest/developerguide/api-gateway-known-issues.html), HTTP/2 clients
      # send lower case, and whether the validator tells the two apart is documented
      # nowhere. The function checks, whatever the case.
      parameters = {
        for parameter in try(route.operation.parameters, []) :
        "method.request.${local.parameter_locations[parameter.in]}.${parameter.name}" => parameter.in != "header" && try(parameter.required, false)
      }

      # Content type → schema file. A content type that is not in here passes
      # the gateway unchecked; the function refuses it with 415.
      schemas = {
        for content_type, media in try(route.operation.requestBody.content, {}) :
        content_type => media.schema["$ref"]
      }
    }
  }

  # Paths that anybody may ask for, whatever the method.
  public_paths = [
    for path in keys(local.contract.paths) : path if alltrue([
      for route in local.routes : route.security != null && length(route.scopes) == 0 if route.path == path
    ])
  ]

  # The paths that the health function serves, and whose requests are no users'.
  health_check_paths = toset([for path in keys(local.contract.paths) : path if startswith(path, "/health")])

  parameter_locations = {
    path   = "path"
    query  = "querystring"
    header = "header"
  }

  model_files = toset(flatten([for route in local.routes : values(route.schemas)]))

  # Schema file → the schema itself. Its title is the model's name.
  models = {
    for file in local.model_files : file => jsondecode(file("${local.contract_dir}/${file}"))
  }

  # Every prefix of every path is a resource: /v1/items/{id} is /v1, /v1/items
  # and /v1/items/{id}.
  resource_paths = toset(flatten([
    for path in keys(local.contract.paths) : [
      for depth in range(2, length(split("/", path)) + 1) :
      join("/", slice(split("/", path), 0, depth))
    ]
  ]))

  resource_paths_by_depth = {
    for depth in range(1, 4) : depth => toset([
      for path in local.resource_paths : path if length(split("/", path)) == depth + 1
    ])
  }

  deepest_path = max([for path in keys(local.contract.paths) : length(split("/", path)) - 1]...)
}
