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
    condition     = length(aws_cloudwatch_composite_alarm.pages.alarm_actions) == 1
    error_message = "the page must tell somebody"
  }
}

run "an_alarm_that_sees_nothing_tells_so_where_that_matters" {
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
