# What most accounts have in common, once. An account.hcl says what is its own, and wins.
#
# A new setting is a variable of its module, a line in its unit (_units/) and a default here. What
# no default can be had for stands in REQUIRED of account_guard.py.

locals {
  # The version that was tested; modules say which ones they can live with.
  provider_version = "5.100.0"

  # A zone of this account's own, or false where it has the zone already: then null looks it up by
  # domain_name, and a domain_name inside a larger zone needs that zone's id. Delegated means that the
  # world resolves the domain through it: certificates wait for that, and so do the Regions.
  create_hosted_zone = true
  hosted_zone_id     = null
  domain_delegated   = false

  # Signed answers of the zone, and a log of what is asked of it. The first has an order to keep to
  # (docs/deployment-guide.md, DNSSEC).
  dnssec         = false
  dns_query_logs = false

  # Tags that an organization wants on whatever is made, the state's bucket included (cost centers,
  # SCPs that deny what lacks them). This project's own come on top.
  tags = {}

  # Where the app takes a signed-out user back to, and web pages that may call the API.
  logout_urls     = []
  allowed_origins = []

  # The Region that stood by before standby_region does, until it is destroyed (docs/deployment-guide.md,
  # Another standby Region): it keeps its replica, and its units take no command but destroy.
  former_standby_region = null

  # A table or a user pool that is deleted takes every user's data with it.
  deletion_protection    = true
  point_in_time_recovery = true
  # Read and write units a second beyond which the table throttles, to bound the bill; null doesn't.
  table_max_throughput = null
  # null names it after the account. A restore makes a table of another name; then this names it.
  table_name = null

  # What the sign-in page's host begins with, which nobody else may have in the Region; null makes it
  # of project, account_name and account_id.
  sign_in_domain_prefix = null

  mfa = "OPTIONAL"
  # A price for every user: LITE has all that is set up here, ESSENTIALS passkeys and codes by e-mail,
  # too. ENFORCED refuses leaked passwords and odd sign-ins, and needs PLUS: a decision about money, so
  # it is made by whoever pays.
  user_pool_tier    = "LITE"
  advanced_security = "OFF"
  # A verified SES identity. Without one Cognito sends 50 e-mails a day, and no more people sign up.
  email_ses_identity_arn = null
  email_from             = null

  # A release of the function in the Region that serves: the share of calls that the new version gets at
  # first, in percent, and for how long, while it is compared with the old one. CloudWatch's metrics
  # come a minute or two late, so a shorter time sees little; 0 minutes lets it serve at once.
  canary_percent = 10
  bake_minutes   = 10

  # How many items one account may have, deleted ones included (kept for 30 days).
  max_items_per_owner = 10000
  # It decides how fast the function is.
  function_memory_mb = 1024
  # None: a new account's quota may be as low as 10, all of it needed. Where it is larger, the health
  # function has to have its share whatever the users' takes: 10.
  reserved_concurrency        = -1
  health_reserved_concurrency = -1
  # Requests a second that each method of the API takes, in each Region: API Gateway throttles method
  # by method. Seven of the users' are 7,000 a second together, and the quota of an account is 10,000 in
  # most Regions. What is above the quota refuses health checks, too. Both Regions get the same, since
  # the standby takes all of it on the bad day.
  throttle_rate_limit  = 1000
  throttle_burst_limit = 500

  # How soon users are moved: interval × threshold + TTL, 40 s. A shorter threshold moves them for
  # hiccups, too.
  health_check_interval_seconds  = 10
  health_check_failure_threshold = 3
  failover_record_ttl_seconds    = 10

  # What users are promised, over 30 days: the share of requests that don't fail, in percent, and
  # the time in which 99 in 100 are answered. Alarms page when the rest to 100 is used up too fast.
  availability_objective = 99.9
  latency_objective_ms   = 1000
  # Whom alarms wake. Every plan warns of an empty list, unless nobody is to be told.
  alarm_emails          = []
  alarms_reach_somebody = true
  # Where this repository's docs/runbooks/ can be read, so that alarms and dashboards link to it:
  # "https://github.com/example/landing/blob/main". null leaves paths, which a console can't open.
  runbook_base_url = null
  # Share of users' requests that X-Ray traces, beside one a second.
  trace_rate = 0.1

  # What `make drill` holds a failover to. Reads: how many may fail, and how long the slowest may take:
  # 3 s for a Region that hangs, and the other's answer. Writes: how long users may be without (the
  # 40 s above are the least; CloudFront's resolvers and health checkers all over the world add to
  # them), and how much of what was acknowledged may be missing in the other Region. Updates: how many
  # a planned move may lose.
  failed_reads_target         = 0
  slowest_read_target_seconds = 5
  rto_target_seconds          = 60
  rpo_target_seconds          = 5
  lost_updates_target         = 0
  drills_ask_twice            = true
  # The role that AWS FIS takes in `make drill NAME=replication-paused` (docs/testing-guide.md).
  drills_fis_role_arn = null
  # What one `make load` may cost at most, in dollars, by the prices of costs/. It asks twice as drills do.
  load_max_dollars = 5

  # Of one address: requests in five minutes, and those for /health* in one. A mobile carrier puts
  # thousands of users behind one, none of whom asks for health.
  edge_rate_limit        = 10000
  edge_health_rate_limit = 240
  price_class            = "PriceClass_100"
  geo_restriction        = { restriction_type = "none" }

  log_retention_days = 14
  # What the web ACLs refuse or count. false where Firewall Manager logs it: a web ACL has one log.
  log_refused_requests = true
  # X-Ray's setting for the whole account, in both Regions: "KMS" for a key of the account's own,
  # "NONE" for X-Ray's; null leaves it to whoever else sets it.
  trace_encryption = null
  # What Lambda has to find a signature on, and where the signed package is (docs/deployment-guide.md,
  # Signed packages): { package = "signed/lambda.zip", profile_version_arns = ["arn:aws:signer:…"] }.
  code_signing = null

  # The repository whose workflows may plan and apply this account (docs/deployment-guide.md, A pipeline),
  # as GitHub's tokens name it: "repo:owner/name", or with ids behind both. null: none may, and the unit
  # global/pipeline is left out. An apply comes from that branch, and from the environment that is named
  # like the account; an account that has GitHub's identity provider already says which.
  pipeline_subject           = null
  pipeline_branch            = "main"
  pipeline_oidc_provider_arn = null

  # Raise it by one to rotate the key that the edge shows to the Regions.
  origin_key_rotation = 1
}
