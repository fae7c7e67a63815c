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
  logout_urls   = ["landing://signed-out", "https://app.example.com/signed-out"]
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

  assert {
    condition = (
      aws_cognito_resource_server.items.identifier == "items"
      && toset([for scope in aws_cognito_resource_server.items.scope : scope.scope_name]) == toset(["read", "write"])
    )
    error_message = "The contract's routes ask for items/read and items/write: by another name nobody gets in."
  }

  # What an app without a secret may do.
  assert {
    condition     = aws_cognito_user_pool_client.mobile.allowed_oauth_flows_user_pool_client && aws_cognito_user_pool_client.mobile.allowed_oauth_flows == toset(["code"])
    error_message = "The code flow alone: the implicit one puts tokens into URLs and histories, and PKCE protects nothing of it."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.explicit_auth_flows == toset(["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    error_message = "A password must not leave the device: no flow that sends it, and none for administrators."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.generate_secret == false
    error_message = "A secret in an app is everybody's, and SRP without it would be refused."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.prevent_user_existence_errors == "ENABLED"
    error_message = "Who asks must not hear whether somebody has an account."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.enable_token_revocation
    error_message = "Without revocation a stolen refresh token is good until it ends by itself."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.supported_identity_providers == toset(["COGNITO"])
    error_message = "Nobody signs in by a provider that isn't set up here."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.callback_urls == toset(var.callback_urls)
    error_message = "A code may be sent to the app's own URLs alone."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.logout_urls == toset(var.logout_urls)
    error_message = "Whoever signs out may be sent to the app's own URLs alone."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.mobile.write_attributes == toset(["email"])
      && aws_cognito_user_pool_client.mobile.read_attributes == toset(["email", "email_verified"])
    )
    error_message = "An app that writes email_verified says itself that an address is its own: anybody's then, to sign in and to recover by."
  }

  assert {
    condition = (
      aws_cognito_user_pool_client.mobile.access_token_validity == 60
      && aws_cognito_user_pool_client.mobile.id_token_validity == 60
      && aws_cognito_user_pool_client.mobile.refresh_token_validity == 30
      && one(aws_cognito_user_pool_client.mobile.token_validity_units) == { access_token = "minutes", id_token = "minutes", refresh_token = "days" }
    )
    error_message = "The gateway never asks whether a token was revoked: an hour is how long a stolen one is good, and 60 hours would be too long."
  }

  assert {
    condition     = aws_cognito_user_pool_client.mobile.auth_session_validity == 3
    error_message = "A sign-in that was begun must end in minutes."
  }

  # Who somebody is.
  assert {
    condition     = aws_cognito_user_pool.this.alias_attributes == toset(["email"]) && aws_cognito_user_pool.this.username_attributes == null
    error_message = "The username is the app's own id, which another pool can take up. Changed, this replaces the pool, and every account in it."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.username_configuration).case_sensitive == false
    error_message = "Two spellings of one name must be one person. Changed, this replaces the pool, and every account in it."
  }

  assert {
    condition = one(aws_cognito_user_pool.this.schema) == merge(one(aws_cognito_user_pool.this.schema), {
      name = "email", attribute_data_type = "String", required = true, mutable = true
    })
    error_message = "Who has no address can't recover the account, and who may not change it loses the account with the address."
  }

  assert {
    condition     = aws_cognito_user_pool.this.auto_verified_attributes == toset(["email"])
    error_message = "An address that nobody has proved neither signs in nor recovers."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.user_attribute_update_settings).attributes_require_verification_before_update == toset(["email"])
    error_message = "A new address must be proved before it takes the old one's place: else a borrowed session takes the account."
  }

  assert {
    condition     = [for mechanism in one(aws_cognito_user_pool.this.account_recovery_setting).recovery_mechanism : "${mechanism.priority} ${mechanism.name}"] == ["1 verified_email"]
    error_message = "Recovery goes to the proved address alone: no number is asked for or proved, and who moves a number to another SIM gets its messages."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.verification_message_template).default_email_option == "CONFIRM_WITH_CODE"
    error_message = "The app asks for a code: it can do nothing with a link."
  }

  assert {
    condition = (
      one(aws_cognito_user_pool.this.password_policy).minimum_length == 12
      && one(aws_cognito_user_pool.this.password_policy).require_lowercase
      && one(aws_cognito_user_pool.this.password_policy).require_uppercase
      && one(aws_cognito_user_pool.this.password_policy).require_numbers
      && one(aws_cognito_user_pool.this.password_policy).require_symbols
    )
    error_message = "A password must be hard to guess."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.password_policy).temporary_password_validity_days == 7
    error_message = "An invitation that nobody took up must end: its password went by e-mail."
  }
}

# A plan: what is applied here is destroyed at the end, which the guard would refuse.
run "a_guarded_pool" {
  command = plan

  variables {
    # null is the default.
    mfa                    = null
    deletion_protection    = null
    self_sign_up           = null
    remember_devices       = "ON_REQUEST"
    user_pool_tier         = "PLUS"
    advanced_security      = "ENFORCED"
    domain_prefix          = "sign-in-landing"
    email_ses_identity_arn = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
    email_from             = "Landing <no-reply@example.com>"
  }

  assert {
    condition     = aws_cognito_user_pool.this.user_pool_add_ons[0].advanced_security_mode == "ENFORCED"
    error_message = "Threat protection must be on when it is asked for."
  }

  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "OPTIONAL" && aws_cognito_user_pool.this.software_token_mfa_configuration[0].enabled
    error_message = "Who wants a second factor must be able to have one, by an authenticator app."
  }

  assert {
    condition     = aws_cognito_user_pool.this.device_configuration[0].device_only_remembered_on_user_prompt
    error_message = "ON_REQUEST asks the person."
  }

  assert {
    condition     = aws_cognito_user_pool.this.device_configuration[0].challenge_required_on_new_device
    error_message = "A device that has proved nothing must not be spared the second factor."
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only == false
    error_message = "People sign up by themselves unless somebody says otherwise."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this.email_configuration).source_arn == var.email_ses_identity_arn && one(aws_cognito_user_pool.this.email_configuration).from_email_address == var.email_from
    error_message = "What is sent must come from the identity, and the sender, that were given."
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
