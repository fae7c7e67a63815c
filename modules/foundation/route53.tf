resource "aws_route53_zone" "this" {
  # checkov:skip=CKV2_AWS_38: Signed where the account says so (dnssec.tf): the parent zone has to hold the DS record, in an order that no apply can keep.
  # checkov:skip=CKV2_AWS_39: Logged where the account says so (query_logs.tf): resolvers' addresses, and by EDNS a part of users'.
  count = var.create_hosted_zone ? 1 : 0

  name          = var.domain_name
  comment       = "Names of ${var.name}"
  force_destroy = var.zone_force_destroy
}

data "aws_route53_zone" "existing" {
  count = var.create_hosted_zone ? 0 : 1

  zone_id = var.hosted_zone_id
  # A zone is found by its id or by its name, never by both.
  name         = var.hosted_zone_id == null ? var.domain_name : null
  private_zone = false

  lifecycle {
    postcondition {
      condition = (
        var.domain_name == trimsuffix(self.name, ".")
        || endswith(var.domain_name, ".${trimsuffix(self.name, ".")}")
      )
      error_message = "domain_name (${var.domain_name}) is neither the hosted zone's name nor a name under it (${self.name}): its records would never be found."
    }
  }
}

locals {
  zone_id           = one(concat(aws_route53_zone.this[*].zone_id, data.aws_route53_zone.existing[*].zone_id))
  zone_name         = var.create_hosted_zone ? var.domain_name : trimsuffix(one(data.aws_route53_zone.existing[*].name), ".")
  zone_name_servers = one(concat(aws_route53_zone.this[*].name_servers, data.aws_route53_zone.existing[*].name_servers))

  # What Route 53 does for a zone of this account's, and for no other.
  from_this_accounts_zones = {
    StringEquals = { "aws:SourceAccount" = local.account_id }
    ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:route53:::hostedzone/*" }
  }
}

resource "aws_route53_record" "validation" {
  count = var.create_validation_record ? 1 : 0

  zone_id = local.zone_id
  name    = local.validation_record.resource_record_name
  type    = local.validation_record.resource_record_type
  ttl     = 300
  records = [local.validation_record.resource_record_value]
}

resource "aws_route53_record" "caa" {
  count = length(var.caa_issuers) > 0 ? 1 : 0

  zone_id = local.zone_id
  name    = var.domain_name
  type    = "CAA"
  ttl     = 3600
  # Twice: an authority reads `issuewild` for a wildcard, and `issue` for all else.
  records = flatten([
    for issuer in var.caa_issuers : ["0 issue \"${issuer}\"", "0 issuewild \"${issuer}\""]
  ])
}
