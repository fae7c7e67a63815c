# Names

variable "name" {
  description = "Prefix of everything that is made here: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "domain_name" {
  description = "Domain that every public name is made under: api.<domain>, <region>.<domain>."
  type        = string

  validation {
    condition = (
      can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]*[a-z0-9]$", var.domain_name))
      && length(var.domain_name) <= 64
    )
    error_message = "domain_name must be a lower-case domain such as example.com, with no trailing dot, and at most 64 characters, the longest that ACM takes."
  }
}

# The hosted zone

variable "create_hosted_zone" {
  description = "true makes a public hosted zone for domain_name; false uses one that the account already has."
  type        = bool
  default     = true
  nullable    = false
}

variable "hosted_zone_id" {
  description = "Id of the existing zone, when create_hosted_zone is false. null looks it up by domain_name; give it when domain_name is a name inside a larger zone."
  type        = string
  default     = null

  validation {
    condition     = var.hosted_zone_id == null || can(regex("^Z[A-Z0-9]{1,31}$", var.hosted_zone_id))
    error_message = "hosted_zone_id must be a Route 53 zone id such as Z0123456789ABCDEFGHIJ (without /hostedzone/)."
  }

  validation {
    condition     = var.hosted_zone_id == null || !var.create_hosted_zone
    error_message = "hosted_zone_id names a zone that exists already: set create_hosted_zone = false with it, or leave it out."
  }
}

variable "zone_force_destroy" {
  description = "true deletes the made zone together with records that others put in it. Never where a domain is in use."
  type        = bool
  default     = false
  nullable    = false
}

variable "dnssec" {
  description = "Whether the made zone is signed (DNSSEC). The parent zone needs the DS record afterwards, and must have lost it before this is false again: the deployment guide has the order."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.dnssec || var.create_hosted_zone
    error_message = "dnssec signs the zone that is made here: with create_hosted_zone = false whoever owns the zone signs it."
  }
}

variable "query_logs" {
  description = "Whether Route 53 logs what is asked of the zone. It says which resolver, and by EDNS which part of the net, asked for which name."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "Days the query logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch Logs knows, for example 7, 30, 90 or 365."
  }
}

variable "domain_delegated" {
  description = "Whether the world resolves domain_name through the zone. false: the zone and the certificates are requested, nothing waits, and next_step says what to do. true: the certificates are waited for."
  type        = bool
  nullable    = false
}

# Certificates

variable "validation_timeout" {
  description = "How long an apply waits for ACM to validate each certificate (minutes on a delegated domain)."
  type        = string
  default     = "20m"
  nullable    = false

  validation {
    condition     = can(regex("^([1-9]|[1-5][0-9]|60)m$", var.validation_timeout))
    error_message = "validation_timeout must be 1m to 60m: an apply that waits longer waits for a delegation that isn't there."
  }
}

variable "create_validation_record" {
  description = "false when something else in the account already keeps the validation record of this domain: it is the same for every certificate of the same name, and two owners would fight over it."
  type        = bool
  default     = true
  nullable    = false
}

variable "certificate_key_algorithm" {
  description = "Key of the certificates. RSA_2048 is what every client and every AWS service takes."
  type        = string
  default     = "RSA_2048"
  nullable    = false

  validation {
    condition     = contains(["RSA_2048", "EC_prime256v1"], var.certificate_key_algorithm)
    error_message = "certificate_key_algorithm must be RSA_2048 or EC_prime256v1: API Gateway and CloudFront take both."
  }
}

variable "caa_issuers" {
  description = "Certificate authorities that may issue for domain_name (a CAA record); empty makes no record. ACM needs one of Amazon's, such as amazon.com."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = length(var.caa_issuers) == 0 || length(setintersection(var.caa_issuers, [
      "amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com",
    ])) > 0
    error_message = "caa_issuers must hold one of amazon.com, amazontrust.com, awstrust.com, amazonaws.com, else ACM can neither issue nor renew."
  }
}

# Regions

variable "primary_region" {
  description = "Region of the default provider, where traffic goes while all is well."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.primary_region))
    error_message = "primary_region must be a Region's name, such as us-east-1."
  }
}

variable "standby_region" {
  description = "Region of the provider aws.replica, which takes over."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.standby_region))
    error_message = "standby_region must be a Region's name, such as us-west-2."
  }

  validation {
    condition     = var.standby_region != var.primary_region
    error_message = "standby_region must differ from primary_region: a Region can't stand in for itself."
  }
}

# The origin key

variable "origin_key_rotation" {
  description = "Number of the origin key's rotation. Raise it by exactly one to rotate: the key in use stays valid as the previous one until the next rotation. Lowering it by one goes back."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.origin_key_rotation >= 1 && floor(var.origin_key_rotation) == var.origin_key_rotation
    error_message = "origin_key_rotation must be a whole number from 1 up, raised by one for each rotation."
  }
}
