# The alarms of one place (a Region, the edge): those that wake somebody, joined
# by one composite alarm, and non-paging ones. Used by api and edge.

locals {
  runbooks = join("/", compact([var.runbook_base_url, "docs/runbooks"]))

  # The Google SRE workbook, chapter 5 ("Alerting on SLOs"), approach 6. Both
  # windows of a pair have to agree: the long one that it is serious, the short
  # one that it goes on.
  burn_rate_windows = {
    fast-long  = { factor = 14.4, seconds = 3600 }
    fast-short = { factor = 14.4, seconds = 300 }
    slow-long  = { factor = 6, seconds = 21600 }
    slow-short = { factor = 6, seconds = 1800 }
  }

  burn_rate_alarms = {
    for window, pace in local.burn_rate_windows : "availability-${window}" => {
      description = "${var.burn_rate.description} so often that the error budget of 30 days is gone in ${floor(30 / pace.factor * 10) / 10} days (over ${pace.seconds / 60} minutes). Pages together with the other window of its pair."
      runbook     = var.burn_rate.runbook
      metrics     = var.burn_rate.metrics
      expression  = var.burn_rate.expression
      comparison  = "GreaterThanThreshold"
      threshold   = pace.factor * (1 - var.burn_rate.objective / 100)
      period      = pace.seconds
      periods     = 1
      # Without a request nobody is failed; whether anybody gets through at all is
      # the canary's to say.
      missing = "notBreaching"
      pages   = false
    }
  }

  alarms = merge(local.burn_rate_alarms, var.alarms)

  # What the composite alarm is made of doesn't tell by itself that it is on or off.
  silent = concat(keys(local.burn_rate_alarms), [for key, alarm in var.alarms : key if alarm.pages])
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.description} Runbook: ${local.runbooks}/${each.value.runbook}"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing

  alarm_actions = contains(local.silent, each.key) ? [] : [aws_sns_topic.this.arn]
  ok_actions    = contains(local.silent, each.key) ? [] : [aws_sns_topic.this.arn]
  # No page comes of this state, so a part of the composite alarm tells it, too. An
  # alarm begins with it, which is no change and tells nobody.
  insufficient_data_actions = each.value.missing == "missing" ? [aws_sns_topic.this.arn] : []

  metric_query {
    id          = "watched"
    label       = each.key
    expression  = each.value.expression
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "pages" {
  alarm_name        = "${var.name}-serves-errors"
  alarm_description = "${var.page.description} Runbook: ${local.runbooks}/${var.page.runbook}"

  alarm_rule = join(" OR ", concat(
    [
      for pair in ["fast", "slow"] :
      "(ALARM(\"${aws_cloudwatch_metric_alarm.this["availability-${pair}-long"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.this["availability-${pair}-short"].alarm_name}\"))"
    ],
    [
      for key, alarm in var.alarms :
      "ALARM(\"${aws_cloudwatch_metric_alarm.this[key].alarm_name}\")" if alarm.pages
    ],
  ))

  alarm_actions = [aws_sns_topic.this.arn]
  ok_actions    = [aws_sns_topic.this.arn]
}

# A warning and no error: what is broken is not the deployment, but who hears of it.
check "alarms_reach_somebody" {
  assert {
    condition     = length(var.emails) > 0 || !var.reach_somebody
    error_message = "NOBODY IS TOLD of the alarms of ${var.name}: alarm_emails is empty. Put the addresses of whoever is on call there, in account.hcl; or say alarms_reach_somebody = false there, if nobody is to be told, or something else is subscribed to the topic."
  }
}
