# What lets a repository's workflows plan and apply an account, with no key that lives longer than a
# job: GitHub's identity provider, a role that reads and one that changes. A person with an
# administrator's credentials applies it; neither role may change it.

locals {
  issuer       = "token.actions.githubusercontent.com"
  provider_arn = coalesce(var.oidc_provider_arn, one(aws_iam_openid_connect_provider.this[*].arn))

  # The policies are files that a person can read; the names in them are this account's. IAM counts
  # the characters of a policy without its white space, and takes 6,144.
  names = {
    account   = var.account_id
    boundary  = local.boundary_arn
    bucket    = var.state_bucket
    name      = var.name
    partition = data.aws_partition.this.partition
    table     = var.table_name
  }
  policies = {
    for file in fileset("${path.module}/policies", "*.json") :
    trimsuffix(file, ".json") => jsonencode(jsondecode(templatefile("${path.module}/policies/${file}", local.names)))
  }
}

data "aws_partition" "this" {}
