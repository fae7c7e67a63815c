# The keys that encrypt logs, and what is logged and signed of the zone where an account asks for it.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111111111111" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_resource "aws_route53_zone" {
    defaults = { zone_id = "Z0MADEHERE" }
  }

  mock_resource "aws_acm_certificate" {
    defaults = {
      domain_validation_options = [{
        domain_name           = "example.com"
        resource_record_name  = "_token.example.com."
        resource_record_type  = "CNAME"
        resource_record_value = "_answer.acm-validations.aws."
      }]
    }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/primary", key_id = "primary" }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:111111111111:key/replica", key_id = "replica" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:111111111111:key/edge", key_id = "edge" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:111111111111:log-group:/aws/route53/example.com" }
  }
}

# Told apart from the key of the edge's logs.
override_resource {
  target = aws_kms_key.dnssec
  values = { arn = "arn:aws:kms:us-east-1:111111111111:key/dnssec", key_id = "dnssec" }
}

variables {
  name             = "landing-test"
  domain_name      = "example.com"
  domain_delegated = true
  primary_region   = "eu-west-1"
  standby_region   = "eu-central-1"
}

run "each_region_has_a_key_for_its_logs" {
  assert {
    condition = output.log_key_arns == {
      eu-west-1    = "arn:aws:kms:eu-west-1:111111111111:key/primary"
      eu-central-1 = "arn:aws:kms:eu-central-1:111111111111:key/replica"
      us-east-1    = "arn:aws:kms:us-east-1:111111111111:key/edge"
    }
    error_message = "CloudWatch Logs takes a key of its own Region alone: the edge's logs, in us-east-1, need one there."
  }

  assert {
    condition = alltrue([
      for key in concat([aws_kms_key.logs_primary, aws_kms_key.logs_replica], aws_kms_key.logs_edge) :
      key.enable_key_rotation && key.deletion_window_in_days == 30
    ])
    error_message = "A key turns every year, and is kept for as long as AWS allows when it is deleted: all logs go with it."
  }

  assert {
    condition = alltrue([
      for region, key in { eu-west-1 = aws_kms_key.logs_primary, eu-central-1 = aws_kms_key.logs_replica, us-east-1 = aws_kms_key.logs_edge[0] } :
      jsondecode(key.policy).Statement[1] == {
        Sid       = "LogsEncryptsLogGroups"
        Effect    = "Allow"
        Principal = { Service = "logs.${region}.amazonaws.com" }
        Action = [
          "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
          "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
        ]
        Resource = "*"
        Condition = {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${region}:111111111111:log-group:*" }
        }
      }
    ])
    error_message = "Logs of this account in the key's own Region may be encrypted with it, and nothing else: a policy for another Region lets no log group be made."
  }

  assert {
    condition = alltrue([
      for key in concat([aws_kms_key.logs_primary, aws_kms_key.logs_replica], aws_kms_key.logs_edge) :
      length(jsondecode(key.policy).Statement) == 2
      && jsondecode(key.policy).Statement[0].Principal == { AWS = "arn:aws:iam::111111111111:root" }
      && jsondecode(key.policy).Statement[0].Action == jsondecode(file("../key_administration.json"))
    ])
    error_message = "The account administers the key and may not use it: who reads a log by the key would pass by what IAM says of the log."
  }

  assert {
    condition = (
      [aws_kms_alias.logs_primary.name, aws_kms_alias.logs_replica.name] == ["alias/landing-test-logs", "alias/landing-test-logs"]
      && aws_kms_alias.logs_edge[0].name == "alias/landing-test-edge-logs"
      && [aws_kms_alias.logs_primary.target_key_id, aws_kms_alias.logs_replica.target_key_id, aws_kms_alias.logs_edge[0].target_key_id] == ["primary", "replica", "edge"]
    )
    error_message = "An account whose Region becomes us-east-1 has both keys there for a while: one name can't be both's."
  }
}

run "a_region_that_is_us_east_1_shares_its_key_with_the_edge" {
  variables {
    standby_region = "us-east-1"
  }

  assert {
    condition = length(aws_kms_key.logs_edge) == 0 && output.log_key_arns == {
      eu-west-1 = "arn:aws:kms:eu-west-1:111111111111:key/primary"
      us-east-1 = "arn:aws:kms:eu-central-1:111111111111:key/replica"
    }
    error_message = "Two keys in us-east-1 where one will do cost twice."
  }
}

run "the_zone_is_neither_signed_nor_logged_unless_somebody_says_so" {
  assert {
    condition = output.ds_record == "" && length(concat(
      aws_kms_key.dnssec, aws_route53_key_signing_key.this, aws_route53_hosted_zone_dnssec.this,
      aws_route53_query_log.this, aws_cloudwatch_log_group.queries, aws_cloudwatch_log_resource_policy.queries,
    )) == 0
    error_message = "A zone that is signed by default can't be let go without taking its domain off the net; queries tell of users."
  }
}

run "a_signed_zone" {
  variables {
    dnssec = true
  }

  assert {
    condition = (
      aws_kms_key.dnssec[0].customer_master_key_spec == "ECC_NIST_P256"
      && aws_kms_key.dnssec[0].key_usage == "SIGN_VERIFY"
      && aws_kms_key.dnssec[0].deletion_window_in_days == 30
      && aws_route53_key_signing_key.this[0].key_management_service_arn == "arn:aws:kms:us-east-1:111111111111:key/dnssec"
    )
    error_message = "Route 53 signs with a key of this kind in us-east-1, and with no other; deleted too soon, it takes the domain along."
  }

  assert {
    condition = jsondecode(aws_kms_key.dnssec[0].policy).Statement[1] == {
      Sid       = "Route53SignsWithTheKey"
      Effect    = "Allow"
      Principal = { Service = "dnssec-route53.amazonaws.com" }
      Action    = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"]
      Resource  = "*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "111111111111" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:route53:::hostedzone/*" }
      }
      } && jsondecode(aws_kms_key.dnssec[0].policy).Statement[2] == {
      Sid       = "Route53GrantsItself"
      Effect    = "Allow"
      Principal = { Service = "dnssec-route53.amazonaws.com" }
      Action    = "kms:CreateGrant"
      Resource  = "*"
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    }
    error_message = "Route 53 signs for zones of this account: without the condition somebody else's zone could be signed with this key."
  }

  assert {
    condition = (
      aws_route53_key_signing_key.this[0].hosted_zone_id == "Z0MADEHERE"
      && aws_route53_hosted_zone_dnssec.this[0].hosted_zone_id == "Z0MADEHERE"
      && can(regex("^[A-Za-z0-9_]{3,128}$", aws_route53_key_signing_key.this[0].name))
      && output.ds_record == aws_route53_key_signing_key.this[0].ds_record
    )
    error_message = "The zone is signed, and the parent's record is given out."
  }
}

run "a_zone_that_somebody_else_owns_is_not_signed" {
  command = plan

  variables {
    dnssec             = true
    create_hosted_zone = false
  }

  expect_failures = [var.dnssec]
}

run "a_zone_whose_queries_are_logged" {
  variables {
    query_logs         = true
    log_retention_days = 7
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.queries[0].name == "/aws/route53/example.com"
      && aws_cloudwatch_log_group.queries[0].kms_key_id == "arn:aws:kms:us-east-1:111111111111:key/edge"
      && aws_cloudwatch_log_group.queries[0].retention_in_days == 7
      && aws_route53_query_log.this[0].cloudwatch_log_group_arn == aws_cloudwatch_log_group.queries[0].arn
      && aws_route53_query_log.this[0].zone_id == "Z0MADEHERE"
    )
    error_message = "What is asked is kept encrypted, for as long as other logs, and no longer."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_log_resource_policy.queries[0].policy_document).Statement == [{
      Sid       = "Route53WritesQueries"
      Effect    = "Allow"
      Principal = { Service = "route53.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "arn:aws:logs:us-east-1:111111111111:log-group:/aws/route53/example.com:*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = "111111111111" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:route53:::hostedzone/*" }
      }
    }]
    error_message = "Route 53 writes into this one log group, for zones of this account."
  }
}

run "a_retention_that_logs_do_not_know" {
  command = plan

  variables {
    log_retention_days = 100
  }

  expect_failures = [var.log_retention_days]
}
