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

  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == aws_api_gateway_stage.live.arn
    error_message = "The lock must be on the stage that serves."
  }
}
