output "api_url" {
  description = "The one public URL of the API."
  value       = "https://${local.public_domain_name}"
}

output "distribution_id" {
  description = "The CloudFront distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_domain_name" {
  description = "CloudFront's own name of the distribution."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "origin_domain_name" {
  description = "The failover name that CloudFront resolves to the Region that serves."
  value       = local.origin_domain_name
}

output "health_check_ids" {
  description = "The health checks that decide which Region serves."
  value = {
    primary_ready  = aws_route53_health_check.ready["primary"].id
    standby_ready  = aws_route53_health_check.ready["standby"].id
    not_taken_over = aws_route53_health_check.not_taken_over.id
    primary_serves = aws_route53_health_check.primary_serves.id
  }
}

output "failover_limit_seconds" {
  description = "The least time in which these settings can move users: interval x threshold + TTL."
  value       = var.health_check_interval_seconds * var.health_check_failure_threshold + var.failover_record_ttl_seconds
}

output "access_log_group_name" {
  description = "The log group of the edge's access logs, in us-east-1."
  value       = aws_cloudwatch_log_group.access.name
}

output "dashboard_name" {
  description = "Name of the global dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "paging_alarm_name" {
  description = "Name of the edge's one alarm that pages, in us-east-1."
  value       = module.alarms.paging_alarm_name
}

output "alarm_topic_arn" {
  description = "ARN of the topic, in us-east-1, that the edge's alarms go to."
  value       = module.alarms.topic_arn
}
