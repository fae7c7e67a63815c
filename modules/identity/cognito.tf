resource "aws_cognito_user_pool" "this" {
  name                = var.name
  user_pool_tier      = var.user_pool_tier
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"

  # People sign in by e-mail, but a username is the app's own id (a UUID): it stands in every
  # token, owns the items, and can be given to the same person again in another pool, which an
  # e-mail pool's generated name and `sub` can't. This can't be changed without a new pool.
  alias_attributes         = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.mfa

  username_configuration {
    case_sensitive = false
  }

  schema {
    name                = "email"
    attribute_data_type = "String"
    required            = true
    mutable             = true

    string_attribute_constraints {
      min_length = "0"
      max_length = "2048"
    }
  }

  # The old address goes on signing in until the new one is proved.
  user_attribute_update_settings {
    attributes_require_verification_before_update = ["email"]
  }

  password_policy {
    minimum_length                   = var.password_minimum_length
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = var.password_require_symbols
    temporary_password_validity_days = var.temporary_password_validity_days
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  admin_create_user_config {
    allow_admin_create_user_only = !var.self_sign_up
  }

  email_configuration {
    email_sending_account  = var.email_ses_identity_arn == null ? "COGNITO_DEFAULT" : "DEVELOPER"
    source_arn             = var.email_ses_identity_arn
    from_email_address     = var.email_from
    reply_to_email_address = var.email_reply_to
  }

  verification_message_template {
    default_email_option = "CONFIRM_WITH_CODE"
  }

  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : [true]

    content {
      enabled = true
    }
  }

  dynamic "device_configuration" {
    for_each = var.remember_devices == "NO" ? [] : [var.remember_devices]

    content {
      # A device that is remembered needs no second factor: the point of remembering it.
      challenge_required_on_new_device      = true
      device_only_remembered_on_user_prompt = device_configuration.value == "ON_REQUEST"
    }
  }

  dynamic "user_pool_add_ons" {
    for_each = var.advanced_security == "OFF" ? [] : [var.advanced_security]

    content {
      advanced_security_mode = user_pool_add_ons.value
    }
  }

  lifecycle {
    # The plan isn't raised by itself, since that changes the price of every user.
    precondition {
      condition     = length(local.unmet_tiers) == 0
      error_message = "user_pool_tier is ${var.user_pool_tier}, but ${join(" and ", [for setting, tier in local.unmet_tiers : "${setting} needs ${tier}"])}: raise the one, which changes the price of every user, or turn the other off."
    }
  }
}

resource "aws_cognito_resource_server" "items" {
  identifier   = "items"
  name         = "${var.name} items"
  user_pool_id = aws_cognito_user_pool.this.id

  scope {
    scope_name        = "read"
    scope_description = "Read the caller's own items"
  }

  scope {
    scope_name        = "write"
    scope_description = "Create, change and delete the caller's own items"
  }
}

# The mobile app: it can keep no secret, so it has none, and proves itself by PKCE or SRP.
resource "aws_cognito_user_pool_client" "mobile" {
  name         = "${var.name}-mobile"
  user_pool_id = aws_cognito_user_pool.this.id

  generate_secret               = false
  explicit_auth_flows           = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  auth_session_validity         = 3

  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes = concat(
    ["openid", "email"],
    aws_cognito_resource_server.items.scope_identifiers,
  )
  supported_identity_providers = ["COGNITO"]
  callback_urls                = var.callback_urls
  logout_urls                  = var.logout_urls

  read_attributes  = ["email", "email_verified"]
  write_attributes = ["email"]

  access_token_validity  = var.access_token_minutes
  id_token_validity      = var.id_token_minutes
  refresh_token_validity = var.refresh_token_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  domain       = local.domain_prefix
  user_pool_id = aws_cognito_user_pool.this.id

  # The classic pages: the newer ones (2) need ESSENTIALS.
  managed_login_version = 1
}

# A destroy takes client, domain and resource server before Cognito refuses to delete the pool: nobody
# could sign in to what is left. This goes first, because it depends on them, and refuses in its place.
resource "terraform_data" "deletion_guard" {
  input = {
    pool      = aws_cognito_user_pool.this.id
    protected = var.deletion_protection
  }

  depends_on = [
    aws_cognito_resource_server.items, aws_cognito_user_pool_client.mobile, aws_cognito_user_pool_domain.this,
  ]

  lifecycle {
    # A pool that has to be replaced is a pool that is deleted.
    replace_triggered_by = [aws_cognito_user_pool.this.id]
  }

  provisioner "local-exec" {
    when    = destroy
    command = self.input.protected ? "echo 'User pool ${self.input.pool} is protected: set deletion_protection = false, apply, and destroy then.' >&2; exit 1" : "true"
  }
}
