# The runs share one state, as the rotations of one account do.

mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      domain_validation_options = [{
        domain_name           = "example.com"
        resource_record_name  = "_token.example.com."
        resource_record_type  = "CNAME"
        resource_record_value = "_answer.acm-validations.aws."
      }]
    }
  }
}

mock_provider "aws" {
  alias = "replica"
}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  name             = "landing-test"
  domain_name      = "example.com"
  domain_delegated = true
  primary_region   = "us-east-1"
  standby_region   = "us-west-2"
}

run "first" {
  assert {
    condition     = length(output.origin_key.current) == 36 && length(output.origin_key.previous) == 36
    error_message = "Both keys are UUIDs from the start, so that none is ever empty and let through."
  }

  assert {
    condition     = output.origin_key.current != output.origin_key.previous
    error_message = "Two keys that are the same are one key."
  }
}

run "rotated" {
  variables {
    origin_key_rotation = 2
  }

  assert {
    condition     = output.origin_key.previous == run.first.origin_key.current
    error_message = "The key that the edge still sends must be let in after a rotation, and no key changes by itself."
  }

  assert {
    condition     = !contains(values(run.first.origin_key), output.origin_key.current)
    error_message = "A rotation makes a key that nobody has seen."
  }
}

run "rotated_again" {
  variables {
    origin_key_rotation = 3
  }

  assert {
    condition     = output.origin_key.previous == run.rotated.origin_key.current
    error_message = "The second rotation keeps the key of the first."
  }

  assert {
    condition     = output.origin_key.current != run.first.origin_key.current
    error_message = "A key that was rotated out twice must not come back."
  }
}

run "a_rotation_can_be_taken_back" {
  variables {
    origin_key_rotation = 2
  }

  assert {
    condition     = output.origin_key.current == run.rotated.origin_key.current
    error_message = "Going back one step brings the former key back into use."
  }
}
