variable "name" {
  description = "What the alarms are of: the prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.name))
    error_message = "name must be 2 to 63 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "account" {
  description = "The account that the alarms are in: its id, and the partition of its ARNs."
  type = object({
    id        = string
    partition = string
  })

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account.id)) && can(regex("^aws[a-z-]*$", var.account.partition))
    error_message = "account must have an id of 12 digits and a partition, such as aws."
  }
}

variable "burn_rate" {
  description = "What eats the error budget: an expression over metrics that gives the share of failed requests (0 to 1), and the objective in percent."
  type = object({
    description = string
    runbook     = string
    objective   = number
    expression  = string
    metrics = map(object({
      namespace  = string
      name       = string
      dimensions = map(string)
      stat       = string
    }))
  })

  validation {
    condition     = length(var.burn_rate.metrics) <= 10
    error_message = "burn_rate has more than 10 metrics: CloudWatch takes no more for one alarm."
  }

  validation {
    condition     = var.burn_rate.objective >= 90 && var.burn_rate.objective < 100
    error_message = "burn_rate.objective must be at least 90 and less than 100 percent."
  }
}

variable "alarms" {
  description = "Every other alarm by its key: what it means to users and what to do first, its runbook, what it watches. With pages it is part of the composite alarm that wakes somebody; without, it doesn't page."
  type = map(object({
    description = string
    runbook     = string
    expression  = string
    threshold   = number
    period      = number
    periods     = optional(number, 1)
    comparison  = optional(string, "GreaterThanThreshold")
    # Nothing measured is nothing wrong, for what tells of too much. With missing, it is
    # reported, but never pages.
    missing = optional(string, "notBreaching")
    pages   = optional(bool, false)
    metrics = map(object({
      namespace  = string
      name       = string
      dimensions = map(string)
      stat       = string
    }))
  }))

  validation {
    condition     = alltrue([for alarm in var.alarms : length(alarm.metrics) <= 10])
    error_message = "${join(", ", [for key, alarm in var.alarms : key if length(alarm.metrics) > 10])}: CloudWatch takes no more than 10 metrics for one alarm."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["missing", "ignore", "breaching", "notBreaching"], alarm.missing)])
    error_message = "missing must be missing, ignore, breaching or notBreaching."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : can(regex("^[a-z0-9-]+\\.md(#[a-z0-9-]+)?$", alarm.runbook))])
    error_message = "Every alarm needs a runbook: a page of docs/runbooks, and a section where the page has several."
  }
}

variable "page" {
  description = "What the composite alarm that wakes somebody means to users, what to do first, and its runbook."
  type = object({
    description = string
    runbook     = string
  })
}

variable "emails" {
  description = "Addresses that the alarms are sent to. Each confirms once, by the e-mail that it gets."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "emails must be e-mail addresses."
  }
}

variable "reach_somebody" {
  description = "Whether somebody has to be told: every plan warns while emails is empty. false where alarms go nowhere on purpose, or to what is subscribed to the topic by hand."
  type        = bool
  default     = true
  nullable    = false
}

variable "runbook_base_url" {
  description = "URL that docs/runbooks/ is found under, for links that open in a console: https://github.com/example/landing/blob/main for https://github.com/example/landing/blob/main/docs/runbooks/…. null leaves paths of this repository."
  type        = string
  default     = null

  validation {
    condition     = var.runbook_base_url == null || can(regex("^https://[^\\s/?#]+(/[^\\s?#]*[^\\s/?#])?$", var.runbook_base_url))
    error_message = "runbook_base_url must be an https:// URL with no slash at its end, for example https://github.com/example/landing/blob/main."
  }
}
