# The global layer: one public name in front of both Regions.
#
#   viewer → api.<domain> → CloudFront → origin.<domain> → the healthy Region
#
# Each Region answers at <region>.<domain> as well: for its health checks, and for
# tests and operators that hold the key of the origin lock.

locals {
  public_domain_name = "api.${var.domain_name}"
  origin_domain_name = "origin.${var.domain_name}"

  regions = {
    primary = var.primary_region
    standby = var.standby_region
  }

  region_domain_names = { for role, region in local.regions : role => "${region}.${var.domain_name}" }

  # The certificate's: nothing to ask AWS for while planning.
  partition  = provider::aws::arn_parse(var.edge_certificate_arn).partition
  account_id = provider::aws::arn_parse(var.edge_certificate_arn).account_id
}
