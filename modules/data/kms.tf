locals {
  account_principal = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"

  # One policy for both keys: a replica key's policy is its own, and is not copied from the
  # primary's. "Resource": "*" is how a key policy says "this key"; it knows no other.
  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # What AWS's default policy says as kms:*, less the use of the key: the account's IAM
        # policies decide who administers it. Without PutKeyPolicy for somebody nobody could
        # ever change the key again.
        Sid       = "AccountAdministersTheKey"
        Effect    = "Allow"
        Principal = { AWS = local.account_principal }
        Action    = jsondecode(file("${path.module}/../key_administration.json"))
        Resource  = "*"
      },
      {
        # Whoever in the account may use the table, by IAM, may have DynamoDB use the key for it:
        # never directly, and never through another service. The list is the one that DynamoDB
        # asks for; with the grants that it makes at creation it replicates, backs up and expires.
        Sid       = "DynamoDBUsesTheKeyForTheAccount"
        Effect    = "Allow"
        Principal = { AWS = local.account_principal }
        Action = [
          "kms:CreateGrant",
          "kms:Decrypt",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:GenerateDataKeyWithoutPlaintext",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
        ]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:ViaService" = [
              for region in local.regions :
              "dynamodb.${region}.${data.aws_partition.current.dns_suffix}"
            ]
          }
        }
      },
      {
        # A key that DynamoDB can't look at counts as lost; a replica without its key for 20
        # hours leaves the global table for good.
        Sid       = "DynamoDBLooksAtTheKey"
        Effect    = "Allow"
        Principal = { Service = "dynamodb.amazonaws.com" }
        Action = [
          "kms:DescribeKey",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListGrants",
          "kms:ListKeyPolicies",
          "kms:ListResourceTags",
        ]
        Resource = "*"
      },
    ]
  })
}

# A multi-Region key: what is restored from a backup in one Region can be read in the other.
resource "aws_kms_key" "this" {
  description             = "Encrypts the table of ${var.name}"
  multi_region            = true
  enable_key_rotation     = true
  rotation_period_in_days = var.key_rotation_days
  deletion_window_in_days = var.key_deletion_window_days
  policy                  = local.key_policy
}

resource "aws_kms_replica_key" "this" {
  provider = aws.replica

  description             = "Encrypts the table of ${var.name}"
  primary_key_arn         = aws_kms_key.this.arn
  deletion_window_in_days = var.key_deletion_window_days
  policy                  = local.key_policy
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-items"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_kms_alias" "replica" {
  provider = aws.replica

  name          = "alias/${var.name}-items"
  target_key_id = aws_kms_replica_key.this.key_id
}
