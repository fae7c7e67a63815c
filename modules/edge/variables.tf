# Names and Regions

variable "name" {
  description = "Prefix of everything that is made here: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "domain_name" {
  description = "The domain of the account. The API is served at api.<domain_name>."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9-]{2,63}$", var.domain_name))
    error_message = "domain_name must be a lower-case DNS name without a trailing dot, for example example.com."
  }
}

variable "zone_id" {
  description = "The hosted zone of domain_name."
  type        = string
}

variable "edge_certificate_arn" {
  description = "The validated ACM certificate in us-east-1 that covers api.<domain_name>. CloudFront takes certificates from us-east-1 only."
  type        = string
  default     = null

  validation {
    condition     = var.edge_certificate_arn != null && can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.edge_certificate_arn))
    error_message = "edge_certificate_arn must be an ACM certificate in us-east-1. It is empty until the domain is delegated: set the name servers of the hosted zone (output zone_name_servers of the foundation unit) at the parent domain, then domain_delegated = true in account.hcl."
  }
}

variable "primary_region" {
  description = "The Region that serves while it is healthy."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.primary_region))
    error_message = "primary_region must be an AWS Region name, for example us-east-1."
  }
}

variable "standby_region" {
  description = "The Region that takes over."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.standby_region)) && var.standby_region != var.primary_region
    error_message = "standby_region must be an AWS Region name other than primary_region."
  }
}

# The way to the Regions

variable "regional_endpoints" {
  description = "Region => API Gateway's names there behind <region>.<domain_name> (region) and origin.<domain_name> (origin): the api units' output of the same name."
  type = map(map(object({
    domain_name = string
    zone_id     = string
  })))

  validation {
    condition     = toset(keys(var.regional_endpoints)) == toset([var.primary_region, var.standby_region])
    error_message = "regional_endpoints must have the primary and the standby Region, and no other."
  }

  validation {
    condition     = alltrue([for endpoints in values(var.regional_endpoints) : toset(keys(endpoints)) == toset(["origin", "region"])])
    error_message = "Each of regional_endpoints must have the endpoints region and origin."
  }
}

variable "origin_key" {
  description = "The secret of the origin lock, sent to the Regions as x-origin-key: {current, previous}. Only current is sent; the Regions accept both."
  type = object({
    current  = string
    previous = string
  })
  sensitive = true
}

variable "read_timeout_seconds" {
  description = "How long a GET or HEAD waits for a Region's answer before the edge asks the other Region."
  type        = number
  default     = 3

  validation {
    condition     = var.read_timeout_seconds >= 1 && var.read_timeout_seconds <= 10 && floor(var.read_timeout_seconds) == var.read_timeout_seconds
    error_message = "read_timeout_seconds must be a whole number, 1 to 10: a reader waits for it once per Region, and a cold start takes about one."
  }
}

variable "origin_read_timeout_seconds" {
  description = "How long CloudFront waits for a Region's answer. Above the function's own timeout (10 s), so that a slow answer is the function's to explain."
  type        = number
  default     = 15

  validation {
    condition     = var.origin_read_timeout_seconds >= 5 && var.origin_read_timeout_seconds <= 60
    error_message = "origin_read_timeout_seconds must be 5 to 60: more needs a quota increase of CloudFront."
  }
}

# Who may call

variable "minimum_tls_version" {
  description = "CloudFront's security policy towards viewers."
  type        = string
  default     = "TLSv1.2_2021"

  validation {
    condition     = var.minimum_tls_version == "TLSv1.2_2021"
    error_message = "minimum_tls_version must be TLSv1.2_2021: provider 5.100, which these modules still work with, refuses the later policies, and the earlier ones are weaker."
  }
}

variable "price_class" {
  description = "Which edge locations serve: PriceClass_100 (North America, Europe), PriceClass_200 (adds Asia, Africa, Middle East) or PriceClass_All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class must be PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "geo_restriction" {
  description = "Countries that may (whitelist) or may not (blacklist) call the API, as ISO 3166-1 alpha-2 codes; none lets everybody."
  type = object({
    restriction_type = string
    locations        = optional(list(string), [])
  })
  default = { restriction_type = "none" }

  validation {
    condition     = contains(["none", "whitelist", "blacklist"], var.geo_restriction.restriction_type)
    error_message = "geo_restriction.restriction_type must be none, whitelist or blacklist."
  }

  validation {
    condition     = (var.geo_restriction.restriction_type == "none") == (length(var.geo_restriction.locations) == 0)
    error_message = "geo_restriction.locations goes with whitelist and blacklist, and only with these."
  }

  validation {
    condition     = alltrue([for code in var.geo_restriction.locations : can(regex("^[A-Z]{2}$", code))])
    error_message = "geo_restriction.locations are ISO 3166-1 alpha-2 country codes in capitals, for example DE."
  }
}

variable "allowed_origins" {
  description = "Origins of web pages that may call the API (CORS): they may read what the web ACL refuses, too. The Regions' setting of the same name."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", origin))])
    error_message = "allowed_origins must be origins as browsers send them: scheme, host and, unless it is the scheme's own, port; lower case, no path, no wildcard. For example https://app.example.com."
  }
}

variable "rate_limit_per_five_minutes" {
  description = "Requests from one address in five minutes before the edge refuses it. One user makes some 50 requests a day, but a mobile carrier puts thousands of users behind one address."
  type        = number
  default     = 10000

  validation {
    condition     = var.rate_limit_per_five_minutes >= 100 && var.rate_limit_per_five_minutes <= 2000000000
    error_message = "rate_limit_per_five_minutes must be 100 to 2,000,000,000."
  }
}

variable "health_rate_limit_per_minute" {
  description = "Requests for /health* from one address in a minute before the edge refuses these. A Route 53 checker makes 2 of them, and whoever watches a move of users (make takeover, a drill) 120."
  type        = number
  default     = 240

  validation {
    condition     = var.health_rate_limit_per_minute >= 10 && var.health_rate_limit_per_minute <= 2000000000
    error_message = "health_rate_limit_per_minute must be 10 to 2,000,000,000, which are AWS WAF's own limits."
  }
}

# Failover

variable "health_check_interval_seconds" {
  description = "Seconds between two requests of one health checker: 10 (fast, costs more) or 30. AWS can't change it on an existing check: a change replaces the checks."
  type        = number
  default     = 10

  validation {
    condition     = contains([10, 30], var.health_check_interval_seconds)
    error_message = "health_check_interval_seconds must be 10 or 30."
  }
}

variable "health_check_failure_threshold" {
  description = "Answers in a row that turn a health check, in either direction. Interval x threshold is the larger part of a failover's outage."
  type        = number
  default     = 3

  validation {
    condition     = var.health_check_failure_threshold >= 1 && var.health_check_failure_threshold <= 10 && floor(var.health_check_failure_threshold) == var.health_check_failure_threshold
    error_message = "health_check_failure_threshold must be a whole number from 1 to 10."
  }
}

variable "failover_record_ttl_seconds" {
  description = "How long resolvers, CloudFront's among them, keep the answer which Region serves. The other part of a failover's outage."
  type        = number
  default     = 10

  validation {
    condition     = var.failover_record_ttl_seconds >= 1 && var.failover_record_ttl_seconds <= 60
    error_message = "failover_record_ttl_seconds must be 1 to 60: with more, a failover takes longer than an alias record's."
  }
}

# Logs, objectives and alarms

variable "log_retention_days" {
  description = "Days the edge's logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a retention that CloudWatch Logs knows, for example 7, 30, 90 or 365."
  }
}

variable "log_kms_key_arn" {
  description = "ARN of a key in us-east-1 for the log groups, whose policy lets CloudWatch Logs there use it. Null: CloudWatch Logs' own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:us-east-1:[0-9]{12}:key/[A-Za-z0-9-]+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn must be a KMS key's ARN in us-east-1, where the edge's logs are, or null."
  }
}

variable "log_refused_requests" {
  description = "Whether what the web ACL refuses or counts is logged, without tokens, cookies and the origin key. false where something else, such as Firewall Manager, logs it: a web ACL has one log."
  type        = bool
  default     = true
  nullable    = false
}

variable "availability_objective" {
  description = "Share of users' requests, in percent over 30 days, that must not fail (5XX). What is missing to 100 is the error budget."
  type        = number
  default     = 99.9

  validation {
    condition     = var.availability_objective >= 90 && var.availability_objective <= 99.99
    error_message = "availability_objective must be 90 to 99.99 percent: below, 14.4 times the error budget is more than every request; above, one bad minute is the whole month's."
  }
}

variable "latency_objective_ms" {
  description = "Milliseconds within which 99 in 100 of users' requests should be answered by the Region that serves; drawn, not alarmed on, for the Regions' stacks do that."
  type        = number
  default     = 1000

  validation {
    condition     = var.latency_objective_ms >= 50 && var.latency_objective_ms <= 29000
    error_message = "latency_objective_ms must be 50 to 29,000: the Region's gateway gives up after 29 s."
  }
}

variable "alarm_min_requests" {
  description = "Requests in an alarm's window below which no rate of errors is one to act on."
  type        = number
  default     = 100

  validation {
    condition     = var.alarm_min_requests >= 10
    error_message = "alarm_min_requests must be at least 10, or a handful of requests sets off alarms."
  }
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to. Each confirms once, by the e-mail that it gets."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alarm_emails must be e-mail addresses."
  }
}

variable "alarms_reach_somebody" {
  description = "Whether an empty alarm_emails is warned of at every plan. false where nobody is to be told, or something else is subscribed to the topic."
  type        = bool
  default     = true
  nullable    = false
}

variable "runbook_base_url" {
  description = "URL that docs/runbooks/ is found under, for links in alarms and dashboards that open in a console, such as https://github.com/example/landing/blob/main. null leaves paths of this repository."
  type        = string
  default     = null
}

# Shown on the dashboard

variable "table_name" {
  description = "Name of the Global Table, the same in every Region: for the dashboard."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be a DynamoDB table's name, not its ARN."
  }
}

variable "stage_name" {
  description = "Name of the stage that serves in each Region: for the dashboard."
  type        = string
  default     = "live"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage_name))
    error_message = "stage_name must be an API Gateway stage's name."
  }
}
