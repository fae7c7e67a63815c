mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition  = "aws"
      dns_suffix = "amazonaws.com"
    }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-west-1:123456789012:key/mrk-1"
      key_id = "mrk-1"
    }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_resource "aws_kms_replica_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1"
      key_id = "mrk-1"
    }
  }
}

variables {
  name                = "landing-test"
  primary_region      = "eu-west-1"
  standby_region      = "eu-central-1"
  deletion_protection = false
}

run "each_region_has_its_own_key_and_its_own_recovery" {
  assert {
    condition = output.kms_key_arns == {
      eu-west-1    = "arn:aws:kms:eu-west-1:123456789012:key/mrk-1"
      eu-central-1 = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1"
    }
    error_message = "A Region's function is let use the key of its own Region."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn == aws_kms_key.this.arn
      && one(aws_dynamodb_table.this.replica).kms_key_arn == aws_kms_replica_key.this.arn
    )
    error_message = "A replica that can't use its key leaves the global table."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.point_in_time_recovery[0].enabled
      && one(aws_dynamodb_table.this.replica).point_in_time_recovery
    )
    error_message = "Recovery must be there in the Region that is left."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.replica).region_name == "eu-central-1"
    error_message = "The replica goes where it was asked for."
  }

  assert {
    condition     = length(aws_dynamodb_table.this.on_demand_throughput) == 0
    error_message = "Without a ceiling there must be none."
  }

  assert {
    condition = (
      one(aws_dynamodb_table.this.local_secondary_index).name == output.index_names.created
      && one(aws_dynamodb_table.this.global_secondary_index).name == output.index_names.status
    )
    error_message = "The names that go out must be the indexes'."
  }

  assert {
    condition     = toset(keys(output.table_arns)) == toset(["eu-west-1", "eu-central-1"])
    error_message = "Both Regions' tables must be named."
  }
}

run "the_key_s_policy_names_every_action_and_nobody_at_large" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      [for action in statement.Action : can(regex("^kms:[A-Za-z]+$", action))]
    ]))
    error_message = "No wildcard action."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      statement.Effect == "Allow" && !contains(values(statement.Principal), "*")
    ])
    error_message = "No wildcard principal, and nothing denied to the replication's role."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      length(setintersection(statement.Action, ["kms:Decrypt", "kms:Encrypt", "kms:CreateGrant"])) == 0
      || try(toset(statement.Condition.StringEquals["kms:ViaService"]), toset([])) == toset([
        "dynamodb.eu-west-1.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com",
      ])
    ])
    error_message = "The key is used through DynamoDB in the two Regions alone."
  }

  assert {
    condition     = aws_kms_replica_key.this.policy == aws_kms_key.this.policy
    error_message = "The replica key has the same policy."
  }
}

run "a_table_for_a_small_bill" {
  variables {
    point_in_time_recovery = false
    max_throughput         = { read = 500, write = 200 }
  }

  assert {
    condition = alltrue([
      for limit in [
        one(aws_dynamodb_table.this.on_demand_throughput),
        one(one(aws_dynamodb_table.this.global_secondary_index).on_demand_throughput),
      ] : limit.max_read_request_units == 500 && limit.max_write_request_units == 200
    ])
    error_message = "A ceiling on the table alone leaves the index's bill open."
  }

  assert {
    condition = (
      !aws_dynamodb_table.this.point_in_time_recovery[0].enabled
      && !one(aws_dynamodb_table.this.replica).point_in_time_recovery
    )
    error_message = "Off is off in both Regions."
  }
}

run "a_former_standby_keeps_its_replica_until_the_new_one_serves" {
  variables {
    former_standby_region = "eu-west-3"
  }

  assert {
    condition = {
      for replica in aws_dynamodb_table.this.replica : replica.region_name => replica.kms_key_arn
      } == {
      eu-central-1 = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1"
      eu-west-3    = "arn:aws:kms:eu-west-3:123456789012:key/mrk-1"
    }
    error_message = "Both Regions have a replica, each with the key of its own Region."
  }

  assert {
    condition     = toset(keys(output.table_arns)) == toset(["eu-west-1", "eu-central-1"])
    error_message = "Nobody is sent to the former standby."
  }
}

run "a_former_standby_is_another_region" {
  command = plan

  variables {
    former_standby_region = "eu-central-1"
  }

  expect_failures = [var.former_standby_region]
}

run "a_ceiling_that_is_no_longer_wanted_is_lifted" {
  override_data {
    target = data.aws_dynamodb_tables.existing
    values = { names = ["another", "landing-test-items"] }
  }

  override_data {
    target = data.aws_dynamodb_table.current
    values = {
      on_demand_throughput = [{ max_read_request_units = 500, max_write_request_units = 200 }]
      global_secondary_index = [{
        name                 = "by_status"
        hash_key             = "owner"
        range_key            = "status_changed_at"
        projection_type      = "ALL"
        non_key_attributes   = []
        read_capacity        = 0
        write_capacity       = 0
        on_demand_throughput = [{ max_read_request_units = 500, max_write_request_units = 0 }]
      }]
    }
  }

  assert {
    condition = alltrue([
      for limit in [
        one(aws_dynamodb_table.this.on_demand_throughput),
        one(one(aws_dynamodb_table.this.global_secondary_index).on_demand_throughput),
      ] : limit.max_read_request_units == -1 && limit.max_write_request_units == -1
    ])
    error_message = "A block that is gone leaves the ceiling where it is: only -1 lifts it."
  }
}

run "nothing_is_sent_where_there_is_no_ceiling" {
  override_data {
    target = data.aws_dynamodb_tables.existing
    values = { names = ["landing-test-items"] }
  }

  override_data {
    target = data.aws_dynamodb_table.current
    values = { on_demand_throughput = [], global_secondary_index = [] }
  }

  assert {
    condition = (
      length(aws_dynamodb_table.this.on_demand_throughput) == 0
      && length(one(aws_dynamodb_table.this.global_secondary_index).on_demand_throughput) == 0
    )
    error_message = "DynamoDB describes no -1, so that one in the plan would be a change for ever."
  }
}

run "a_protected_table_has_a_guard_that_knows_it" {
  command = plan

  variables {
    deletion_protection = true
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && terraform_data.deletion_guard.input.protected
    error_message = "The guard must stand while the table is protected."
  }

  assert {
    condition     = output.deletion_protection
    error_message = "The units that go before the table must know."
  }
}

run "what_aws_would_refuse_is_refused_before_it_is_asked" {
  command = plan

  variables {
    name                     = "Landing Test"
    primary_region           = "eu-west-1"
    standby_region           = "eu-west-1"
    recovery_period_days     = 36
    max_throughput           = { read = 0, write = 10 }
    key_rotation_days        = 30
    key_deletion_window_days = 1
    table_timeout            = "1 hour"
  }

  expect_failures = [
    var.name,
    var.standby_region,
    var.recovery_period_days,
    var.max_throughput,
    var.key_rotation_days,
    var.key_deletion_window_days,
    var.table_timeout,
  ]
}
