# What each role may do. tests/modules/test_pipeline_policies.py reads the policies themselves.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws-us-gov" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws-us-gov:iam::123456789012:policy/any" }
  }
}

run "who_plans_reads_and_who_applies_changes" {
  assert {
    condition     = toset([for each in values(aws_iam_role_policy_attachment.this) : each.role if each.role == "landing-test-plan"]) == toset(["landing-test-plan"]) && toset([for key in keys(aws_iam_role_policy_attachment.this) : key if startswith(key, "plan ")]) == toset(["plan plan", "plan read"])
    error_message = "The role that plans has another policy than to read and to keep a plan."
  }

  assert {
    condition     = toset([for key, each in aws_iam_role_policy_attachment.this : key if each.role == "landing-test-apply"]) == toset(["apply apply-access", "apply apply-global", "apply apply-region", "apply apply-state", "apply read", "apply release"])
    error_message = "The role that applies has other policies than it needs."
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_policy.this) : length(policy.policy) <= 6144]) && length(aws_iam_policy.boundary.policy) <= 6144
    error_message = "IAM takes policies of 6,144 characters."
  }

  assert {
    condition     = strcontains(aws_iam_policy.this["apply-access"].policy, "arn:aws-us-gov:iam::123456789012:policy/landing-test-boundary")
    error_message = "Roles have to have this account's boundary."
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_policy.this) : !strcontains(policy.policy, "$${")])
    error_message = "A name in a policy's file was left as it stands."
  }

  assert {
    condition     = output.boundary_arn != "" && aws_iam_policy.boundary.name == "landing-test-boundary"
    error_message = "The boundary is known by its name: units that make roles name it so."
  }
}

run "where_drills_may_run_the_role_may_break_things" {
  command = plan

  variables {
    drills = true
  }

  assert {
    condition     = contains(keys(aws_iam_role_policy_attachment.this), "apply drill")
    error_message = "A drill has to make and remove its users' items."
  }
}
