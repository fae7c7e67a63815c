# IAM checks GitHub's certificate by its own list of authorities; a thumbprint isn't needed any more.
resource "aws_iam_openid_connect_provider" "this" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  # A job's token says whose it is: the repository and, after it, a pull request of its own branches
  # (a fork's has no token), a branch, or an environment. A pull request's code runs with what the plan
  # role may, so that role can change nothing.
  subjects = {
    plan  = ["${var.subject}:pull_request", "${var.subject}:ref:refs/heads/${var.branch}"]
    apply = ["${var.subject}:environment:${var.environment}"]
  }

  # An environment stands in the subject in place of the branch, which has a key of its own: both
  # have to be right.
  refs = {
    plan  = {}
    apply = { "${local.issuer}:ref" = ["refs/heads/${var.branch}"] }
  }

  trusts = {
    for role, subjects in local.subjects : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "JobsOfThisRepository"
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = local.provider_arn }
        Condition = {
          StringEquals = merge(
            {
              "${local.issuer}:aud" = ["sts.amazonaws.com"]
              "${local.issuer}:sub" = subjects
            },
            local.refs[role],
          )
        }
      }]
    })
  }
}
