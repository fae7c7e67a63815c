output "plan_role_arn" {
  description = "ARN of the role that plans: the repository's variable of that account."
  value       = aws_iam_role.plan.arn
}

output "apply_role_arn" {
  description = "ARN of the role that applies: the environment's variable."
  value       = aws_iam_role.apply.arn
}

output "boundary_arn" {
  description = "ARN of the permissions boundary that every role of a function has to have."
  value       = aws_iam_policy.boundary.arn
}

output "oidc_provider_arn" {
  description = "ARN of GitHub's identity provider in this account, made here or there already."
  value       = local.provider_arn
}
