mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:111111111111:mock" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:111111111111:key/mock" }
  }
}

variables {
  name    = "landing-test"
  account = { id = "111111111111", partition = "aws" }
  page    = { description = "Users get errors.", runbook = "page.md" }
  emails  = ["somebody@example.com"]

  burn_rate = {
    description = "Requests fail"
    runbook     = "page.md"
    objective   = 99.9
    expression  = "errors / all"
    metrics = {
      all    = { namespace = "N", name = "Count", dimensions = {}, stat = "Sum" }
      errors = { namespace = "N", name = "Errors", dimensions = {}, stat = "Sum" }
    }
  }

  alarms = {
    canary = {
      description = "Nobody gets through."
      runbook     = "canary.md"
      expression  = "status"
      threshold   = 1
      period      = 60
      comparison  = "LessThanThreshold"
      missing     = "missing"
      pages       = true
      metrics     = { status = { namespace = "N", name = "Status", dimensions = {}, stat = "Minimum" } }
    }
    lag = {
      description = "It is late."
      runbook     = "non-paging.md#lag"
      expression  = "lag"
      threshold   = 5
      period      = 300
      metrics     = { lag = { namespace = "N", name = "Lag", dimensions = {}, stat = "Average" } }
    }
  }
}

run "a_page_needs_both_windows_of_a_pair_or_an_alarm_that_pages" {
  assert {
    condition     = aws_cloudwatch_composite_alarm.pages.alarm_rule == "(ALARM(\"landing-test-availability-fast-long\") AND ALARM(\"landing-test-availability-fast-short\")) OR (ALARM(\"landing-test-availability-slow-long\") AND ALARM(\"landing-test-availability-slow-short\")) OR ALARM(\"landing-test-canary\")"
    error_message = "a page must need both windows of a pair, or an alarm that pages by itself"
  }
}

run "only_the_page_and_what_informs_tell_anybody" {
  assert {
    condition = toset([
      for key, alarm in aws_cloudwatch_metric_alarm.this : key if length(coalesce(alarm.alarm_actions, [])) > 0
    ]) == toset(["lag"])
    error_message = "a part of the composite alarm must tell nobody by itself"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.pages.alarm_actions == toset([aws_sns_topic.this.arn])
    error_message = "the page must tell somebody"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.pages.ok_actions == toset([aws_sns_topic.this.arn])
    error_message = "whoever was woken must hear that it is over: without it an incident stays open in the pager, and the next page isn't heard"
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => [coalesce(alarm.alarm_actions, []), coalesce(alarm.ok_actions, [])]
      } == {
      for key in keys(aws_cloudwatch_metric_alarm.this) : key => key == "lag" ? [toset([aws_sns_topic.this.arn]), toset([aws_sns_topic.this.arn])] : [toset([]), toset([])]
    }
    error_message = "an alarm that informs must say that it is over, too, and to the same topic"
  }

  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.this) : coalesce(alarm.actions_enabled, true)
    ]) && coalesce(aws_cloudwatch_composite_alarm.pages.actions_enabled, true)
    error_message = "an alarm whose actions are off tells nobody"
  }

  assert {
    condition = { for address, subscription in aws_sns_topic_subscription.this : address => [subscription.topic_arn, subscription.protocol, subscription.endpoint] } == {
      "somebody@example.com" = [aws_sns_topic.this.arn, "email", "somebody@example.com"]
    }
    error_message = "whoever is on call must be subscribed to this topic"
  }
}

run "an_alarm_goes_off_when_it_is_worse_and_not_when_it_is_better" {
  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.comparison_operator } == {
      availability-fast-long  = "GreaterThanThreshold"
      availability-fast-short = "GreaterThanThreshold"
      availability-slow-long  = "GreaterThanThreshold"
      availability-slow-short = "GreaterThanThreshold"
      canary                  = "LessThanThreshold"
      lag                     = "GreaterThanThreshold"
    }
    error_message = "flipped, an alarm is on while all is well and off while users fail"
  }

  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.treat_missing_data } == {
      availability-fast-long  = "notBreaching"
      availability-fast-short = "notBreaching"
      availability-slow-long  = "notBreaching"
      availability-slow-short = "notBreaching"
      canary                  = "missing"
      lag                     = "notBreaching"
    }
    error_message = "without a request nobody is failed: a quiet night must page nobody"
  }

  # Seconds of a point, and how many points in a row.
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => join(" ", distinct([
        for query in alarm.metric_query : "${one(query.metric).period} x ${alarm.evaluation_periods}" if length(query.metric) == 1
      ]))
      } == {
      availability-fast-long  = "3600 x 1"
      availability-fast-short = "300 x 1"
      availability-slow-long  = "21600 x 1"
      availability-slow-short = "1800 x 1"
      canary                  = "60 x 1"
      lag                     = "300 x 1"
    }
    error_message = "the windows must be the workbook's: an hour and 5 minutes, 6 hours and 30 minutes"
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.threshold if !startswith(key, "availability")
    } == { canary = 1, lag = 5 }
    error_message = "an alarm must have the threshold that it was given"
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => [
        for query in alarm.metric_query : "${query.id} ${query.expression}" if coalesce(query.return_data, false)
      ]
      } == {
      for key in keys(aws_cloudwatch_metric_alarm.this) : key => [
        lookup({ canary = "watched status", lag = "watched lag" }, key, "watched errors / all")
      ]
    }
    error_message = "what is watched must be the expression, and nothing beside it"
  }

  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.this) : toset([
        for query in alarm.metric_query : "${query.id} ${one(query.metric).namespace} ${one(query.metric).metric_name} ${one(query.metric).stat}" if length(query.metric) == 1
        ]) == (
        strcontains(alarm.alarm_name, "availability") ? toset(["all N Count Sum", "errors N Errors Sum"]) :
        strcontains(alarm.alarm_name, "canary") ? toset(["status N Status Minimum"]) : toset(["lag N Lag Average"])
      )
    ])
    error_message = "an alarm must read the metrics that it was given"
  }

  assert {
    condition = toset([
      for key, alarm in aws_cloudwatch_metric_alarm.this : key if length(coalesce(alarm.insufficient_data_actions, [])) > 0
    ]) == toset(["canary"])
    error_message = "what is silent without data must say that it has none, and nothing else may"
  }
}

run "thresholds_are_the_workbooks_multiples_of_the_error_budget" {
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => format("%.4f", alarm.threshold) if startswith(key, "availability")
      } == {
      availability-fast-long  = "0.0144"
      availability-fast-short = "0.0144"
      availability-slow-long  = "0.0060"
      availability-slow-short = "0.0060"
    }
    error_message = "14.4 and 6 times the error budget must be what sets the pairs off"
  }
}

run "every_alarm_names_its_runbook" {
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : can(regex("Runbook: docs/runbooks/[a-z-]+\\.md(#[a-z-]+)?$", alarm.alarm_description))])
    error_message = "whoever is woken must read where to go on"
  }
}

run "cloudwatch_alone_may_use_the_key_for_this_account" {
  assert {
    condition     = one([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Condition.StringEquals["aws:SourceAccount"] if statement.Sid == "CloudWatchPublishesAlarms"]) == "111111111111"
    error_message = "another account's alarms must not use the key"
  }

  assert {
    condition = one([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement if statement.Sid == "CloudWatchPublishesAlarms"]) == {
      Sid       = "CloudWatchPublishesAlarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111111111111" } }
    }
    error_message = "without both actions CloudWatch publishes nothing to the topic, and says so nowhere"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == aws_kms_key.this.arn
    error_message = "the topic must be encrypted with the key whose policy lets CloudWatch publish"
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 7
    error_message = "the key's material must change every year; the topic keeps nothing, so that a week is enough to notice that it is to go"
  }

  assert {
    condition     = !strcontains(aws_kms_key.this.policy, "kms:*")
    error_message = "the key's policy must name its actions"
  }
}

run "more_than_ten_metrics_are_refused" {
  command = plan

  variables {
    burn_rate = {
      description = "Requests fail"
      runbook     = "page.md"
      objective   = 99.9
      expression  = "m0"
      metrics     = { for index in range(11) : "m${index}" => { namespace = "N", name = "Count", dimensions = {}, stat = "Sum" } }
    }
  }

  expect_failures = [var.burn_rate]
}

run "an_alarm_without_a_runbook_is_refused" {
  command = plan

  variables {
    alarms = {
      lag = {
        description = "It is late."
        runbook     = "somewhere"
        expression  = "lag"
        threshold   = 5
        period      = 300
        metrics     = { lag = { namespace = "N", name = "Lag", dimensions = {}, stat = "Average" } }
      }
    }
  }

  expect_failures = [var.alarms]
}

run "what_is_no_address_is_refused" {
  command = plan

  variables {
    emails = ["somebody"]
  }

  expect_failures = [var.emails]
}

run "alarms_that_reach_nobody_are_warned_of" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [check.alarms_reach_somebody]
}

run "nobody_may_be_told_on_purpose" {
  command = plan

  variables {
    emails         = []
    reach_somebody = false
  }

  assert {
    condition     = length(aws_sns_topic_subscription.this) == 0
    error_message = "nobody is subscribed"
  }
}

run "a_runbook_is_a_link_where_its_url_is_known" {
  command = plan

  variables {
    runbook_base_url = "https://github.com/example/landing/blob/main"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : strcontains(alarm.alarm_description, "Runbook: https://github.com/example/landing/blob/main/docs/runbooks/")])
    error_message = "every alarm must lead to its page"
  }

  assert {
    condition     = endswith(aws_cloudwatch_composite_alarm.pages.alarm_description, "Runbook: https://github.com/example/landing/blob/main/docs/runbooks/page.md")
    error_message = "the page must lead to its runbook"
  }
}

run "a_runbooks_url_that_is_none_is_refused" {
  command = plan

  variables {
    runbook_base_url = "https://github.com/example/landing/blob/main/"
  }

  expect_failures = [var.runbook_base_url]
}
