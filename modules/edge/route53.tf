locals {
  https_check = {
    type              = "HTTPS"
    port              = 443
    request_interval  = var.health_check_interval_seconds
    failure_threshold = var.health_check_failure_threshold
  }
}

# Every check is made before the one that it replaces is deleted, for a change of the
# interval replaces them: Route 53 refuses to delete a check that a calculated one
# still names, and a record whose check is gone behaves unpredictably
# (DeleteHealthCheck).
#
# And none before the names that it asks for: resolvers keep it for minutes that a
# name wasn't there, and the check would be unhealthy as long.

# Whether a Region can serve: it reads and writes its own replica.
resource "aws_route53_health_check" "ready" {
  for_each = local.region_domain_names

  fqdn              = each.value
  resource_path     = "/health/ready"
  type              = local.https_check.type
  port              = local.https_check.port
  request_interval  = local.https_check.request_interval
  failure_threshold = local.https_check.failure_threshold
  enable_sni        = true

  tags = { Name = "${var.name}-ready-${each.key}" }

  depends_on = [aws_route53_record.region]

  lifecycle {
    create_before_destroy = true
  }
}

# The operator's switch. It watches the *standby*, so that it works when the
# primary Region and Route 53's control plane don't: /health/takeover answers
# 200 while takeover is active, and 404 otherwise, its table lost
# included: no other answer than a plain yes moves anybody. Inverted: that 200 is
# "unhealthy". So is a new check until it has data, since Route 53 takes it for healthy
# before the inversion: users are in the standby for its first minute.
resource "aws_route53_health_check" "not_taken_over" {
  fqdn               = local.region_domain_names.standby
  resource_path      = "/health/takeover"
  type               = local.https_check.type
  port               = local.https_check.port
  request_interval   = local.https_check.request_interval
  failure_threshold  = local.https_check.failure_threshold
  enable_sni         = true
  invert_healthcheck = true

  tags = { Name = "${var.name}-not-taken-over" }

  depends_on = [aws_route53_record.region]

  lifecycle {
    create_before_destroy = true
  }
}

# The primary serves while it is ready AND takeover is not active.
resource "aws_route53_health_check" "primary_serves" {
  type                   = "CALCULATED"
  child_health_threshold = 2

  child_healthchecks = [
    aws_route53_health_check.ready["primary"].id,
    aws_route53_health_check.not_taken_over.id,
  ]

  tags = { Name = "${var.name}-primary-serves" }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  failover_records = {
    primary = {
      policy          = "PRIMARY"
      health_check_id = aws_route53_health_check.primary_serves.id
    }
    standby = {
      policy          = "SECONDARY"
      health_check_id = aws_route53_health_check.ready["standby"].id
    }
  }
}

# The Regions' own names, which don't follow the failover.
resource "aws_route53_record" "region" {
  # checkov:skip=CKV2_AWS_23: Its target is API Gateway's name of the Region, which another unit makes and hands over.
  for_each = local.regions

  zone_id = var.zone_id
  name    = local.region_domain_names[each.key]
  type    = "A"

  alias {
    name    = var.regional_endpoints[each.value].region.domain_name
    zone_id = var.regional_endpoints[each.value].region.zone_id
    # It would tell only that API Gateway as a whole is down in that Region.
    evaluate_target_health = false
  }
}

# CNAMEs, not aliases: an alias has its target's TTL, 60 s, and those would be
# the largest part of a failover's outage.
resource "aws_route53_record" "origin" {
  for_each = local.failover_records

  zone_id         = var.zone_id
  name            = local.origin_domain_name
  type            = "CNAME"
  ttl             = var.failover_record_ttl_seconds
  records         = [var.regional_endpoints[local.regions[each.key]].origin.domain_name]
  set_identifier  = each.key
  health_check_id = each.value.health_check_id

  failover_routing_policy {
    type = each.value.policy
  }
}

resource "aws_route53_record" "public" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.zone_id
  name    = local.public_domain_name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false # Route 53 has no health of a distribution
  }
}
