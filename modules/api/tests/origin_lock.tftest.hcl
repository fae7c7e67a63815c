# Who gets past the Region's web ACL.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "only_the_edges_key_and_health_get_in" {
  assert {
    condition     = length(aws_wafv2_web_acl.this.default_action[0].block) == 1
    error_message = "What no rule lets in must stay out."
  }

  assert {
    condition = toset([
      for statement in one([for rule in aws_wafv2_web_acl.this.rule : rule if rule.name == "origin-key"]).statement[0].or_statement[0].statement :
      nonsensitive(statement.byte_match_statement[0].search_string)
    ]) == toset(["11111111-1111-1111-1111-111111111111", "00000000-0000-0000-0000-000000000000"])
    error_message = "Both the current and the previous key must be let in, or a rotation refuses requests."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for statement in try(rule.statement[0].or_statement[0].statement, []) :
        statement.byte_match_statement[0].positional_constraint == "EXACTLY"
      ] if rule.name == "origin-key"
    ]))
    error_message = "A part of the key must not do."
  }

  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.this.rule : rule.name if length(rule.action[0].allow) == 1]) == toset(["health", "origin-key"])
    error_message = "Nothing else may be let in."
  }

  # What a checker asks for stands in modules/edge/route53.tf.
  assert {
    condition = {
      for rule in aws_wafv2_web_acl.this.rule : rule.name => toset([
        for statement in try(rule.statement[0].or_statement[0], rule.statement[0].rate_based_statement[0].scope_down_statement[0].or_statement[0]).statement :
        statement.byte_match_statement[0].search_string
      ]) if startswith(rule.name, "health")
      } == {
      for name in ["health", "health-rate-per-address"] : name => toset([
        "/health", "/health/ready", "/health/takeover", "/live/health", "/live/health/ready", "/live/health/takeover",
      ])
    }
    error_message = "The contract's public paths must be open, with and without the stage, and for the same requests both limited and let in."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for statement in flatten([
          [for or in rule.statement[0].or_statement : or.statement],
          [for rate in rule.statement[0].rate_based_statement : rate.scope_down_statement[0].or_statement[0].statement],
        ]) :
        statement.byte_match_statement[0].positional_constraint == "EXACTLY" && [for each in statement.byte_match_statement[0].text_transformation : each.type] == ["NONE"]
      ]
    ]))
    error_message = "A path that only begins like a public one, or that is another spelling of one, must not do."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == aws_api_gateway_stage.live.arn
    error_message = "The lock must be on the stage that serves."
  }
}

run "a_path_is_open_only_when_each_of_its_operations_is" {
  command = plan

  variables {
    openapi_path = "./tests/contracts/half_open/openapi.yaml"
  }

  assert {
    condition     = toset(local.unlocked_paths) == toset(["/open", "/live/open"])
    error_message = "What asks for a token in one method must not be open by another, nor what begins like an open path."
  }
}
