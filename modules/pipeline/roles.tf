# Reads what a plan's refresh reads, the state included, and so the origin key that is in it. It reads
# no item, no user and no log line, and writes nothing but plans to be approved.
resource "aws_iam_role" "plan" {
  name                 = "${var.name}-plan"
  description          = "What a pipeline plans ${var.name} with."
  assume_role_policy   = local.trusts.plan
  max_session_duration = 3600
}

# Changes what the modules make. It deletes nothing that holds data (table, key, pool, zone), and makes
# no role that could do more than the boundary says: those are a person's.
resource "aws_iam_role" "apply" {
  name                 = "${var.name}-apply"
  description          = "What a pipeline applies ${var.name} with."
  assume_role_policy   = local.trusts.apply
  max_session_duration = 7200
}

locals {
  # Reads first: Terraform refreshes before it changes. Drills break things on purpose.
  attached = {
    plan  = ["read", "plan"]
    apply = concat(["read", "apply-state", "apply-access", "apply-region", "apply-global", "release"], var.drills ? ["drill"] : [])
  }
  attachments = merge([
    for role, policies in local.attached : { for policy in policies : "${role} ${policy}" => { role = role, policy = policy } }
  ]...)
}

resource "aws_iam_policy" "this" {
  for_each = setsubtract(keys(local.policies), ["boundary"])

  name        = "${var.name}-pipeline-${each.key}"
  description = "Of the roles that a pipeline works with in ${var.name}."
  policy      = local.policies[each.key]
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attachments

  role       = { plan = aws_iam_role.plan.name, apply = aws_iam_role.apply.name }[each.value.role]
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}
