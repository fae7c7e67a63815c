output "zone_id" {
  description = "Id of the hosted zone that the records go into."
  value       = local.zone_id
}

output "zone_name_servers" {
  description = "Name servers to set at the registrar, or as an NS record in the parent zone."
  value       = local.zone_name_servers
}

output "domain_name" {
  description = "Domain that every public name is made under."
  value       = var.domain_name
}

output "certificate_arns" {
  description = "Region => ARN of its validated certificate for the domain and everything one level under it; empty strings until the domain is delegated."
  value       = local.certificate_arns
}

output "edge_certificate_arn" {
  description = "ARN of the validated certificate in us-east-1, for CloudFront; an empty string until the domain is delegated."
  value       = local.edge_certificate_arn
}

output "log_key_arns" {
  description = "Region => ARN of the key that encrypts logs there, us-east-1 included, where the edge's are."
  value       = merge(local.log_key_arns, { (local.edge_region) = local.edge_log_key_arn })
}

output "ds_record" {
  description = "What the parent zone has to hold as the DS record of the domain; an empty string while the zone isn't signed."
  value       = join("", aws_route53_key_signing_key.this[*].ds_record)
}

output "origin_key" {
  description = "What the edge sends in the header x-origin-key: {current, previous}. Regions let both in, the edge sends the current one."
  value = {
    current  = terraform_data.origin_key[tostring(var.origin_key_rotation)].triggers_replace
    previous = terraform_data.origin_key[tostring(var.origin_key_rotation - 1)].triggers_replace
  }
  sensitive = true
}

output "next_step" {
  description = "What a person has to do before the rest can be applied; empty when nothing is left."
  value       = var.domain_delegated ? "" : local.delegation_steps
}
