# Where the items live: one table in two Regions, and the key that encrypts it in both.

terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source                = "hashicorp/aws"
      version               = ">= 5.100, < 7.0"
      configuration_aliases = [aws.replica]
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  regions     = [var.primary_region, var.replica_region]
  index_names = { created = "by_created", status = "by_status" }
}
