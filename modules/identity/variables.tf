# Names

variable "name" {
  description = "Prefix of everything that is made here: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "domain_prefix" {
  description = "Prefix of the hosted sign-in page's host, unique among all accounts in the Region. null makes it from name and the account's id."
  type        = string
  default     = null

  validation {
    condition     = var.domain_prefix == null || can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix))
    error_message = "domain_prefix must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end."
  }

  validation {
    condition     = !can(regex("aws|amazon|cognito", coalesce(var.domain_prefix, var.name)))
    error_message = "A sign-in prefix (domain_prefix, or else name) must not contain aws, amazon or cognito: Cognito keeps those to itself."
  }
}

# The app's URLs

variable "callback_urls" {
  description = "Where the sign-in page may send a person back to: https URLs, the app's own scheme, or http://localhost while developing."
  type        = list(string)

  validation {
    condition     = length(var.callback_urls) > 0 && length(var.callback_urls) <= 100
    error_message = "callback_urls must hold 1 to 100 URLs: the code flow has nowhere to return to without one."
  }

  validation {
    condition = alltrue([
      for url in var.callback_urls :
      can(regex("^[a-z][a-z0-9+.-]*://[^#]+$", url))
      && (!startswith(url, "http://") || can(regex("^http://localhost(:[0-9]+)?(/|$)", url)))
    ])
    error_message = "callback_urls must be https:// URLs, the app's own scheme (myapp://signed-in) or http://localhost, and have no #fragment."
  }
}

variable "logout_urls" {
  description = "Where the sign-in page may send a person after signing out; the same kinds of URL as callback_urls."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = length(var.logout_urls) <= 100 && alltrue([
      for url in var.logout_urls :
      can(regex("^[a-z][a-z0-9+.-]*://[^#]+$", url))
      && (!startswith(url, "http://") || can(regex("^http://localhost(:[0-9]+)?(/|$)", url)))
    ])
    error_message = "logout_urls must be at most 100 https:// URLs, the app's own scheme (myapp://signed-out) or http://localhost, and have no #fragment."
  }
}

# Users and threat protection

variable "deletion_protection" {
  description = "Whether Cognito refuses to delete the pool, and every account in it."
  type        = bool
  default     = true
  nullable    = false
}

variable "self_sign_up" {
  description = "Whether people may sign up by themselves; false leaves it to administrators."
  type        = bool
  default     = true
  nullable    = false
}

variable "mfa" {
  description = "Second factor by an authenticator app (TOTP): OFF, or OPTIONAL for those who set it up."
  type        = string
  default     = "OPTIONAL"
  nullable    = false

  validation {
    condition     = contains(["OFF", "OPTIONAL"], var.mfa)
    error_message = "mfa must be OFF or OPTIONAL."
  }
}

variable "user_pool_tier" {
  description = "Cognito's feature plan, which is a price per monthly user: LITE, ESSENTIALS or PLUS. LITE has all that this module sets up, but for threat protection (advanced_security), which is part of PLUS alone. Passkeys, codes by e-mail, a history of passwords and the newer sign-in pages, which an app may want, are part of ESSENTIALS."
  type        = string
  default     = "LITE"
  nullable    = false

  validation {
    condition     = contains(["LITE", "ESSENTIALS", "PLUS"], var.user_pool_tier)
    error_message = "user_pool_tier must be LITE, ESSENTIALS or PLUS."
  }
}

variable "advanced_security" {
  description = "Threat protection: OFF, AUDIT (only records risks) or ENFORCED (acts on them: risky sign-ins, leaked passwords). AUDIT and ENFORCED need user_pool_tier = PLUS."
  type        = string
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["OFF", "AUDIT", "ENFORCED"], var.advanced_security)
    error_message = "advanced_security must be OFF, AUDIT or ENFORCED."
  }
}

variable "remember_devices" {
  description = "Whether a device that signed in once is spared the second factor: NO, ALWAYS, or ON_REQUEST (the person is asked). A remembered device's refresh needs its device key."
  type        = string
  default     = "NO"
  nullable    = false

  validation {
    condition     = contains(["NO", "ALWAYS", "ON_REQUEST"], var.remember_devices)
    error_message = "remember_devices must be NO, ALWAYS or ON_REQUEST."
  }
}

# Passwords

variable "password_minimum_length" {
  description = "Fewest characters of a password."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.password_minimum_length >= 8 && var.password_minimum_length <= 99 && floor(var.password_minimum_length) == var.password_minimum_length
    error_message = "password_minimum_length must be a whole number from 8 to 99 (Cognito itself would take 6)."
  }
}

variable "password_require_symbols" {
  description = "Whether a password needs a symbol beside upper and lower case and a digit."
  type        = bool
  default     = true
  nullable    = false
}

variable "temporary_password_validity_days" {
  description = "Days that an administrator's invitation stays good."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.temporary_password_validity_days >= 1 && var.temporary_password_validity_days <= 365
    error_message = "temporary_password_validity_days must be 1 to 365."
  }
}

# Tokens

variable "access_token_minutes" {
  description = "Minutes that an access token is good. The gateway checks tokens by signature alone, so this is also how long a revoked one still passes."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.access_token_minutes >= 5 && var.access_token_minutes <= 1440
    error_message = "access_token_minutes must be 5 to 1440 (a day), the range that Cognito takes."
  }
}

variable "id_token_minutes" {
  description = "Minutes that an ID token is good."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.id_token_minutes >= 5 && var.id_token_minutes <= 1440
    error_message = "id_token_minutes must be 5 to 1440 (a day), the range that Cognito takes."
  }
}

variable "refresh_token_days" {
  description = "Days until a person has to sign in again."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.refresh_token_days >= 1 && var.refresh_token_days <= 3650
    error_message = "refresh_token_days must be 1 to 3650, the range that Cognito takes."
  }

  validation {
    condition     = var.refresh_token_days * 1440 > max(var.access_token_minutes, var.id_token_minutes)
    error_message = "refresh_token_days must outlast access_token_minutes and id_token_minutes: Cognito refuses a refresh token that ends before what it refreshes."
  }
}

# E-mail

variable "email_ses_identity_arn" {
  description = "ARN of a verified SES identity to send from. null sends from Cognito's own address, which is limited to 50 e-mails a day: enough to try it, not for users."
  type        = string
  default     = null

  validation {
    condition     = var.email_ses_identity_arn == null || can(regex("^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:identity/.+$", var.email_ses_identity_arn))
    error_message = "email_ses_identity_arn must be a verified SES identity's ARN: arn:aws:ses:<region>:<account>:identity/<domain or address>."
  }
}

variable "email_from" {
  description = "Sender, such as Landing <no-reply@example.com>, of the SES identity."
  type        = string
  default     = null

  validation {
    condition     = var.email_from == null || var.email_ses_identity_arn != null
    error_message = "email_from needs email_ses_identity_arn: Cognito's own sender can't be named."
  }
}

variable "email_reply_to" {
  description = "Where answers to those e-mails go; null for the sender."
  type        = string
  default     = null
}
