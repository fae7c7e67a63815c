# What everything else stands on and nothing else owns: the zone that the names live in, the
# certificates that the Regions and the edge answer with, and the key that the edge shows them.

locals {
  # CloudFront reads certificates from us-east-1 alone. A provider can't be selected by an
  # expression, so a third certificate is asked for only when neither Region's will do.
  edge_region            = "us-east-1"
  needs_edge_certificate = !contains([var.primary_region, var.standby_region], local.edge_region)

  # The same name in the same account gets the same validation record in every Region, and a
  # wildcard shares its parent's: this one record validates all of them.
  validation_record = one([
    for option in aws_acm_certificate.primary.domain_validation_options : option
    if option.domain_name == var.domain_name
  ])
  validation_fqdns = [
    for record in aws_route53_record.validation : record.fqdn
  ]

  # Empty rather than null: an input that is null never reaches a unit, and the reader's own
  # validation can say better than a missing value what has to be done.
  certificate_arns = {
    (var.primary_region) = join("", aws_acm_certificate_validation.primary[*].certificate_arn)
    (var.standby_region) = join("", aws_acm_certificate_validation.replica[*].certificate_arn)
  }
  edge_certificate_arn = (
    local.needs_edge_certificate
    ? join("", aws_acm_certificate_validation.edge[*].certificate_arn)
    : local.certificate_arns[local.edge_region]
  )

  delegation_steps = join(" ", [
    "Certificates for ${var.domain_name} are requested, but the domain is not delegated yet.",
    "Set these name servers for ${local.zone_name} at its registrar or in its parent zone:",
    "${join(", ", local.zone_name_servers)}.",
    "When `dig NS ${local.zone_name}` answers with them, set domain_delegated = true and apply again.",
    "Do so within 72 hours: ACM gives up on a certificate that is not validated by then.",
  ])
}

check "delegation" {
  assert {
    condition     = var.domain_delegated
    error_message = local.delegation_steps
  }
}
