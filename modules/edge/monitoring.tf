# What wakes somebody about the public name, whichever Region serves. CloudFront's
# and Route 53's metrics are in us-east-1 alone, and so is everything here.

locals {
  monitoring_name = "${var.name}-edge"

  distribution_dimensions = { DistributionId = aws_cloudfront_distribution.this.id, Region = "Global" }

  burn_rate = {
    description = "Users get errors at the public name"
    runbook     = "edge-serves-errors.md"
    objective   = var.availability_objective
    expression  = "IF(requests >= ${var.alarm_min_requests}, failed / 100, 0)"
    metrics = {
      requests = { namespace = "AWS/CloudFront", name = "Requests", dimensions = local.distribution_dimensions, stat = "Sum" }
      failed   = { namespace = "AWS/CloudFront", name = "5xxErrorRate", dimensions = local.distribution_dimensions, stat = "Average" }
    }
  }

  health_alarms = {
    for key, check in {
      public-path-down = {
        id          = aws_route53_health_check.public_path.id
        runbook     = "public-path-down.md"
        description = "Pages: nobody is answered at the public name, seen from several parts of the world, whether anybody uses it or not: CloudFront or DNS is down, or both Regions are (a read is answered by either). First: make status, and is one of the Regions ready?"
      }
      primary-not-ready = {
        id          = aws_route53_health_check.ready["primary"].id
        runbook     = "non-paging-alarms.md#primary-not-ready"
        description = "${var.primary_region} is not ready: users move to ${var.standby_region} by themselves. See that they did, then look for the cause."
      }
      standby-not-ready = {
        id          = aws_route53_health_check.ready["standby"].id
        runbook     = "non-paging-alarms.md#standby-not-ready"
        description = "${var.standby_region} is not ready: there is nowhere to fail over to. Nobody notices until it is needed."
      }
      takeover-active = {
        id          = aws_route53_health_check.not_taken_over.id
        runbook     = "non-paging-alarms.md#takeover-active"
        description = "The operator's switch is active: users are in ${var.standby_region} until the failback (make failback)."
      }
    } :
    key => {
      runbook     = check.runbook
      description = check.description
      metrics     = { status = { namespace = "AWS/Route53", name = "HealthCheckStatus", dimensions = { HealthCheckId = check.id }, stat = "Minimum" } }
      expression  = "status"
      comparison  = "LessThanThreshold"
      threshold   = 1
      period      = 60
      periods     = key == "public-path-down" ? 2 : 1
      pages       = key == "public-path-down"
      # A new check has no data for its first minutes, and would page on the first
      # apply if that were an alarm. One that Route 53 ceases to report on doesn't stay
      # silent: the alarm then tells that it has no data, and wakes nobody.
      missing = "missing"
    }
  }
}

module "alarms" {
  source = "../alarms"

  providers = { aws = aws.us_east_1 }

  name    = local.monitoring_name
  account = { id = local.account_id, partition = local.partition }
  emails  = var.alarm_emails

  reach_somebody   = var.alarms_reach_somebody
  runbook_base_url = var.runbook_base_url

  burn_rate = local.burn_rate
  alarms    = local.health_alarms

  page = {
    description = "Pages: users get errors at ${local.public_domain_name}, whichever Region serves, or nobody gets through at all. First: which Region serves, and is the other one well?"
    runbook     = "edge-serves-errors.md"
  }
}

# What no traffic would hide: readers' whole way, asked for all the time, through
# either Region; a checker gives up before a Region that hangs is left. No record
# depends on it, as it follows the failover itself. It comes last: asked for sooner, it
# would page on the first apply.
resource "aws_route53_health_check" "public_path" {
  fqdn              = local.public_domain_name
  resource_path     = "/health/ready"
  type              = local.https_check.type
  port              = local.https_check.port
  request_interval  = 30
  failure_threshold = local.https_check.failure_threshold
  enable_sni        = true

  tags = { Name = "${var.name}-public-path" }

  depends_on = [
    aws_cloudfront_distribution.this,
    aws_route53_record.origin,
    aws_route53_record.public,
  ]

  lifecycle {
    create_before_destroy = true
  }
}

# OriginLatency and the rates of single codes, which CloudFront doesn't measure
# unless asked, for a price by distribution.
resource "aws_cloudfront_monitoring_subscription" "this" {
  distribution_id = aws_cloudfront_distribution.this.id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}
