mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = {
      arn = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_AbCdEf"
    }
  }

  mock_resource "aws_cognito_resource_server" {
    defaults = {
      scope_identifiers = ["items/write", "items/read"]
    }
  }
}

variables {
  name          = "landing-test"
  callback_urls = ["landing://signed-in", "https://app.example.com/callback", "http://localhost:3000/callback"]
}

run "a_plain_pool_costs_nothing_extra" {
  variables {
    mfa                 = "OFF"
    deletion_protection = false
    self_sign_up        = false
  }

  assert {
    condition = (
      length(aws_cognito_user_pool.this.user_pool_add_ons) == 0
      && length(aws_cognito_user_pool.this.device_configuration) == 0
      && length(aws_cognito_user_pool.this.software_token_mfa_configuration) == 0
    )
    error_message = "What is off must leave no block behind."
  }

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_tier == "LITE" && aws_cognito_user_pool_domain.this.managed_login_version == 1
    error_message = "Nothing here needs a dearer plan."
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "INACTIVE"
    error_message = "An environment that comes and goes must be deletable."
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Without self sign-up only administrators make users."
  }

  assert {
    condition     = aws_cognito_user_pool.this.email_configuration[0].email_sending_account == "COGNITO_DEFAULT"
    error_message = "Without an SES identity Cognito sends."
  }

  assert {
    condition     = aws_cognito_user_pool_domain.this.domain == "landing-test-123456789012"
    error_message = "Two accounts with one name must not ask for one sign-in prefix."
  }

  assert {
    condition     = output.sign_in_domain == "landing-test-123456789012.auth.eu-west-1.amazoncognito.com"
    error_message = "The sign-in page lives in the pool's Region."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.allowed_oauth_scopes == toset(["openid", "email", "items/read", "items/write"])
    error_message = "The app may ask for the API's scopes, and for no administrator's."
  }

  assert {
    condition     = output.scopes == tolist(["items/read", "items/write"])
    error_message = "Scopes come in one order, so that what depends on them doesn't change by itself."
  }
}

# A plan: what is applied here is destroyed at the end, which the guard would refuse.
run "a_guarded_pool" {
  command = plan

  variables {
    mfa                    = "OPTIONAL"
    remember_devices       = "ON_REQUEST"
    user_pool_tier         = "PLUS"
    advanced_security      = "ENFORCED"
    deletion_protection    = true
    domain_prefix          = "sign-in-landing"
    email_ses_identity_arn = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
    email_from             = "Landing <no-reply@example.com>"
  }

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_add_ons[0].advanced_security_mode == "ENFORCED"
    error_message = "Threat protection must be on when it is asked for."
  }

  assert {
    condition     = aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled
    error_message = "An optional second factor needs a kind of factor."
  }

  assert {
    condition     = aws_cognito_user_pool.this.device_configuration[0].device_only_remembered_on_user_prompt
    error_message = "ON_REQUEST asks the person."
  }

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "A pool with users must be protected."
  }

  assert {
    condition     = output.deletion_protection && terraform_data.deletion_guard.input.protected
    error_message = "The guard must stand while the pool is protected, and the units that go before it must know."
  }

  assert {
    condition     = aws_cognito_user_pool.this.email_configuration[0].email_sending_account == "DEVELOPER"
    error_message = "An SES identity is used once it is given."
  }

  assert {
    condition     = startswith(output.sign_in_domain, "sign-in-landing.auth.")
    error_message = "A configured prefix wins."
  }
}

run "a_setting_that_needs_a_dearer_plan_is_named" {
  command = plan

  variables {
    user_pool_tier    = "ESSENTIALS"
    advanced_security = "AUDIT"
  }

  expect_failures = [aws_cognito_user_pool.this]
}

run "what_cognito_would_refuse_is_refused_before_it_is_asked" {
  command = plan

  variables {
    name                             = "Landing"
    callback_urls                    = ["http://app.example.com/callback"]
    logout_urls                      = ["https://app.example.com/#bye"]
    mfa                              = "ON"
    advanced_security                = "SOME"
    remember_devices                 = "SOMETIMES"
    password_minimum_length          = 6
    temporary_password_validity_days = 0
    access_token_minutes             = 4
    id_token_minutes                 = 1441
    email_from                       = "no-reply@example.com"
  }

  expect_failures = [
    var.name,
    var.callback_urls,
    var.logout_urls,
    var.mfa,
    var.advanced_security,
    var.remember_devices,
    var.password_minimum_length,
    var.temporary_password_validity_days,
    var.access_token_minutes,
    var.id_token_minutes,
    var.email_from,
  ]
}

run "values_at_odds_with_each_other" {
  command = plan

  variables {
    # Cognito keeps the word to itself, and the prefix would be made from the name.
    name          = "cognito-test"
    callback_urls = []
    # A day, and an access token that is good for the whole of it.
    refresh_token_days     = 1
    access_token_minutes   = 1440
    user_pool_tier         = "GOLD"
    email_ses_identity_arn = "example.com"
    # Looks like localhost, and is anybody's.
    logout_urls = ["http://localhost.example.com/"]
  }

  expect_failures = [
    var.domain_prefix,
    var.callback_urls,
    var.refresh_token_days,
    var.user_pool_tier,
    var.email_ses_identity_arn,
    var.logout_urls,
  ]
}
