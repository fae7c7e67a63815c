# Where the items live: one table in two Regions, and the key that encrypts it in both.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  table_name  = coalesce(var.table_name, "${var.name}-items")
  regions     = [var.primary_region, var.standby_region]
  index_names = { created = "by_created", status = "by_status" }
}
