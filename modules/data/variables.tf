# Names and Regions

variable "name" {
  description = "Prefix of everything that is made here: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "table_name" {
  description = "Name of the table, the same in every Region. null makes it from name. Another name makes another table: a restore's."
  type        = string
  default     = null

  validation {
    condition     = var.table_name == null || can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be 3 to 255 letters, digits, dots, dashes and underscores."
  }
}

variable "primary_region" {
  description = "Region of the default provider, where the table is made and writes go while all is well."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.primary_region))
    error_message = "primary_region must be a Region's name, such as us-east-1."
  }
}

variable "standby_region" {
  description = "Region of the provider aws.replica, which holds the replica. Changing it removes the old replica and makes the new one from the table: give the old one to former_standby_region until the new one serves."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.standby_region))
    error_message = "standby_region must be a Region's name, such as us-west-2."
  }

  validation {
    condition     = var.standby_region != var.primary_region
    error_message = "standby_region must differ from primary_region: a table can't replicate to itself."
  }
}

variable "former_standby_region" {
  description = "Region that was standby_region until now, and keeps its replica as long as it stands here. Its key, of the same id in every Region, must still be there."
  type        = string
  default     = null

  validation {
    condition = (
      var.former_standby_region == null
      || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.former_standby_region))
      && !contains([var.primary_region, var.standby_region], coalesce(var.former_standby_region, var.standby_region))
    )
    error_message = "former_standby_region must be a Region's name, such as us-west-2, and neither primary_region nor standby_region."
  }
}

# Protection and recovery

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted. A destroy then ends before it touches anything, the replica included."
  type        = bool
  default     = true
  nullable    = false
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the recovery period, in both Regions."
  type        = bool
  default     = true
  nullable    = false
}

variable "recovery_period_days" {
  description = "Days that point-in-time recovery reaches back in the primary Region. The replica's is DynamoDB's own 35."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.recovery_period_days >= 1 && var.recovery_period_days <= 35 && floor(var.recovery_period_days) == var.recovery_period_days
    error_message = "recovery_period_days must be a whole number from 1 to 35."
  }
}

# Throughput

variable "max_throughput" {
  description = "Ceiling of on-demand capacity in request units a second, for the table and its index alike: a limit on the bill, and a throttle beyond it. null is AWS's own limit, and lifts a ceiling that the table has."
  type = object({
    read  = number
    write = number
  })
  default = null

  validation {
    condition     = var.max_throughput == null || try(min(var.max_throughput.read, var.max_throughput.write) >= 1, false)
    error_message = "max_throughput must give read and write, each at least 1; leave it null for no ceiling."
  }
}

# Encryption keys

variable "key_rotation_days" {
  description = "Days between two rotations of the key's material."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = var.key_rotation_days >= 90 && var.key_rotation_days <= 2560
    error_message = "key_rotation_days must be 90 to 2560, the range that KMS takes."
  }
}

variable "key_deletion_window_days" {
  description = "Days between asking for a key's deletion and losing it, and everything encrypted with it, for good."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "key_deletion_window_days must be 7 to 30, the range that KMS takes."
  }
}

# Time limit of an apply

variable "table_timeout" {
  description = "How long an apply waits for the table and its replica; a replica of much data takes its time."
  type        = string
  default     = "60m"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]{0,3}m$", var.table_timeout))
    error_message = "table_timeout must be minutes, such as 60m."
  }
}
