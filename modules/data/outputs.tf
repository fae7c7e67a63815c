output "table_name" {
  description = "Name of the table, the same in both Regions."
  value       = aws_dynamodb_table.this.name
}

output "table_arns" {
  description = "Region => ARN of the table there."
  value = {
    (var.primary_region) = aws_dynamodb_table.this.arn
    (var.standby_region) = one([for replica in aws_dynamodb_table.this.replica : replica.arn if replica.region_name == var.standby_region])
  }
}

output "kms_key_arns" {
  description = "Region => ARN of the key that encrypts the table there."
  value = {
    (var.primary_region) = aws_kms_key.this.arn
    (var.standby_region) = aws_kms_replica_key.this.arn
  }
}

output "index_names" {
  description = "Names of the indexes: {created, status}."
  value       = local.index_names
}

output "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  value       = aws_dynamodb_table.this.deletion_protection_enabled
}
