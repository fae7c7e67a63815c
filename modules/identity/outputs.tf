output "user_pool_id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "user_pool_arn" {
  description = "ARN of the user pool, which the authorizers of both Regions trust."
  value       = aws_cognito_user_pool.this.arn
}

output "user_pool_endpoint" {
  description = "Issuer of the tokens, without https://: cognito-idp.<region>.amazonaws.com/<pool id>."
  value       = aws_cognito_user_pool.this.endpoint
}

output "client_id" {
  description = "Id of the mobile app's client; public, it has no secret."
  value       = aws_cognito_user_pool_client.mobile.id
}

output "resource_server_identifier" {
  description = "Prefix of the API's own scopes."
  value       = aws_cognito_resource_server.items.identifier
}

output "scopes" {
  description = "Scopes of the API, as they stand in an access token: items/read and items/write."
  value       = sort(aws_cognito_resource_server.items.scope_identifiers)
}

output "sign_in_domain" {
  description = "Host of the hosted sign-in page: https://<host>/oauth2/authorize, /oauth2/token, /logout."
  value       = local.sign_in_domain
}

output "deletion_protection" {
  description = "Whether the pool refuses to be deleted."
  value       = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
}
