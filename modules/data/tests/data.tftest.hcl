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
    condition     = toset(keys(output.table_arns)) == toset(["eu-west-1", "eu-central-1"]) && output.table_arns["eu-west-1"] == aws_dynamodb_table.this.arn && output.table_arns["eu-central-1"] == one(aws_dynamodb_table.this.replica).arn && output.table_arns["eu-central-1"] != aws_dynamodb_table.this.arn
    error_message = "Both Regions' tables must be named, each under its own Region."
  }

  assert {
    condition = (
      aws_dynamodb_table.this.name == "landing-test-items"
      && aws_dynamodb_table.this.hash_key == "owner"
      && aws_dynamodb_table.this.range_key == "item_id"
      && { for attribute in aws_dynamodb_table.this.attribute : attribute.name => attribute.type } == {
        owner = "S", item_id = "S", listed_at = "S", status_changed_at = "S"
      }
    )
    error_message = "Another name or key is another table: Terraform would delete this one, and every item in it."
  }

  assert {
    condition = (
      one(aws_dynamodb_table.this.local_secondary_index).range_key == "listed_at"
      && one(aws_dynamodb_table.this.local_secondary_index).projection_type == "ALL"
    )
    error_message = "A local index can't be changed: another one replaces the table. Without every attribute a list reads each item once more, and pays for it."
  }

  assert {
    condition = (
      one(aws_dynamodb_table.this.global_secondary_index).hash_key == "owner"
      && one(aws_dynamodb_table.this.global_secondary_index).range_key == "status_changed_at"
      && one(aws_dynamodb_table.this.global_secondary_index).projection_type == "ALL"
    )
    error_message = "The index must be an owner's, or one account's list would be read from everybody's items, and hold whole items."
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "The standby has no load until it has all of it: capacity that is provisioned for none would throttle the failover."
  }

  assert {
    condition     = aws_dynamodb_table.this.stream_enabled && aws_dynamodb_table.this.stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "Replication reads the stream, and a global table takes no other view of it."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.ttl).enabled && one(aws_dynamodb_table.this.ttl).attribute_name == "expires_at"
    error_message = "Deleted items and closed accounts go when expires_at says so: otherwise what a person deleted stays, and is paid for, for ever."
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].recovery_period_in_days == 35
    error_message = "A loss that is found after a day or a week must still be recoverable."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).enabled
    error_message = "Off, the table is encrypted with a key of AWS's own, whose use nobody here decides or sees."
  }

  assert {
    condition     = one(aws_dynamodb_table.this.replica).propagate_tags
    error_message = "What the replica costs must be found under the same tags."
  }

  assert {
    condition     = aws_dynamodb_table.this.timeouts == { create = "60m", update = "60m", delete = "60m" }
    error_message = "A replica takes tens of minutes: an apply that gives up sooner leaves it half made."
  }

  assert {
    condition     = aws_kms_key.this.multi_region && aws_kms_replica_key.this.primary_key_arn == aws_kms_key.this.arn
    error_message = "With two keys of their own, a backup of one Region can't be read in the other."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.rotation_period_in_days == 365
    error_message = "The key's material must change every year."
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 30 && aws_kms_replica_key.this.deletion_window_in_days == 30
    error_message = "A key that is gone takes every item and every backup with it: there must be all the time that KMS gives to notice."
  }

  assert {
    condition = (
      aws_kms_alias.this.target_key_id == aws_kms_key.this.key_id
      && aws_kms_alias.replica.target_key_id == aws_kms_replica_key.this.key_id
      && toset([aws_kms_alias.this.name, aws_kms_alias.replica.name]) == toset(["alias/landing-test-items"])
    )
    error_message = "An operator finds the table's key by one alias in each Region."
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
    condition = {
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid => toset(statement.Action)
      if statement.Sid != "AccountAdministersTheKey"
      } == {
      DynamoDBUsesTheKeyForTheAccount = toset([
        "kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
      ])
      DynamoDBLooksAtTheKey = toset([
        "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
        "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
      ])
    }
    error_message = "Without its grant DynamoDB can neither replicate nor back up; a key that it can't look at counts as lost, and takes the replica out of the global table for good. More than it asks for is nobody's."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Sid => statement.Principal
      } == {
      AccountAdministersTheKey        = { AWS = "arn:aws:iam::123456789012:root" }
      DynamoDBUsesTheKeyForTheAccount = { AWS = "arn:aws:iam::123456789012:root" }
      DynamoDBLooksAtTheKey           = { Service = "dynamodb.amazonaws.com" }
    }
    error_message = "The key is this account's, and DynamoDB's to look at."
  }

  assert {
    condition = alltrue([
      for action in one([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Action if statement.Sid == "AccountAdministersTheKey"]) :
      !can(regex("crypt|ReEncrypt|DataKey|Grant$|Sign|Mac$", action)) || action == "kms:RevokeGrant"
    ])
    error_message = "Who administers the key may not use it: it would open the table's backups to every administrator."
  }

  assert {
    condition = contains(
      one([for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Action if statement.Sid == "AccountAdministersTheKey"]),
      "kms:PutKeyPolicy",
    )
    error_message = "A key whose policy nobody may change is out of everybody's hands for good."
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
    condition = alltrue([
      for replica in aws_dynamodb_table.this.replica : replica.point_in_time_recovery && replica.propagate_tags
    ])
    error_message = "A replica that is about to go can still be restored, and its costs found."
  }

  assert {
    condition     = toset(keys(output.table_arns)) == toset(["eu-west-1", "eu-central-1"]) && output.table_arns["eu-central-1"] == one([for replica in aws_dynamodb_table.this.replica : replica.arn if replica.region_name == "eu-central-1"])
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

run "a_table_is_protected_unless_somebody_says_otherwise_and_its_guard_knows_it" {
  command = plan

  variables {
    # null is the default.
    deletion_protection = null
    table_name          = "landing-test-restored"
  }

  assert {
    condition     = aws_dynamodb_table.this.name == "landing-test-restored" && terraform_data.deletion_guard.input.table == "landing-test-restored"
    error_message = "A restore's table has a name of its own, and its guard must say which it guards."
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
