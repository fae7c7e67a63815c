# The gateway serves what the contract says: all of it, and nothing else.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "every_route_is_served" {
  command = plan

  assert {
    condition = toset(keys(aws_api_gateway_method.route)) == toset(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method in keys(item) : "${upper(method)} ${path}"
      ]
    ]))
    error_message = "The methods are not the contract's operations."
  }

  assert {
    condition     = keys(aws_api_gateway_integration.route) == keys(aws_api_gateway_method.route)
    error_message = "A method without an integration can't be deployed."
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.route : integration.type == "AWS_PROXY" && integration.integration_http_method == "POST"])
    error_message = "The function is called as a proxy, and Lambda takes POST only, whatever the method."
  }

  assert {
    condition     = alltrue([for key, method in aws_api_gateway_method.route : split(" ", key)[0] == method.http_method])
    error_message = "A method's HTTP method isn't its route's."
  }

  assert {
    condition = alltrue([
      for path in keys(yamldecode(file(var.openapi_path)).paths) :
      contains(keys(merge(aws_api_gateway_resource.level_1, aws_api_gateway_resource.level_2, aws_api_gateway_resource.level_3)), path)
    ])
    error_message = "A path of the contract has no resource."
  }

  assert {
    condition     = alltrue([for path in ["/health", "/health/ready", "/health/takeover"] : contains(keys(aws_api_gateway_method.route), "HEAD ${path}")])
    error_message = "An uptime monitor that sends HEAD is told that there is no such route."
  }
}

run "signed_in_or_public_as_the_contract_says" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method, operation in item :
        aws_api_gateway_method.route["${upper(method)} ${path}"].authorization == (length(operation.security) > 0 ? "COGNITO_USER_POOLS" : "NONE")
      ]
    ]))
    error_message = "A route isn't public or signed-in as the contract says."
  }

  assert {
    condition = alltrue(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method, operation in item :
        try(sort(aws_api_gateway_method.route["${upper(method)} ${path}"].authorization_scopes), []) == sort(flatten([for alternative in operation.security : values(alternative)]))
      ]
    ]))
    error_message = "A route's scopes are not the contract's."
  }

  # Without scopes the authorizer would take ID tokens.
  assert {
    condition     = alltrue([for method in aws_api_gateway_method.route : method.authorization == "NONE" || length(method.authorization_scopes) > 0])
    error_message = "A signed-in route has no scopes."
  }

  assert {
    condition     = alltrue([for key, method in aws_api_gateway_method.route : strcontains(key, " /health") == (method.authorization == "NONE")])
    error_message = "The health checks, and nothing else, are public."
  }

  assert {
    condition     = alltrue([for key, method in aws_api_gateway_method.route : contains(method.authorization_scopes, startswith(key, "GET ") ? "items/read" : "items/write") if !strcontains(key, " /health")])
    error_message = "Reading takes items/read and changing takes items/write."
  }
}

run "requests_are_checked_before_the_function" {
  command = apply

  assert {
    condition     = aws_api_gateway_request_validator.this.validate_request_body && aws_api_gateway_request_validator.this.validate_request_parameters
    error_message = "The validator checks bodies and parameters."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.route : method.request_validator_id == aws_api_gateway_request_validator.this.id])
    error_message = "A method has no validator."
  }

  assert {
    condition = alltrue(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method, operation in item :
        join(",", try(keys(aws_api_gateway_method.route["${upper(method)} ${path}"].request_models), [])) == join(",", try(keys(operation.requestBody.content), []))
      ]
    ]))
    error_message = "A method doesn't have a model for each of its content types."
  }

  assert {
    condition = alltrue(flatten([
      for path, item in yamldecode(file(var.openapi_path)).paths : [
        for method, operation in item : [
          for content_type, media in try(operation.requestBody.content, {}) :
          jsondecode(one([
            for model in aws_api_gateway_model.body : model.schema
            if model.name == aws_api_gateway_method.route["${upper(method)} ${path}"].request_models[content_type]
          ])) == jsondecode(file("${dirname(var.openapi_path)}/${media.schema["$ref"]}"))
        ]
      ]
    ]))
    error_message = "A model isn't the schema that the contract names."
  }

  # Which case the gateway's validator finds a name in is unknown; the contract
  # says what is required, and the function checks.
  assert {
    condition = alltrue(flatten([
      for method in aws_api_gateway_method.route : [
        for name, required in method.request_parameters : !required if startswith(name, "method.request.header.")
      ]
    ]))
    error_message = "The gateway requires a header, which it may look for in another case than it was sent in."
  }

  assert {
    condition     = contains(keys(aws_api_gateway_method.route["POST /v1/items"].request_parameters), "method.request.header.Idempotency-Key")
    error_message = "A header of the contract's isn't among the method's parameters."
  }

  assert {
    condition     = toset(keys(aws_api_gateway_method.route["PATCH /v1/items/{id}"].request_models)) == toset(["application/json", "application/merge-patch+json"])
    error_message = "A merge patch comes under either content type."
  }
}

run "parameters_are_read_from_wherever_they_stand" {
  command = plan

  variables {
    openapi_path = "./tests/contracts/base/openapi.yaml"
  }

  assert {
    condition = aws_api_gateway_method.route["PUT /a/{id}"].request_parameters == tomap({
      "method.request.path.id"          = true
      "method.request.header.If-Match"  = false
      "method.request.header.Once"      = false
      "method.request.querystring.view" = false
    })
    error_message = "Path, header and query parameters aren't passed on as the contract has them, headers never as required."
  }
}

run "a_route_that_says_nothing_of_its_security_is_refused" {
  command = plan

  variables {
    openapi_path = "./tests/contracts/unsaid_security/openapi.yaml"
  }

  expect_failures = [aws_api_gateway_rest_api.this]
}

run "a_path_too_deep_is_refused" {
  command = plan

  variables {
    openapi_path = "./tests/contracts/too_deep/openapi.yaml"
  }

  expect_failures = [aws_api_gateway_rest_api.this]
}

run "a_schema_without_a_name_is_refused" {
  command = plan

  variables {
    openapi_path = "./tests/contracts/untitled_schema/openapi.yaml"
  }

  expect_failures = [aws_api_gateway_rest_api.this]
}
