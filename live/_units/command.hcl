# What Terraform was asked for, where a unit goes by it. Flags reach Terraform on its command line, or
# by variables of its own (developer.hashicorp.com/terraform/cli/config/environment-variables).

locals {
  asked = coalesce(get_terraform_command(), "none")
  flags = concat(
    get_terraform_cli_args(),
    split(" ", "${get_env("TF_CLI_ARGS", "")} ${get_env("TF_CLI_ARGS_${local.asked}", "")}"),
  )

  destroys = local.asked == "destroy" || anytrue([
    for flag in local.flags : can(regex("^--?destroy(=true)?$", flag))
  ])
  name = local.destroys ? "destroy" : local.asked

  # Stand-ins for outputs that aren't there, so that an empty account can be planned: an apply waits for
  # the real thing, or fails. So does a plan that is written to a file, since that is applied as it
  # stands (Terragrunt's issue 4587). A destroy that stopped half-way needs stand-ins too, or nothing
  # could go on with it: what was destroyed first has no outputs left.
  writes_plan = anytrue([for flag in local.flags : can(regex("^--?out(=|$)", flag))])
  mocks_for   = concat(["init", "validate", "destroy"], local.writes_plan ? [] : ["plan"])

  # The file that a plan is written to or applied from, where it has Terragrunt's own ending for it.
  kept_plans = [
    for flag in local.flags : one(regex("^(?:--?out=)?([^-].*[.]tfplan)$", flag))
    if can(regex("^(?:--?out=)?([^-].*[.]tfplan)$", flag))
  ]
  kept_plan = join("", slice(concat(local.kept_plans, [""]), 0, 1))
}
