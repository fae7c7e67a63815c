resource "aws_acm_certificate" "primary" {
  domain_name               = var.domain_name
  subject_alternative_names = ["*.${var.domain_name}"]
  validation_method         = "DNS"
  key_algorithm             = var.certificate_key_algorithm

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "replica" {
  provider = aws.replica

  domain_name               = var.domain_name
  subject_alternative_names = ["*.${var.domain_name}"]
  validation_method         = "DNS"
  key_algorithm             = var.certificate_key_algorithm

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "edge" {
  count = local.needs_edge_certificate ? 1 : 0

  provider = aws.us_east_1

  domain_name               = var.domain_name
  subject_alternative_names = ["*.${var.domain_name}"]
  validation_method         = "DNS"
  key_algorithm             = var.certificate_key_algorithm

  lifecycle {
    create_before_destroy = true
  }
}

# These wait for ACM, so they exist only once the world can see the zone; before that an apply
# ends at once, with what to do next in a warning and in the output `next_step`.

resource "aws_acm_certificate_validation" "primary" {
  count = var.domain_delegated ? 1 : 0

  certificate_arn         = aws_acm_certificate.primary.arn
  validation_record_fqdns = local.validation_fqdns

  timeouts {
    create = var.validation_timeout
  }
}

resource "aws_acm_certificate_validation" "replica" {
  count = var.domain_delegated ? 1 : 0

  provider = aws.replica

  certificate_arn         = aws_acm_certificate.replica.arn
  validation_record_fqdns = local.validation_fqdns

  timeouts {
    create = var.validation_timeout
  }
}

resource "aws_acm_certificate_validation" "edge" {
  count = var.domain_delegated && local.needs_edge_certificate ? 1 : 0

  provider = aws.us_east_1

  certificate_arn         = one(aws_acm_certificate.edge[*].arn)
  validation_record_fqdns = local.validation_fqdns

  timeouts {
    create = var.validation_timeout
  }
}
