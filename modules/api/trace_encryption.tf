# The key of all traces in the Region, where the account asks for one. X-Ray has one setting for an
# account and a Region, which may be somebody else's to make.

resource "aws_kms_key" "traces" {
  count = var.trace_encryption == null ? 0 : 1

  description             = "Encrypts X-Ray's traces"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountAdministersTheKey"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = jsondecode(file("${path.module}/../key_administration.json"))
        Resource  = "*"
      },
      {
        # Who sets it up grants X-Ray the key, and who reads traces decrypts with it; who writes
        # them needs nothing (xray/latest/devguide/security_iam_id-based-policy-examples).
        Sid       = "XRayUsesTheKeyForTheAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = ["kms:CreateGrant", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "kms:ViaService" = "xray.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_xray_encryption_config" "this" {
  count = var.trace_encryption == null ? 0 : 1

  type   = var.trace_encryption
  key_id = var.trace_encryption == "KMS" ? aws_kms_key.traces[0].arn : null
}
