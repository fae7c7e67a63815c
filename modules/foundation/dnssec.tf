# Signed answers, where the account asks for them: then nobody on the way can give a resolver another
# address. The zone has to be ours, and the world believes the signatures only once the parent zone
# has the DS record (output ds_record). docs/deployment-guide.md has the order in which to begin and
# to end it: a DS record without signatures takes the domain off the net.

# Route 53 takes keys of us-east-1 alone, and of this kind (dns-configuring-dnssec-cmk-requirements).
resource "aws_kms_key" "dnssec" {
  count = var.dnssec ? 1 : 0

  provider = aws.us_east_1

  description              = "Signs the keys of the zone ${var.domain_name}"
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.key_administration,
      {
        Sid       = "Route53SignsWithTheKey"
        Effect    = "Allow"
        Principal = { Service = "dnssec-route53.amazonaws.com" }
        Action    = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"]
        Resource  = "*"
        Condition = local.from_this_accounts_zones
      },
      {
        Sid       = "Route53GrantsItself"
        Effect    = "Allow"
        Principal = { Service = "dnssec-route53.amazonaws.com" }
        Action    = "kms:CreateGrant"
        Resource  = "*"
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      },
    ]
  })
}

resource "aws_route53_key_signing_key" "this" {
  count = var.dnssec ? 1 : 0

  hosted_zone_id             = local.zone_id
  key_management_service_arn = aws_kms_key.dnssec[0].arn
  name                       = replace(var.name, "-", "_")
}

resource "aws_route53_hosted_zone_dnssec" "this" {
  count = var.dnssec ? 1 : 0

  hosted_zone_id = local.zone_id

  # Signing needs an active key, and ends before its key does.
  depends_on = [aws_route53_key_signing_key.this]
}
