output "rest_api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "execution_arn" {
  description = "The REST API's ARN for permissions to call it, without stage, method and path."
  value       = aws_api_gateway_rest_api.this.execution_arn
}

output "stage_name" {
  description = "Name of the stage that serves."
  value       = aws_api_gateway_stage.live.stage_name
}

output "stage_arn" {
  description = "ARN of the stage that serves: what a web ACL is attached to."
  value       = aws_api_gateway_stage.live.arn
}

output "deployment_id" {
  description = "Id of the deployment that the stage serves. It changes when what is deployed does, and never otherwise."
  value       = aws_api_gateway_deployment.this.id
}

output "deployment_fingerprint" {
  description = "Hash of everything that is deployed: a new deployment is made when it changes."
  value       = aws_api_gateway_deployment.this.triggers.deployed
}

output "region_domain_name" {
  description = "The Region's own host name."
  value       = local.region_domain_name
}

output "region_url" {
  description = "URL of the Region's own host name, without a trailing slash."
  value       = "https://${local.region_domain_name}"

  # Not before it answers.
  depends_on = [aws_api_gateway_base_path_mapping.this]
}

output "regional_endpoints" {
  description = "API Gateway's names behind <region>.<domain> (region) and origin.<domain> (origin), for the records that lead there."
  value = {
    for key, domain in aws_api_gateway_domain_name.this : key => {
      domain_name = domain.regional_domain_name
      zone_id     = domain.regional_zone_id
    }
  }
}

output "function_name" {
  description = "Name of the users' function."
  value       = aws_lambda_function.this.function_name
}

output "function_alias_arn" {
  description = "ARN of the users' function's alias that the API calls."
  value       = aws_lambda_alias.live.arn
}

output "function_role_name" {
  description = "Name of the users' function's role."
  value       = aws_iam_role.function.name
}

output "health_function_name" {
  description = "Name of the function that answers the health routes."
  value       = aws_lambda_function.health.function_name
}

output "health_function_role_name" {
  description = "Name of the health function's role."
  value       = aws_iam_role.health.name
}

output "throttle_rate_total" {
  description = "Requests a second that pass the limits of all methods together. Where the account's quota in this Region is below it, a flood over several methods is refused without regard to what it asks for, health checks included."
  value       = length(local.health_methods) * var.health_throttle_rate_limit + (length(local.user_routes) + length(local.preflights)) * var.throttle_rate_limit
}

output "log_group_names" {
  description = "Names of the log groups: of the users' function, of the health function and of the API's access log."
  value = {
    function = aws_cloudwatch_log_group.function.name
    health   = aws_cloudwatch_log_group.health.name
    access   = aws_cloudwatch_log_group.access.name
  }
}

output "dashboard_name" {
  description = "Name of the Region's dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "paging_alarm_name" {
  description = "Name of the Region's one alarm that pages."
  value       = module.alarms.paging_alarm_name
}

output "alarm_topic_arn" {
  description = "ARN of the topic that the Region's alarms go to."
  value       = module.alarms.topic_arn
}

output "trace_group_name" {
  description = "Name of the X-Ray group of failed and slow requests."
  value       = aws_xray_group.this.group_name
}
