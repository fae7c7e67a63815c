# The global layer: one public name in front of both Regions.
#
#   viewer → api.<domain> → CloudFront → origin.<domain> → the healthy Region
#
# Each Region answers at <region>.<domain> as well: for its health checks, and for
# tests and operators that hold the key of the origin lock.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"

      configuration_aliases = [aws.us_east_1]
    }
  }
}

locals {
  public_domain_name = "api.${var.domain_name}"
  origin_domain_name = "origin.${var.domain_name}"

  regions = {
    primary = var.primary_region
    standby = var.replica_region
  }

  region_domain_names = { for role, region in local.regions : role => "${region}.${var.domain_name}" }

  # The certificate's: nothing to ask AWS for while planning.
  partition  = split(":", var.edge_certificate_arn)[1]
  account_id = split(":", var.edge_certificate_arn)[4]
}
