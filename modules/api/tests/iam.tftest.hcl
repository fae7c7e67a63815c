# What the function's role may do, and who may be it.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Each told apart from the others, whose ARN is the mock's.
override_resource {
  target = aws_cloudwatch_log_group.function
  values = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:/function" }
}

override_resource {
  target = aws_cloudwatch_log_group.health
  values = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:/health" }
}

run "the_function_may_do_what_its_code_does_and_no_more" {
  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Action if statement.Effect == "Allow"])) == toset([
      "dynamodb:BatchWriteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:Query",
      "kms:Decrypt",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "xray:PutTelemetryRecords",
      "xray:PutTraceSegments",
    ])
    error_message = "The role's actions are not those that the code calls."
  }

  # Every action that writes, and the one attribute by which an operator says whose items are whose.
  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement if statement.Sid == "NotTheOperatorsWord"]) == {
      Sid       = "NotTheOperatorsWord"
      Effect    = "Deny"
      Action    = ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      Resource  = var.table_arn
      Condition = { "ForAnyValue:StringEquals" = { "dynamodb:Attributes" = ["accepted_subs"] } }
    }
    error_message = "The function may write which accounts' items are whose."
  }

  # The probe's item and the operator's switch among them; a batch for one key in it.
  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement if statement.Sid == "NothingButOwnersItems"]) == {
      Sid       = "NothingButOwnersItems"
      Effect    = "Deny"
      Action    = ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      Resource  = var.table_arn
      Condition = { "ForAnyValue:StringNotLike" = { "dynamodb:LeadingKeys" = ["user#*"] } }
    }
    error_message = "The users' function may write what isn't an owner's."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : !strcontains(join(" ", flatten([statement.Action])), "*")])
    error_message = "An action is a wildcard."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement :
      !contains(flatten([statement.Resource]), "*") || alltrue([for action in flatten([statement.Action]) : startswith(action, "xray:")])
    ])
    error_message = "Something else than X-Ray has every resource."
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : [
        for resource in flatten([statement.Resource]) :
        contains([var.table_arn, "${var.table_arn}/index/by_created", "${var.table_arn}/index/by_status"], resource)
      ] if startswith(flatten([statement.Action])[0], "dynamodb:")
    ]))
    error_message = "The role reaches data other than this Region's table and its two indexes."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement :
      statement.Resource == var.kms_key_arn && statement.Condition.StringEquals["kms:ViaService"] == "dynamodb.us-east-1.amazonaws.com"
      if flatten([statement.Action])[0] == "kms:Decrypt"
    ])
    error_message = "The key is usable for something else than the table, or is another key."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function.policy).Statement : statement.Resource if statement.Sid == "Logs"]) == "${aws_cloudwatch_log_group.function.arn}:log-stream:*"
    error_message = "The role writes other logs than its own."
  }
}

run "each_function_has_its_own_rights_and_its_own_log" {
  assert {
    condition     = [aws_iam_role_policy.function.role, aws_iam_role_policy.health.role] == [aws_iam_role.function.id, aws_iam_role.health.id] && aws_iam_role.function.id != aws_iam_role.health.id
    error_message = "A function has the other's rights: users' requests could turn the switch."
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.health.policy).Statement : statement.Resource if statement.Sid == "Logs"]) == "${aws_cloudwatch_log_group.health.arn}:log-stream:*"
    error_message = "The health function can't write its own log."
  }
}

run "only_lambda_of_this_account_may_be_a_functions_role" {
  # No function's ARN: CreateFunction is refused for a role that Lambda can't assume, and
  # nobody documents that it can when only a function that isn't there yet may.
  assert {
    condition = alltrue([
      for role in [aws_iam_role.function, aws_iam_role.health] :
      one(jsondecode(role.assume_role_policy).Statement) == {
        Sid       = "LambdaOfThisAccount"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = "111111111111" } }
      }
    ])
    error_message = "Somebody else than Lambda may be a function's role, or Lambda for another account, or not for a new function."
  }
}

run "only_this_stage_may_call_the_function" {
  assert {
    condition     = aws_lambda_permission.gateway.principal == "apigateway.amazonaws.com" && aws_lambda_permission.gateway.function_name == aws_lambda_function.this.function_name && aws_lambda_permission.gateway.qualifier == aws_lambda_alias.live.name
    error_message = "The permission is not the gateway's, or not for the function's alias."
  }

  assert {
    condition     = aws_lambda_permission.gateway.source_arn == "${aws_api_gateway_rest_api.this.execution_arn}/${aws_api_gateway_stage.live.stage_name}/*/*"
    error_message = "Another API or stage may call the function."
  }
}

# IAM knows no Regions: the same name in both would be one role that two stacks fight over.
run "names_of_roles_carry_the_region" {
  assert {
    condition     = alltrue([for role in [aws_iam_role.function, aws_iam_role.health, one(aws_iam_role.gateway_logs)] : strcontains(role.name, "us-east-1") && length(role.name) <= 64])
    error_message = "A role's name doesn't carry the Region, or is too long."
  }
}

run "the_account_setting_may_belong_to_somebody_else" {
  variables {
    manage_gateway_account = false
  }

  assert {
    condition     = length(aws_api_gateway_account.this) + length(aws_iam_role.gateway_logs) + length(aws_iam_role_policy_attachment.gateway_logs) == 0
    error_message = "The account's setting is made though it isn't ours."
  }
}

run "every_role_has_the_boundary_that_an_account_sets" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::111111111111:policy/landing-test-boundary"
  }

  assert {
    condition = toset([
      aws_iam_role.function.permissions_boundary,
      aws_iam_role.health.permissions_boundary,
      aws_iam_role.gateway_logs[0].permissions_boundary,
    ]) == toset(["arn:aws:iam::111111111111:policy/landing-test-boundary"])
    error_message = "A role without the boundary may do whatever its own policy says."
  }
}

run "a_boundary_is_a_policy" {
  command = plan

  variables {
    permissions_boundary_arn = "landing-test-boundary"
  }

  expect_failures = [var.permissions_boundary_arn]
}
