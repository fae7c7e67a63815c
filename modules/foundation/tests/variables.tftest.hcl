mock_provider "aws" {}

mock_provider "aws" {
  alias = "replica"
}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  name             = "landing-test"
  domain_name      = "example.com"
  domain_delegated = true
  primary_region   = "us-east-1"
  standby_region   = "us-west-2"
}

# One run shows many refusals, each its own variable's: a run is a start of the provider.

run "what_aws_or_acm_would_refuse_is_refused_before_it_is_asked" {
  command = plan

  variables {
    name               = "Landing_Test"
    domain_name        = "example.com."
    standby_region     = "us-east-1"
    create_hosted_zone = false
    hosted_zone_id     = "/hostedzone/Z0EXISTING"
    caa_issuers        = ["letsencrypt.org"]
    # Longer than a delegated domain ever takes.
    validation_timeout        = "24h"
    certificate_key_algorithm = "RSA_1024"
    # Between two rotations.
    origin_key_rotation = 1.5
  }

  expect_failures = [
    var.name,
    var.domain_name,
    var.standby_region,
    var.hosted_zone_id,
    var.caa_issuers,
    var.validation_timeout,
    var.certificate_key_algorithm,
    var.origin_key_rotation,
  ]
}

run "values_at_odds_with_each_other_or_past_a_limit" {
  command = plan

  variables {
    # One character more than ACM takes.
    domain_name        = "a23456789.b23456789.c23456789.d23456789.e23456789.f234567.example"
    create_hosted_zone = true
    hosted_zone_id     = "Z0EXISTING"
    primary_region     = "Virginia"
    # Before the first one.
    origin_key_rotation = 0
  }

  expect_failures = [
    var.domain_name,
    var.hosted_zone_id,
    var.primary_region,
    var.origin_key_rotation,
  ]
}
