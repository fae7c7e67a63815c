# Names

variable "name" {
  description = "Prefix of everything that is made here, and of what the roles work on: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "account_id" {
  description = "Id of the account that is planned and applied."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, in quotes."
  }
}

variable "state_bucket" {
  description = "Bucket of Terraform's state, where plans to be approved are kept as well."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "state_bucket must be a bucket's name, such as landing-tfstate-222222222222-us-west-2."
  }
}

variable "table_name" {
  description = "Name of the items' table, in which a release keeps its records."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be 3 to 255 letters, digits, _, - and dots."
  }
}

# Who is trusted

variable "subject" {
  description = "How GitHub's tokens begin to say whose they are: repo:owner/name, or with both ids, repo:owner-1/name-2, as repositories have it that were made or renamed after 18 June 2026. The repository's settings show it (Actions, OIDC)."
  type        = string

  validation {
    condition     = can(regex("^repo:[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?$", var.subject))
    error_message = "subject must be repo:<owner>/<name> as GitHub shows it, with nothing after it and no wildcard: one repository is trusted, by name."
  }
}

variable "branch" {
  description = "Branch that is applied from. A job of another branch gets no role, but for a pull request's, which gets the one that reads."
  type        = string
  default     = "main"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/-]+$", var.branch))
    error_message = "branch must be a branch's name, without refs/heads/ and without a wildcard."
  }
}

variable "environment" {
  description = "The repository's environment that an apply runs in: whoever has to approve stands in its settings."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.environment))
    error_message = "environment must be an environment's name, without a wildcard."
  }
}

variable "oidc_provider_arn" {
  description = "ARN of GitHub's identity provider where the account has it already: there can be one. null makes it."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be the ARN of token.actions.githubusercontent.com's provider, as `aws iam list-open-id-connect-providers` shows it."
  }
}

variable "drills" {
  description = "Whether the role that applies may also rehearse failovers: break functions, and read and remove the items of the users that a drill makes, which is to say anybody's."
  type        = bool
  default     = false
  nullable    = false
}
