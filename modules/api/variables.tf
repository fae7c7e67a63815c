# Names and Regions

variable "name" {
  description = "Prefix of everything that is made here: project and account, for example landing-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 30 lower-case letters, digits and hyphens, starting with a letter: with Region and suffix it still has to fit IAM's 64 characters."
  }
}

variable "region" {
  description = "The AWS Region that this stack is in; the provider must be of the same one."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS Region's code, such as us-east-1."
  }
}

variable "role" {
  description = "What this Region is in the pair: primary or standby. It tells people and logs apart; the stack is the same."
  type        = string

  validation {
    condition     = contains(["primary", "standby"], var.role)
    error_message = "role must be primary or standby."
  }
}

variable "peer_region" {
  description = "The other Region of the pair: where this one's writes are replicated to. Its name alone; the stack reads nothing of it."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.peer_region)) && var.peer_region != var.region
    error_message = "peer_region must be an AWS Region's code, and another one than region."
  }
}

# Custom domain names

variable "domain_name" {
  description = "The zone's domain. The Region answers at <region>.<domain_name> and, when DNS says so, at origin.<domain_name>."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]([a-z0-9-]*[a-z0-9])?$", var.domain_name))
    error_message = "domain_name must be a lower-case domain name without a trailing dot, such as example.com."
  }
}

variable "certificate_arn" {
  description = "ARN of this Region's validated ACM certificate for domain_name and *.domain_name. Empty or null while the domain isn't delegated; the stack then refuses to plan and says what to do."
  type        = string

  validation {
    condition     = var.certificate_arn == null || var.certificate_arn == "" || can(regex("^arn:aws[a-z-]*:acm:${var.region}:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn must be an ACM certificate's ARN in ${var.region}: API Gateway takes only its own Region's certificates."
  }
}

variable "security_policy" {
  description = "TLS policy of the custom domain names."
  type        = string
  default     = "TLS_1_2"

  validation {
    condition     = var.security_policy == "TLS_1_2"
    error_message = "security_policy must be TLS_1_2: provider 5.100, which these modules still work with, refuses the SecurityPolicy_* names, and TLS 1.0 is refused here."
  }
}

# Sign-in

variable "user_pool_arns" {
  description = "ARNs of the Cognito user pools whose access tokens are accepted. A pool may be in another Region."
  type        = list(string)

  validation {
    condition     = length(var.user_pool_arns) > 0 && alltrue([for arn in var.user_pool_arns : can(regex("^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[A-Za-z0-9_-]+$", arn))])
    error_message = "user_pool_arns must name at least one user pool, each by its full ARN."
  }
}

variable "user_pool_client_ids" {
  description = "Ids of the app clients whose access tokens are taken. The authorizer takes those of every client of the pools that has a fitting scope; the function refuses what isn't in this list."
  type        = list(string)

  validation {
    condition     = length(var.user_pool_client_ids) > 0 && alltrue([for id in var.user_pool_client_ids : can(regex("^[A-Za-z0-9_+]{1,128}$", id))])
    error_message = "user_pool_client_ids must name at least one app client by its id: with none, nobody could sign in."
  }
}

# The table

variable "table_name" {
  description = "Name of the Global Table, the same in every Region."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be a DynamoDB table's name, not its ARN."
  }
}

variable "table_arn" {
  description = "ARN of the table's replica in this Region."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:dynamodb:${var.region}:[0-9]{12}:table/${var.table_name}$", var.table_arn))
    error_message = "table_arn must be the ARN of table_name in ${var.region}: a stack that reached into another Region would fail with it."
  }
}

variable "index_names" {
  description = "Names of the table's indexes that lists are read from: by creation, and by status."
  type = object({
    created = string
    status  = string
  })
  default = {
    created = "by_created"
    status  = "by_status"
  }

  validation {
    condition     = alltrue([for index in values(var.index_names) : can(regex("^[A-Za-z0-9_.-]{3,255}$", index))])
    error_message = "index_names must be names of DynamoDB indexes: no wildcard, for they stand in the function's policy."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key, in this Region, that the table's replica is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be a KMS key's ARN in ${var.region} (an alias can't stand in a policy)."
  }
}

# The contract

variable "openapi_path" {
  description = "Path of the contract. Its schemas are found beside it, where it says that they are."
  type        = string

  validation {
    condition     = fileexists(var.openapi_path)
    error_message = "There is no contract at ${var.openapi_path}."
  }

  validation {
    condition     = !fileexists(var.openapi_path) || can(yamldecode(file(var.openapi_path)).paths)
    error_message = "The contract at ${var.openapi_path} is not a YAML document with paths."
  }
}

variable "allowed_origins" {
  description = "Origins of web pages that may call the API (CORS). Empty, as for an app that is no web page: no CORS at all."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.allowed_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", origin))])
    error_message = "allowed_origins must be origins as browsers send them: scheme, host and, unless it is the scheme's own, port; lower case, no path, no wildcard. For example https://app.example.com."
  }
}

variable "max_items_per_owner" {
  description = "How many items one account may make, deleted ones included. Each takes at most 21 KB, and as much again in the local index, of the 10 GB that all items of one username share."
  type        = number
  default     = 10000

  validation {
    condition     = var.max_items_per_owner >= 1 && var.max_items_per_owner <= 100000 && floor(var.max_items_per_owner) == var.max_items_per_owner
    error_message = "max_items_per_owner must be a whole number between 1 and 100,000: more of the largest items than that could fill the 10 GB that DynamoDB has for them, and then nothing more can be written there."
  }
}

# The function

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of every role that is made here; null for none. Who makes roles through a pipeline may make none without (modules/pipeline)."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of an IAM policy."
  }
}

variable "package_path" {
  description = "Path of the function's package (zip)."
  type        = string

  validation {
    condition     = fileexists(var.package_path)
    error_message = "There is no package at ${var.package_path}: build it with `make package`."
  }
}

variable "runtime" {
  description = "The function's runtime. Its Python version is what the package's bytecode was compiled for."
  type        = string
  default     = "python3.13"

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13"], var.runtime)
    error_message = "runtime must be python3.11, python3.12 or python3.13: provider 5.100, which these modules still work with, refuses later ones."
  }
}

variable "architecture" {
  description = "The function's processor: arm64 costs a fifth less. The package is pure Python and runs on both."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "function_memory_mb" {
  description = "The function's memory in MB, and with it its share of a processor."
  type        = number
  default     = 1024

  validation {
    condition     = var.function_memory_mb >= 128 && var.function_memory_mb <= 10240 && floor(var.function_memory_mb) == var.function_memory_mb
    error_message = "function_memory_mb must be a whole number between 128 and 10240."
  }
}

variable "function_timeout_seconds" {
  description = "When a call of the function is given up. Well under the gateway's 29 s, so that it is the function that ends first and its log that tells."
  type        = number
  default     = 10

  validation {
    condition     = var.function_timeout_seconds >= 3 && var.function_timeout_seconds <= 28
    error_message = "function_timeout_seconds must be between 3 and 28: API Gateway gives up after 29."
  }
}

variable "reserved_concurrency" {
  description = "How many copies of the users' function may run at once, taken out of the account's quota in this Region. -1 reserves nothing and limits nothing; 0 stops the function, and moves nobody (the health function goes on). Both Regions need the same: the standby Region gets all the traffic on the bad day."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency >= -1 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency must be -1 (no reservation) or a whole number from 0."
  }
}

variable "health_reserved_concurrency" {
  description = "How many copies of the health function may run at once, taken out of the account's quota in this Region. Some 5 requests a second, each of which takes a second on a bad day, need 5. -1 reserves nothing: then users' calls can take the account's whole quota, and the Region looks lost."
  type        = number
  default     = 10

  validation {
    condition     = (var.health_reserved_concurrency == -1 || var.health_reserved_concurrency >= 5) && floor(var.health_reserved_concurrency) == var.health_reserved_concurrency
    error_message = "health_reserved_concurrency must be -1 (no reservation) or a whole number from 5: health checks that are refused take the Region for lost."
  }
}

variable "provisioned_concurrency" {
  description = "How many copies of the function are kept warm, at a price by the hour. 0 keeps none."
  type        = number
  default     = 0

  validation {
    condition     = var.provisioned_concurrency >= 0 && floor(var.provisioned_concurrency) == var.provisioned_concurrency
    error_message = "provisioned_concurrency must be a whole number from 0."
  }

  validation {
    condition     = var.provisioned_concurrency == 0 || !var.snap_start
    error_message = "provisioned_concurrency and snap_start exclude each other (AWS has either): choose one."
  }

  validation {
    condition     = var.reserved_concurrency == -1 || var.provisioned_concurrency <= var.reserved_concurrency
    error_message = "provisioned_concurrency comes out of reserved_concurrency and can't be more."
  }
}

variable "signing_profile_version_arns" {
  description = "AWS Signer's profiles, by the ARN of a version, one of which must have signed the package: Lambda then refuses any other. Empty: Lambda takes what whoever may deploy gives it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.signing_profile_version_arns) <= 20 && alltrue([for arn in var.signing_profile_version_arns : can(regex("^arn:aws[a-z-]*:signer:[a-z0-9-]+:[0-9]{12}:/signing-profiles/[A-Za-z0-9_]+/[A-Za-z0-9]{10}$", arn))])
    error_message = "signing_profile_version_arns must be at most 20 ARNs of versions of signing profiles, such as arn:aws:signer:us-east-1:111111111111:/signing-profiles/releases/ab12CD34ef."
  }
}

variable "snap_start" {
  description = "Start the function from a snapshot (SnapStart): shorter cold starts, for a price by version and restore. Off by default: the package starts fast by itself, and a version that nobody calls for 14 days, as a standby's, has to be made ready again before it answers (docs/performance.md)."
  type        = bool
  default     = false
}

# Logs

variable "log_level" {
  description = "What the function logs: DEBUG, INFO, WARNING or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "system_log_level" {
  description = "What Lambda itself logs beside the function: INFO adds two lines to every call (start and report), which at tens of millions of calls a day is most of the log's price; WARN only what goes wrong."
  type        = string
  default     = "WARN"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN"], var.system_log_level)
    error_message = "system_log_level must be DEBUG, INFO or WARN."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch Logs' own: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653. (For ever is none of them.)"
  }
}

variable "log_kms_key_arn" {
  description = "ARN of a key for the log groups, whose policy lets CloudWatch Logs in this Region use it. Null: CloudWatch Logs' own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/[A-Za-z0-9-]+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn must be a KMS key's ARN in ${var.region}, or null."
  }
}

variable "log_refused_requests" {
  description = "Whether what the web ACL refuses or counts is logged, without tokens, cookies and the origin key. false where something else, such as Firewall Manager, logs it: a web ACL has one log."
  type        = bool
  default     = true
  nullable    = false
}

variable "execution_log_level" {
  description = "The gateway's own execution log: OFF, ERROR or INFO. Off by default, since it quotes what callers sent when it doesn't fit a model; the access log and the trace tell the rest. For a debugging session."
  type        = string
  default     = "OFF"

  validation {
    condition     = contains(["OFF", "ERROR", "INFO"], var.execution_log_level)
    error_message = "execution_log_level must be OFF, ERROR or INFO."
  }
}

# The gateway

variable "throttle_rate_limit" {
  description = "Requests a second that each method of the users' takes in this Region. All methods together (output throttle_rate_total) have to be within the account's quota, 10,000 in most Regions, 2,500 in newer ones: beyond it, health checks are refused like everything else."
  type        = number
  default     = 1000

  validation {
    condition     = var.throttle_rate_limit >= 1
    error_message = "throttle_rate_limit must be at least 1: 0 would refuse everything, and -1 would take the limit away."
  }
}

variable "throttle_burst_limit" {
  description = "Requests at once that each method of the users' takes in this Region. The account's quota, for all methods together, is 5,000 in most Regions, 1,250 in newer ones, and AWS raises it only with the rate's."
  type        = number
  default     = 500

  validation {
    condition     = var.throttle_burst_limit >= 1 && floor(var.throttle_burst_limit) == var.throttle_burst_limit
    error_message = "throttle_burst_limit must be a whole number from 1."
  }
}

variable "health_throttle_rate_limit" {
  description = "Requests a second that each health method takes in this Region. Some 16 checkers that ask every 10 s, by two health checks, are 3 a second."
  type        = number
  default     = 100

  validation {
    condition     = var.health_throttle_rate_limit >= 10
    error_message = "health_throttle_rate_limit must be at least 10: health checkers that are refused take the Region for lost."
  }
}

variable "health_throttle_burst_limit" {
  description = "Requests at once that each health method takes in this Region. Checkers all over the world may ask in the same moment."
  type        = number
  default     = 100

  validation {
    condition     = var.health_throttle_burst_limit >= 50 && floor(var.health_throttle_burst_limit) == var.health_throttle_burst_limit
    error_message = "health_throttle_burst_limit must be a whole number from 50: health checkers that are refused take the Region for lost."
  }
}

variable "disable_execute_api_endpoint" {
  description = "Turn the API's default endpoint off: the Region is then reached by its custom domain names only, and nothing gets past what guards them."
  type        = bool
  default     = true
}

variable "manage_gateway_account" {
  description = "Set API Gateway's CloudWatch role of this account and Region. There is one such setting for all REST APIs in it and no log without it: leave it true unless something else in the account already sets it."
  type        = bool
  default     = true
}

# The web ACL

variable "origin_key" {
  description = "The secret of the origin lock: what a request has to carry in x-origin-key to get in. {current, previous}: both are let in, the edge sends the current one."
  type = object({
    current  = string
    previous = string
  })
  sensitive = true

  validation {
    condition     = length(var.origin_key.current) >= 32 && length(var.origin_key.previous) >= 32
    error_message = "Both values of origin_key must be at least 32 characters: they are the foundation unit's output origin_key."
  }
}

variable "health_rate_limit_per_five_minutes" {
  description = "Requests for the contract's public paths (health) from one address in five minutes, round the edge, before the Region refuses them. A Route 53 checker makes 30 in that time, at an interval of 10 s."
  type        = number
  default     = 1000

  validation {
    condition     = var.health_rate_limit_per_five_minutes >= 100 && var.health_rate_limit_per_five_minutes <= 2000000000
    error_message = "health_rate_limit_per_five_minutes must be 100 to 2,000,000,000."
  }
}

# Objectives and alarms

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
  description = "Milliseconds within which 99 in 100 of users' requests must be answered by the gateway."
  type        = number
  default     = 1000

  validation {
    condition     = var.latency_objective_ms >= 50 && var.latency_objective_ms <= 29000
    error_message = "latency_objective_ms must be 50 to 29,000: the gateway gives up after 29 s."
  }
}

variable "replication_lag_seconds" {
  description = "Average replication lag above which the alarm goes off. About a second is usual."
  type        = number
  default     = 10

  validation {
    condition     = var.replication_lag_seconds >= 2
    error_message = "replication_lag_seconds must be at least 2: about a second is usual."
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

# Traces

variable "trace_reservoir" {
  description = "Users' requests that X-Ray traces every second before the rate counts, in this Region."
  type        = number
  default     = 1

  validation {
    condition     = var.trace_reservoir >= 0 && floor(var.trace_reservoir) == var.trace_reservoir
    error_message = "trace_reservoir must be a whole number from 0."
  }
}

variable "trace_encryption" {
  description = "What X-Ray encrypts all traces of the account in this Region with, whoever makes them: KMS, a key that is made here; NONE, X-Ray's own. Null leaves the setting alone. To end it say NONE first, and null once the last trace that the key encrypted is gone (30 days): null takes the key away, and X-Ray keeps nothing while it names a lost key."
  type        = string
  default     = null

  validation {
    condition     = var.trace_encryption == null ? true : contains(["KMS", "NONE"], var.trace_encryption)
    error_message = "trace_encryption must be KMS, NONE or null."
  }
}

variable "trace_rate" {
  description = "Share of the other users' requests that X-Ray traces, from 0 to 1. A million traces cost a few dollars, and the function's part of a traced request is slower."
  type        = number
  default     = 0.01

  validation {
    condition     = var.trace_rate >= 0 && var.trace_rate <= 1
    error_message = "trace_rate must be from 0 to 1: 0.05 is one request in twenty."
  }
}
