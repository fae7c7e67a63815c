mock_provider "aws" {
  mock_resource "aws_route53_zone" {
    defaults = {
      zone_id      = "Z0MADEHERE"
      name_servers = ["ns-1.awsdns-01.com", "ns-2.awsdns-02.net"]
    }
  }

  mock_data "aws_route53_zone" {
    defaults = {
      id           = "Z0EXISTING"
      zone_id      = "Z0EXISTING"
      name         = "example.com."
      name_servers = ["ns-9.awsdns-09.org"]
    }
  }

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-west-1:123456789012:certificate/primary"
      domain_validation_options = [
        {
          domain_name           = "*.example.com"
          resource_record_name  = "_token.example.com."
          resource_record_type  = "CNAME"
          resource_record_value = "_answer.acm-validations.aws."
        },
        {
          domain_name           = "example.com"
          resource_record_name  = "_token.example.com."
          resource_record_type  = "CNAME"
          resource_record_value = "_answer.acm-validations.aws."
        },
      ]
    }
  }

  mock_resource "aws_route53_record" {
    defaults = {
      fqdn = "_token.example.com"
    }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/replica"
    }
  }
}

mock_provider "aws" {
  alias = "us_east_1"

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/edge"
    }
  }
}

variables {
  name             = "landing-test"
  domain_name      = "example.com"
  domain_delegated = true
  primary_region   = "eu-west-1"
  standby_region   = "eu-central-1"
}

run "one_record_validates_a_certificate_in_each_region" {
  assert {
    condition     = length(aws_route53_record.validation) == 1
    error_message = "Two owners of the same validation record fight over it."
  }

  assert {
    condition = (
      aws_route53_record.validation[0].name == "_token.example.com."
      && aws_route53_record.validation[0].records == toset(["_answer.acm-validations.aws."])
    )
    error_message = "The record must carry what ACM asked for."
  }

  assert {
    condition = alltrue([
      for validation in concat(
        aws_acm_certificate_validation.primary,
        aws_acm_certificate_validation.replica,
        aws_acm_certificate_validation.edge,
      ) : validation.validation_record_fqdns == toset(["_token.example.com"])
    ])
    error_message = "Every certificate waits for the one record."
  }

  assert {
    condition = alltrue([
      for certificate in concat(
        [aws_acm_certificate.primary, aws_acm_certificate.replica],
        aws_acm_certificate.edge,
      ) : certificate.subject_alternative_names == toset(["*.example.com"])
    ])
    error_message = "Every certificate covers the names under the domain too."
  }

  assert {
    condition = output.certificate_arns == {
      eu-west-1    = "arn:aws:acm:eu-west-1:123456789012:certificate/primary"
      eu-central-1 = "arn:aws:acm:eu-central-1:123456789012:certificate/replica"
    }
    error_message = "Each Region needs the certificate that lives in it."
  }

  assert {
    condition     = output.edge_certificate_arn == "arn:aws:acm:us-east-1:123456789012:certificate/edge"
    error_message = "CloudFront needs a certificate in us-east-1 when neither Region is us-east-1."
  }

  assert {
    condition     = output.next_step == ""
    error_message = "Nothing is left to do once the domain is delegated."
  }

  assert {
    condition = alltrue([
      for certificate in concat(
        [aws_acm_certificate.primary, aws_acm_certificate.replica],
        aws_acm_certificate.edge,
      ) : certificate.domain_name == "example.com" && certificate.validation_method == "DNS"
    ]) && length(aws_acm_certificate.edge) == 1
    error_message = "By DNS a certificate renews itself; by e-mail it ends when nobody answers one, and every name with it."
  }

  assert {
    condition = alltrue([
      for certificate in concat(
        [aws_acm_certificate.primary, aws_acm_certificate.replica],
        aws_acm_certificate.edge,
      ) : certificate.key_algorithm == "RSA_2048"
    ])
    error_message = "A key must be one that every client takes and nobody breaks, the standby's as well."
  }

  assert {
    condition = (
      aws_route53_zone.this[0].name == "example.com"
      && aws_route53_zone.this[0].force_destroy == false
      && length(aws_route53_zone.this[0].vpc) == 0
    )
    error_message = "The zone is the world's, and isn't deleted while others have records in it."
  }

  assert {
    condition     = aws_route53_record.validation[0].zone_id == "Z0MADEHERE" && aws_route53_record.validation[0].type == "CNAME"
    error_message = "ACM must find its record for as long as certificates are to be renewed."
  }

  assert {
    condition = alltrue([
      for validation in concat(
        aws_acm_certificate_validation.primary,
        aws_acm_certificate_validation.replica,
        aws_acm_certificate_validation.edge,
      ) : validation.timeouts.create == "20m"
    ])
    error_message = "A delegated domain is validated in minutes: an apply must neither give up at once nor hang."
  }

  assert {
    condition     = length(aws_route53_record.caa) == 0
    error_message = "Who may issue for the domain must be somebody's wish: a CAA record shuts every other authority out."
  }
}

run "no_third_certificate_when_the_primary_is_us_east_1" {
  command = plan

  variables {
    primary_region = "us-east-1"
    standby_region = "us-west-2"
  }

  assert {
    condition     = length(aws_acm_certificate.edge) == 0 && length(aws_acm_certificate_validation.edge) == 0
    error_message = "The primary's certificate is the edge's."
  }
}

run "the_edge_uses_the_replica_s_certificate_when_that_is_us_east_1" {
  variables {
    primary_region = "us-west-2"
    standby_region = "us-east-1"
  }

  assert {
    condition     = length(aws_acm_certificate.edge) == 0
    error_message = "The standby Region's certificate is the edge's."
  }

  assert {
    condition     = output.edge_certificate_arn == aws_acm_certificate.replica.arn
    error_message = "The edge must get the certificate of us-east-1, whichever role that Region has."
  }
}

run "an_undelegated_domain_waits_for_nothing_and_says_what_to_do" {
  variables {
    domain_delegated = false
  }

  expect_failures = [check.delegation]

  assert {
    condition = length(concat(
      aws_acm_certificate_validation.primary,
      aws_acm_certificate_validation.replica,
      aws_acm_certificate_validation.edge,
    )) == 0
    error_message = "Waiting for a certificate that nobody can validate hangs the apply."
  }

  assert {
    condition     = length(aws_route53_record.validation) == 1
    error_message = "The record is there already, so that delegation is all that's left."
  }

  assert {
    condition     = output.certificate_arns == { eu-west-1 = "", eu-central-1 = "" } && output.edge_certificate_arn == ""
    error_message = "A certificate that isn't validated must not be handed on."
  }

  assert {
    condition = (
      strcontains(output.next_step, "ns-1.awsdns-01.com, ns-2.awsdns-02.net")
      && strcontains(output.next_step, "domain_delegated = true")
    )
    error_message = "The next step must name the name servers and the switch."
  }
}

run "a_domain_under_an_existing_zone_uses_that_zone" {
  variables {
    create_hosted_zone = false
    hosted_zone_id     = "Z0EXISTING"
    domain_name        = "app.example.com"
    # Another owner keeps it in this account.
    create_validation_record = false
    caa_issuers              = ["amazon.com", "letsencrypt.org"]
  }

  assert {
    condition     = length(aws_route53_zone.this) == 0
    error_message = "No zone is made beside an existing one."
  }

  assert {
    condition     = output.zone_id == "Z0EXISTING" && output.zone_name_servers == tolist(["ns-9.awsdns-09.org"])
    error_message = "The outputs are the existing zone's."
  }

  assert {
    condition     = length(aws_route53_record.validation) == 0
    error_message = "A validation record with another owner must be left alone."
  }

  assert {
    condition     = output.certificate_arns["eu-west-1"] == aws_acm_certificate.primary.arn
    error_message = "The certificates are waited for, whoever keeps the record."
  }

  assert {
    condition     = aws_route53_record.caa[0].zone_id == "Z0EXISTING" && aws_route53_record.caa[0].name == "app.example.com"
    error_message = "The CAA record belongs to the domain, in the existing zone."
  }

  assert {
    condition     = aws_route53_record.caa[0].type == "CAA" && aws_route53_record.caa[0].ttl == 3600
    error_message = "A record of another type keeps no authority from issuing; and a wrong one must be put right within the hour."
  }

  assert {
    condition     = data.aws_route53_zone.existing[0].private_zone == false
    error_message = "Records in a private zone are seen by nobody."
  }

  assert {
    condition = toset(aws_route53_record.caa[0].records) == toset([
      "0 issue \"amazon.com\"", "0 issuewild \"amazon.com\"",
      "0 issue \"letsencrypt.org\"", "0 issuewild \"letsencrypt.org\"",
    ])
    error_message = "Every authority may issue for the domain and for its wildcard."
  }
}

run "a_domain_that_the_account_registered_uses_the_zone_of_its_name" {
  command = plan

  variables {
    create_hosted_zone = false
  }

  assert {
    condition = (
      length(aws_route53_zone.this) == 0
      && data.aws_route53_zone.existing[0].name == "example.com"
      && output.zone_id == "Z0EXISTING"
    )
    error_message = "The zone that came with the registration is found by the domain's name; none is made beside it."
  }

  assert {
    condition     = [for record in aws_route53_record.validation : record.zone_id] == ["Z0EXISTING"]
    error_message = "ACM's record belongs in the zone that the domain is delegated to."
  }
}

run "a_domain_that_only_ends_like_the_zone_is_refused" {
  variables {
    create_hosted_zone = false
    hosted_zone_id     = "Z0EXISTING"
    domain_name        = "notexample.com"
  }

  command         = plan
  expect_failures = [data.aws_route53_zone.existing]
}
