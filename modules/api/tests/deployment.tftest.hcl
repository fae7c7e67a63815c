# When the stage's deployment is replaced, and when it is not. The provider
# replaces it when its triggers change and at no other time, so they are looked at.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  openapi_path = "./tests/contracts/base/openapi.yaml"
}

run "first" {
}

run "nothing_changed" {
  assert {
    condition     = output.deployment_fingerprint == run.first.deployment_fingerprint
    error_message = "A second apply deploys again."
  }
}

run "same_contract_in_other_words" {
  variables {
    openapi_path = "./tests/contracts/same_meaning/openapi.yaml"
  }

  assert {
    condition     = output.deployment_fingerprint == run.first.deployment_fingerprint
    error_message = "A comment, or another order, deploys again."
  }
}

run "what_is_not_deployed_changed" {
  variables {
    throttle_rate_limit = 10
    log_retention_days  = 7
    function_memory_mb  = 512
  }

  assert {
    condition     = output.deployment_fingerprint == run.first.deployment_fingerprint
    error_message = "A setting of the stage or the function deploys again."
  }
}

run "contract_changed" {
  variables {
    openapi_path = "./tests/contracts/other_scope/openapi.yaml"
  }

  assert {
    condition     = output.deployment_fingerprint != run.first.deployment_fingerprint
    error_message = "Another scope isn't deployed."
  }

  assert {
    condition     = aws_api_gateway_stage.live.deployment_id == aws_api_gateway_deployment.this.id
    error_message = "The stage serves another deployment."
  }
}

run "schema_changed" {
  variables {
    openapi_path = "./tests/contracts/other_schema/openapi.yaml"
  }

  assert {
    condition     = output.deployment_fingerprint != run.first.deployment_fingerprint
    error_message = "Another schema isn't deployed."
  }
}

# The same schema as `first` has, before something else is changed.
run "back_to_the_first" {
  assert {
    condition     = output.deployment_fingerprint == run.first.deployment_fingerprint
    error_message = "The same things have another fingerprint."
  }
}

run "pool_added" {
  variables {
    user_pool_arns = [
      "arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_a",
      "arn:aws:cognito-idp:us-west-2:111111111111:userpool/us-west-2_b",
    ]
  }

  assert {
    condition     = output.deployment_fingerprint != run.first.deployment_fingerprint
    error_message = "Another user pool isn't deployed."
  }
}

run "pools_in_another_order" {
  variables {
    user_pool_arns = [
      "arn:aws:cognito-idp:us-west-2:111111111111:userpool/us-west-2_b",
      "arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_a",
    ]
  }

  assert {
    condition     = output.deployment_fingerprint == run.pool_added.deployment_fingerprint
    error_message = "The order of the pools means nothing."
  }
}

run "origin_allowed" {
  variables {
    allowed_origins = ["https://app.example.com"]
  }

  assert {
    condition     = output.deployment_fingerprint != run.first.deployment_fingerprint
    error_message = "An allowed origin isn't deployed."
  }
}

# Settings of the API itself, which a stage takes up with its next deployment.
run "default_endpoint_opened" {
  variables {
    disable_execute_api_endpoint = false
  }

  assert {
    condition     = output.deployment_fingerprint != run.first.deployment_fingerprint
    error_message = "The default endpoint stays as it was until something else is deployed."
  }
}

# With several, the gateway's own answers are the same whatever they are: only
# the preflights differ.
run "several_origins_allowed" {
  variables {
    allowed_origins = ["https://app.example.com", "https://a.example.com"]
  }
}

run "one_of_them_changed" {
  variables {
    allowed_origins = ["https://app.example.com", "https://b.example.com"]
  }

  assert {
    condition     = output.deployment_fingerprint != run.several_origins_allowed.deployment_fingerprint
    error_message = "Preflights aren't deployed."
  }
}
