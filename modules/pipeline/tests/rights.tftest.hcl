# What each role may do. tests/modules/test_pipeline_policies.py reads the policies themselves.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws-us-gov" }
  }
}

# Each told apart from the others.
override_resource {
  target = aws_iam_policy.this["apply-access"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/apply-access" }
}

override_resource {
  target = aws_iam_policy.this["apply-global"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/apply-global" }
}

override_resource {
  target = aws_iam_policy.this["apply-region"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/apply-region" }
}

override_resource {
  target = aws_iam_policy.this["apply-state"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/apply-state" }
}

override_resource {
  target = aws_iam_policy.this["drill"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/drill" }
}

override_resource {
  target = aws_iam_policy.this["plan"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/plan" }
}

override_resource {
  target = aws_iam_policy.this["read"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/read" }
}

override_resource {
  target = aws_iam_policy.this["release"]
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/release" }
}

override_resource {
  target = aws_iam_policy.boundary
  values = { arn = "arn:aws-us-gov:iam::123456789012:policy/boundary" }
}

run "who_plans_reads_and_who_applies_changes" {
  assert {
    condition     = toset([for each in values(aws_iam_role_policy_attachment.this) : basename(each.policy_arn) if each.role == "landing-test-plan"]) == toset(["plan", "read"])
    error_message = "The role that plans has another policy than to read and to keep a plan."
  }

  assert {
    condition     = toset([for each in values(aws_iam_role_policy_attachment.this) : basename(each.policy_arn) if each.role == "landing-test-apply"]) == toset(["apply-access", "apply-global", "apply-region", "apply-state", "read", "release"])
    error_message = "The role that applies has other policies than it needs."
  }

  assert {
    condition = {
      for key, policy in merge(aws_iam_policy.this, { boundary = aws_iam_policy.boundary }) : key => [for statement in jsondecode(policy.policy).Statement : statement.Sid]
      } == {
      for file in fileset("policies", "*.json") : trimsuffix(file, ".json") => [for statement in jsondecode(file("policies/${file}")).Statement : statement.Sid]
    }
    error_message = "A policy says what another's file says, or the boundary does."
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
    condition     = output.boundary_arn == aws_iam_policy.boundary.arn && aws_iam_policy.boundary.name == "landing-test-boundary"
    error_message = "The boundary is known by its name: units that make roles name it so."
  }
}

run "where_drills_may_run_the_role_may_break_things" {
  variables {
    drills = true
  }

  assert {
    condition     = { for role in ["landing-test-plan", "landing-test-apply"] : role => contains([for each in values(aws_iam_role_policy_attachment.this) : basename(each.policy_arn) if each.role == role], "drill") } == { landing-test-plan = false, landing-test-apply = true }
    error_message = "A drill has to make and remove its users' items."
  }
}
