# The most that any role may do which the pipeline makes, whatever its own policy says. Known by its
# name, so that what makes roles need not wait for this module.
locals {
  boundary_name = "${var.name}-boundary"
  boundary_arn  = "arn:${data.aws_partition.this.partition}:iam::${var.account_id}:policy/${local.boundary_name}"
}

resource "aws_iam_policy" "boundary" {
  name        = local.boundary_name
  description = "The most that roles may do which a pipeline makes in ${var.name}."
  policy      = local.policies.boundary
}
