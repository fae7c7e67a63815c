# A ceiling stays where nothing is said of it: it is lifted by a -1 (OnDemandThroughput in the API
# Reference), and the provider sends nothing for a block that is gone. Where there is no ceiling, a
# table describes itself without one, so that a -1 in every plan would be a change in every plan.
# So the table is asked, if it is there already.

data "aws_dynamodb_tables" "existing" {}

data "aws_dynamodb_table" "current" {
  # The names are null where there is no table at all.
  for_each = var.max_throughput == null ? toset([
    for name in coalesce(data.aws_dynamodb_tables.existing.names, []) : name if name == local.table_name
  ]) : toset([])

  name = each.key
}

locals {
  unlimited = { read = -1, write = -1 }

  # What the table has now, and each of its indexes: a list, empty where it has no ceiling.
  current_ceilings = {
    table = flatten([for table in data.aws_dynamodb_table.current : table.on_demand_throughput])
    index = flatten([
      for table in data.aws_dynamodb_table.current : [
        for index in table.global_secondary_index : index.on_demand_throughput
        if index.name == local.index_names.status
      ]
    ])
  }

  ceilings = {
    for what, current in local.current_ceilings : what => (
      var.max_throughput != null ? [var.max_throughput] :
      anytrue([
        for ceiling in current :
        coalesce(ceiling.max_read_request_units, -1) > 0 || coalesce(ceiling.max_write_request_units, -1) > 0
      ]) ? [local.unlimited] : []
    )
  }
}
