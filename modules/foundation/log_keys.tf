# What encrypts every log: a key in each Region, since CloudWatch Logs takes one of its own Region
# alone, and one in us-east-1 for the edge's logs where neither Region is that. Made here, beside
# what takes as long anyway, and not where the log groups are: a key takes a quarter of a minute,
# which a function and a stage would wait for.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  partition         = data.aws_partition.current.partition
  account_id        = data.aws_caller_identity.current.account_id
  account_principal = "arn:${local.partition}:iam::${local.account_id}:root"

  # "Resource": "*" is how a key policy says "this key"; it knows no other.
  key_administration = {
    Sid       = "AccountAdministersTheKey"
    Effect    = "Allow"
    Principal = { AWS = local.account_principal }
    Action    = jsondecode(file("${path.module}/../key_administration.json"))
    Resource  = "*"
  }

  log_key_policies = {
    for region in toset([var.primary_region, var.standby_region, local.edge_region]) : region => jsonencode({
      Version = "2012-10-17"
      Statement = [
        local.key_administration,
        {
          # For log groups of this account in this Region, by the context that Logs encrypts with,
          # and for nobody directly: who may read a log is said by IAM, about the log
          # (AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
          Sid       = "LogsEncryptsLogGroups"
          Effect    = "Allow"
          Principal = { Service = "logs.${region}.${data.aws_partition.current.dns_suffix}" }
          Action = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
          ]
          Resource = "*"
          Condition = {
            ArnLike = {
              "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${region}:${local.account_id}:log-group:*"
            }
          }
        },
      ]
    })
  }

  log_key_arns = {
    (var.primary_region) = aws_kms_key.logs_primary.arn
    (var.standby_region) = aws_kms_key.logs_replica.arn
  }
  edge_log_key_arn = local.needs_edge_certificate ? one(aws_kms_key.logs_edge[*].arn) : local.log_key_arns[local.edge_region]

  # The longest there is: with the key go all logs that it encrypted.
  log_key_deletion_days = 30
}

resource "aws_kms_key" "logs_primary" {
  description             = "Encrypts the logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = local.log_key_deletion_days
  policy                  = local.log_key_policies[var.primary_region]
}

resource "aws_kms_key" "logs_replica" {
  provider = aws.replica

  description             = "Encrypts the logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = local.log_key_deletion_days
  policy                  = local.log_key_policies[var.standby_region]
}

resource "aws_kms_key" "logs_edge" {
  count = local.needs_edge_certificate ? 1 : 0

  provider = aws.us_east_1

  description             = "Encrypts the edge's logs of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = local.log_key_deletion_days
  policy                  = local.log_key_policies[local.edge_region]
}

resource "aws_kms_alias" "logs_primary" {
  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs_primary.key_id
}

resource "aws_kms_alias" "logs_replica" {
  provider = aws.replica

  name          = "alias/${var.name}-logs"
  target_key_id = aws_kms_key.logs_replica.key_id
}

# A name of its own: us-east-1 may become a Region of the account's.
resource "aws_kms_alias" "logs_edge" {
  count = local.needs_edge_certificate ? 1 : 0

  provider = aws.us_east_1

  name          = "alias/${var.name}-edge-logs"
  target_key_id = aws_kms_key.logs_edge[0].key_id
}
