# Whose jobs get which role.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/any" }
  }
}

run "a_role_is_for_one_repository_its_branch_and_its_environment" {
  assert {
    condition = jsondecode(aws_iam_role.plan.assume_role_policy).Statement == [{
      Sid       = "JobsOfThisRepository"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
          "token.actions.githubusercontent.com:sub" = ["repo:example/landing:pull_request", "repo:example/landing:ref:refs/heads/main"]
        }
      }
    }]
    error_message = "Plans are for pull requests and for the branch, of this repository alone."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply.assume_role_policy).Statement == [{
      Sid       = "JobsOfThisRepository"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
          "token.actions.githubusercontent.com:sub" = ["repo:example/landing:environment:test"]
          "token.actions.githubusercontent.com:ref" = ["refs/heads/main"]
        }
      }
    }]
    error_message = "An apply is for the environment, and from the branch."
  }

  assert {
    condition     = one(aws_iam_openid_connect_provider.this).url == "https://token.actions.githubusercontent.com" && one(aws_iam_openid_connect_provider.this).client_id_list == toset(["sts.amazonaws.com"])
    error_message = "Another issuer's tokens, or tokens for somebody else, would be trusted."
  }
}

run "a_provider_that_is_there_already_is_used" {
  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    subject           = "repo:example-1/landing-2"
    branch            = "release/1"
    environment       = "production"
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0 && output.oidc_provider_arn == var.oidc_provider_arn
    error_message = "An account has one provider of an issuer: a second is refused."
  }

  assert {
    condition     = alltrue([for role in [aws_iam_role.plan, aws_iam_role.apply] : one(jsondecode(role.assume_role_policy).Statement).Principal == { Federated = var.oidc_provider_arn }])
    error_message = "A role trusts another provider than the one that is there."
  }

  assert {
    condition     = contains(jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"], "repo:example-1/landing-2:ref:refs/heads/release/1")
    error_message = "A repository with ids in its subject is trusted by them."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply.assume_role_policy).Statement[0].Condition.StringEquals == {
      "token.actions.githubusercontent.com:aud" = ["sts.amazonaws.com"]
      "token.actions.githubusercontent.com:sub" = ["repo:example-1/landing-2:environment:production"]
      "token.actions.githubusercontent.com:ref" = ["refs/heads/release/1"]
    }
    error_message = "An apply is for the repository, the environment and the branch that were given."
  }
}

run "nothing_that_would_trust_more_than_one_is_taken" {
  command = plan

  variables {
    name              = "Landing"
    account_id        = "1234"
    state_bucket      = "Bucket*"
    table_name        = "items*"
    subject           = "repo:example/*"
    branch            = "*"
    environment       = "prod*"
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/example.com"
  }

  expect_failures = [
    var.name,
    var.account_id,
    var.state_bucket,
    var.table_name,
    var.subject,
    var.branch,
    var.environment,
    var.oidc_provider_arn,
  ]
}

run "a_subject_says_the_repository_and_nothing_after_it" {
  command = plan

  variables {
    subject = "repo:example/landing:ref:refs/heads/main"
  }

  expect_failures = [var.subject]
}
