# What the gateway answers by itself, and what it tells browsers.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "every_refusal_is_a_problem" {
  command = plan

  # The variables that the gateway fills in, as it fills them in.
  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      can(jsondecode(replace(replace(response.response_templates["application/json"], "$context.error.messageString", "\"a \\\"quoted\\\" one\""), "$context.requestId", "00000000-0000-0000-0000-000000000000")))
    ])
    error_message = "A body isn't JSON."
  }

  assert {
    condition = alltrue(flatten([
      for response in aws_api_gateway_gateway_response.this : [
        for member in jsondecode(file("../../lambda/schemas/problem.json")).required :
        strcontains(response.response_templates["application/json"], "\"${member}\":")
      ]
    ]))
    error_message = "A body lacks a member that problem.json requires."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      [for status in regexall("\"status\":([^,]*),", response.response_templates["application/json"]) : status[0]] == [for status in response.status_code[*] : status]
    ])
    error_message = "A body's status isn't the response's."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      response.response_parameters["gatewayresponse.header.Content-Type"] == "'application/problem+json'" &&
      response.response_parameters["gatewayresponse.header.x-served-by"] == "'us-east-1'"
    ])
    error_message = "A response isn't application/problem+json, or doesn't say which Region it is from."
  }

  # Only a string that the gateway itself quotes may stand in a body unquoted,
  # and nothing of what a caller sent may stand in it at all.
  assert {
    condition = alltrue([
      for type, response in aws_api_gateway_gateway_response.this :
      toset(regexall("\\$context[.A-Za-z]+", response.response_templates["application/json"])) == toset(concat(["$context.requestId"], type == "BAD_REQUEST_PARAMETERS" ? ["$context.error.messageString"] : []))
    ])
    error_message = "A body is filled in with something else than the request id."
  }

  # The statuses are among those that the contract names somewhere.
  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      contains(flatten([
        for path, item in yamldecode(file(var.openapi_path)).paths : [
          for operation in item : keys(operation.responses)
        ]
      ]), response.status_code) if response.status_code != null
    ])
    error_message = "The gateway answers with a status that the contract doesn't know."
  }
}

run "both_defaults_are_covered" {
  command = plan

  assert {
    condition     = alltrue([for type in ["DEFAULT_4XX", "DEFAULT_5XX"] : contains(keys(aws_api_gateway_gateway_response.this), type)])
    error_message = "A refusal of a kind that nobody thought of would come in AWS's own format."
  }

  # Theirs would be that of every response without one of its own, whatever it is about.
  assert {
    condition = alltrue([
      for type, response in aws_api_gateway_gateway_response.this :
      (response.status_code == null) == contains(["DEFAULT_4XX", "DEFAULT_5XX"], type)
    ])
    error_message = "A default sets a status, or a response that isn't one leaves it open."
  }

  assert {
    condition     = !contains(keys(aws_api_gateway_gateway_response.this), "REQUEST_TOO_LARGE")
    error_message = "API Gateway customizes no 413: what is said here is said to nobody."
  }
}

run "no_browser_is_told_anything_by_default" {
  command = plan

  assert {
    condition     = length(aws_api_gateway_method.preflight) == 0
    error_message = "Preflights are answered though no origin is allowed."
  }

  assert {
    condition     = !anytrue([for response in aws_api_gateway_gateway_response.this : strcontains(jsonencode(response.response_parameters), "Access-Control")])
    error_message = "Refusals carry CORS headers though no origin is allowed."
  }
}

run "one_origin" {
  command = plan

  variables {
    allowed_origins = ["https://app.example.com"]
  }

  assert {
    condition     = toset(keys(aws_api_gateway_method.preflight)) == toset(keys(yamldecode(file(var.openapi_path)).paths))
    error_message = "A path has no preflight."
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.preflight : integration.passthrough_behavior == "NEVER"])
    error_message = "A Content-Type that no template is for must be a 415: a mock would answer 500."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.preflight : method.authorization == "NONE" && method.http_method == "OPTIONS"])
    error_message = "A preflight comes without a token."
  }

  assert {
    condition     = toset(split(",", trim(aws_api_gateway_integration_response.preflight["/v1/items"].response_parameters["method.response.header.Access-Control-Allow-Methods"], "'"))) == toset(["GET", "POST"])
    error_message = "A preflight allows other methods than the path has."
  }

  assert {
    condition = alltrue([
      for parameter in ["Idempotency-Key", "If-Match", "If-None-Match", "Authorization", "Content-Type"] :
      contains(split(",", trim(aws_api_gateway_integration_response.preflight["/v1/items/{id}"].response_parameters["method.response.header.Access-Control-Allow-Headers"], "'")), lower(parameter))
    ])
    error_message = "A header of the contract isn't allowed."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_integration_response.preflight : response.response_parameters["method.response.header.x-served-by"] == "'us-east-1'"])
    error_message = "A preflight doesn't say which Region answers."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_integration_response.preflight : response.response_parameters["method.response.header.Access-Control-Allow-Origin"] == "'https://app.example.com'"])
    error_message = "A preflight doesn't allow the origin."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_gateway_response.this : response.response_parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://app.example.com'"])
    error_message = "A page can't read why it was refused."
  }
}

run "several_origins" {
  command = plan

  variables {
    allowed_origins = ["https://app.example.com", "http://localhost:5173"]
  }

  # Compared whole: a prefix or a pattern would let https://app.example.com.evil.test in.
  assert {
    condition = alltrue([
      for origin in var.allowed_origins :
      alltrue([for response in aws_api_gateway_integration_response.preflight : strcontains(response.response_templates["application/json"], "$origin == \"${origin}\"")])
    ])
    error_message = "A preflight doesn't know one of the origins."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_integration_response.preflight : response.response_parameters["method.response.header.Vary"] == "'Origin'"])
    error_message = "An answer that depends on the origin has to say so."
  }

  assert {
    condition     = alltrue([for response in aws_api_gateway_gateway_response.this : response.response_parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"])
    error_message = "The second origin can't read why it was refused."
  }
}
