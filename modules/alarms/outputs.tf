output "topic_arn" {
  description = "ARN of the topic that the alarms go to."
  value       = aws_sns_topic.this.arn
}

output "paging_alarm_name" {
  description = "Name of the one alarm that pages."
  value       = aws_cloudwatch_composite_alarm.pages.alarm_name
}

output "runbooks" {
  description = "Runbook of every alarm by its name: a page of docs/runbooks, and a section where the page has several."
  value = merge(
    { for key, alarm in local.alarms : "${var.name}-${key}" => alarm.runbook },
    { (aws_cloudwatch_composite_alarm.pages.alarm_name) = var.page.runbook },
  )
}

output "runbooks_url" {
  description = "Where the runbooks are: a URL, or the repository's path."
  value       = local.runbooks
}
