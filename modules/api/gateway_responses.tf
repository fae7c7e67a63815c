# What the gateway answers when it refuses a request by itself: the same
# application/problem+json (RFC 9457) as the function's, see schemas/problem.json.

locals {
  # Every type that can be is stated, so that the two defaults are left with what
  # has no type of its own. One type can't be changed: REQUEST_TOO_LARGE stays
  # AWS's own (api-gateway-known-issues, "413: REQUEST_TOO_LARGE").
  problems = {
    # These two set no status: it would be that of every response that isn't stated
    # here (supported-gateway-response-types), a 413 among them. So the body can't
    # say it, and has a type of its own in place of about:blank.
    DEFAULT_4XX = {
      # What is left are mostly requests to a route that isn't there whose
      # Authorization header, where no authorizer reads it, is taken for an AWS
      # signature and found wanting: a 403.
      type   = "/problems/refused"
      title  = "Refused"
      detail = "The gateway doesn't take this. Most likely there is no such route, or it can't be called like this: check path and method against the API's description."
    }
    DEFAULT_5XX = {
      type   = "/problems/gateway-failure"
      title  = "Gateway failure"
      detail = "A fault of ours. Try again; a request that changes something may have done so. If it stays, report the request id."
    }
    ACCESS_DENIED = {
      status = 403
      title  = "Forbidden"
      detail = "The access token is valid, and doesn't allow this. Sign in again with the scope that the operation needs."
    }
    API_CONFIGURATION_ERROR = {
      status = 500
      title  = "Internal Server Error"
      detail = "A fault of ours: the API is set up wrongly. Report the request id."
    }
    AUTHORIZER_CONFIGURATION_ERROR = {
      status = 500
      title  = "Internal Server Error"
      detail = "A fault of ours: the access token can't be checked. Report the request id."
    }
    AUTHORIZER_FAILURE = {
      status = 500
      title  = "Internal Server Error"
      detail = "The access token couldn't be checked. Try again; if it stays, report the request id."
    }
    BAD_REQUEST_BODY = {
      status = 400
      title  = "Bad Request"
      detail = "The body is not JSON, or doesn't fit the operation's schema: check its fields, their types and lengths against the API's description."
    }
    BAD_REQUEST_PARAMETERS = {
      status = 400
      title  = "Bad Request"
      # Names the parameters that are missing. Quoted and escaped by the
      # gateway, and none of it comes from the request.
      raw_detail = "$context.error.messageString"
    }
    EXPIRED_TOKEN = {
      status = 401
      title  = "Unauthorized"
      detail = "The access token has expired. Refresh it, and try again."
    }
    INTEGRATION_FAILURE = {
      status = 503
      title  = "Service Unavailable"
      detail = "No answer came in time. A request that changes something may have done so: repeat a create with the same Idempotency-Key, and read an item before you change it again."
    }
    INTEGRATION_TIMEOUT = {
      status = 503
      title  = "Service Unavailable"
      detail = "No answer came in time. A request that changes something may have done so: repeat a create with the same Idempotency-Key, and read an item before you change it again."
    }
    INVALID_API_KEY = {
      status = 403
      title  = "Forbidden"
      detail = "The API takes no API keys. Send an access token as Bearer in the Authorization header."
    }
    INVALID_SIGNATURE = {
      status = 403
      title  = "Forbidden"
      detail = "The API takes no AWS signatures. Send an access token as Bearer in the Authorization header."
    }
    MISSING_AUTHENTICATION_TOKEN = {
      # In spite of its name, what a route that isn't there gets (with AWS's own
      # 403): a missing access token is UNAUTHORIZED.
      status = 404
      title  = "Not Found"
      detail = "There is no such route, or not with this method. Check both against the API's description."
    }
    QUOTA_EXCEEDED = {
      status = 429
      title  = "Too Many Requests"
      detail = "The quota is used up. Try again later."
    }
    RESOURCE_NOT_FOUND = {
      status = 404
      title  = "Not Found"
      detail = "There is no such route. Check the path against the API's description."
    }
    THROTTLED = {
      status = 429
      title  = "Too Many Requests"
      detail = "The API is getting more requests than it takes. Wait for as long as Retry-After says, and longer each time that it happens again."
    }
    UNAUTHORIZED = {
      status = 401
      title  = "Unauthorized"
      detail = "There is no access token, or it is expired, revoked, of another app or without the scope that the operation needs. Sign in or refresh, and send the access token as Bearer in the Authorization header."
    }
    UNSUPPORTED_MEDIA_TYPE = {
      status = 415
      title  = "Unsupported Media Type"
      detail = "The operation doesn't take this Content-Type. Send application/json."
    }
    WAF_FILTERED = {
      status = 403
      title  = "Forbidden"
      detail = "The request was filtered out. Call the API by its public name; if you do, report the request id."
    }
  }

  # Seconds after which it is worth trying again.
  retry_after = {
    THROTTLED           = 1
    INTEGRATION_FAILURE = 2
    INTEGRATION_TIMEOUT = 2
  }

  challenged = ["UNAUTHORIZED", "EXPIRED_TOKEN"]

  # A gateway response can't choose among origins. With more than one, any page
  # may read it, which is safe: it holds nothing of the caller's, and browsers
  # send no credentials along by themselves.
  problem_cors_headers = length(var.allowed_origins) == 0 ? {} : {
    Access-Control-Allow-Origin   = length(var.allowed_origins) == 1 ? "'${var.allowed_origins[0]}'" : "'*'"
    Access-Control-Expose-Headers = "'${join(",", local.contract["x-cors"].expose_headers)}'"
  }

  gateway_responses = {
    for type, problem in local.problems : type => {
      status_code = try(tostring(problem.status), null)

      parameters = {
        for header, value in merge(
          {
            Content-Type  = "'application/problem+json'"
            Cache-Control = "'no-store'"
            x-request-id  = "context.requestId"
            x-served-by   = "'${var.region}'"
          },
          local.problem_cors_headers,
          contains(local.challenged, type) ? { WWW-Authenticate = "'Bearer'" } : {},
          contains(keys(local.retry_after), type) ? { Retry-After = "'${local.retry_after[type]}'" } : {},
        ) : "gatewayresponse.header.${header}" => value
      }

      # The gateway fills in what is in here by plain replacement. A request id
      # has nothing to escape; everything else that isn't ours comes quoted.
      template = join("", [
        "{\"type\":${jsonencode(try(problem.type, "about:blank"))}",
        ",\"title\":${jsonencode(problem.title)}",
        try(",\"status\":${problem.status}", ""),
        ",\"detail\":${try(problem.raw_detail, jsonencode(problem.detail))}",
        ",\"request_id\":\"$context.requestId\"}",
      ])
    }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.gateway_responses

  rest_api_id         = aws_api_gateway_rest_api.this.id
  response_type       = each.key
  status_code         = each.value.status_code
  response_parameters = each.value.parameters

  # Taken for every request, whatever it accepts; the header above names the
  # type that it really is.
  response_templates = { "application/json" = each.value.template }
}
