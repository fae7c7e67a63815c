resource "aws_api_gateway_domain_name" "this" {
  for_each = local.domain_names

  domain_name              = each.value
  regional_certificate_arn = var.certificate_arn
  security_policy          = var.security_policy

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    precondition {
      condition     = var.certificate_arn != null && var.certificate_arn != ""
      error_message = "There is no validated certificate for ${var.domain_name} in ${var.region}, because the domain isn't delegated yet. Take zone_name_servers from foundation's outputs, set them as the NS records of ${var.domain_name} at its registrar or in its parent zone, set domain_delegated = true in account.hcl, apply foundation again, then this."
    }
  }
}

# No base_path: the stage is the root, and the contract's paths are the URL's.
resource "aws_api_gateway_base_path_mapping" "this" {
  for_each = local.domain_names

  domain_name = aws_api_gateway_domain_name.this[each.key].domain_name
  api_id      = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.live.stage_name
}
