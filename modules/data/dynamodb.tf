# Table and replica in one resource: as two, in two states, a later apply of the one can take the
# other's replica away.
resource "aws_dynamodb_table" "this" {
  name         = local.table_name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "owner"
  range_key    = "item_id"

  deletion_protection_enabled = var.deletion_protection

  # What replication reads.
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "owner"
    type = "S"
  }

  attribute {
    name = "item_id"
    type = "S"
  }

  attribute {
    name = "listed_at"
    type = "S"
  }

  attribute {
    name = "status_changed_at"
    type = "S"
  }

  # A local index, since only these answer consistent reads: a person who has just created an item
  # finds it in the list. It can't be added to a table later.
  local_secondary_index {
    name            = local.index_names.created
    range_key       = "listed_at"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = local.index_names.status
    hash_key        = "owner"
    range_key       = "status_changed_at"
    projection_type = "ALL"

    dynamic "on_demand_throughput" {
      for_each = local.ceilings.index

      content {
        max_read_request_units  = on_demand_throughput.value.read
        max_write_request_units = on_demand_throughput.value.write
      }
    }
  }

  dynamic "on_demand_throughput" {
    for_each = local.ceilings.table

    content {
      max_read_request_units  = on_demand_throughput.value.read
      max_write_request_units = on_demand_throughput.value.write
    }
  }

  ttl {
    enabled        = true
    attribute_name = "expires_at"
  }

  point_in_time_recovery {
    enabled                 = var.point_in_time_recovery
    recovery_period_in_days = var.point_in_time_recovery ? var.recovery_period_days : null
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }

  replica {
    region_name            = var.standby_region
    kms_key_arn            = aws_kms_replica_key.this.arn
    point_in_time_recovery = var.point_in_time_recovery
    propagate_tags         = true
  }

  dynamic "replica" {
    for_each = var.former_standby_region == null ? [] : [var.former_standby_region]

    content {
      region_name            = replica.value
      kms_key_arn            = replace(aws_kms_key.this.arn, ":${var.primary_region}:", ":${replica.value}:")
      point_in_time_recovery = var.point_in_time_recovery
      propagate_tags         = true
    }
  }

  timeouts {
    create = var.table_timeout
    update = var.table_timeout
    delete = var.table_timeout
  }
}

# The provider takes the replica away before it asks DynamoDB to delete the table, and only then is
# refused: a destroy of a protected table would cost the second Region. This stands in its way,
# and goes first, because it depends on everything that could go before the table.
resource "terraform_data" "deletion_guard" {
  input = {
    table     = aws_dynamodb_table.this.name
    protected = var.deletion_protection
  }

  depends_on = [aws_kms_alias.this, aws_kms_alias.replica]

  lifecycle {
    # A table that has to be replaced is a table that is deleted.
    replace_triggered_by = [aws_dynamodb_table.this.id]
  }

  provisioner "local-exec" {
    when    = destroy
    command = self.input.protected ? "echo 'Table ${self.input.table} is protected: set deletion_protection = false, apply, and destroy then.' >&2; exit 1" : "true"
  }
}
