# The root: what every unit under live/ has in common, be it in the embedded AWS or in a real
# account. Units include it; it is no unit itself (.terragrunt-filters keeps it out of the queue).

locals {
  repository = dirname(find_in_parent_folders(".terragrunt-filters", "${get_terragrunt_dir()}/.terragrunt-filters"))
  unit       = trimprefix(path_relative_to_include(), "live/")

  # The second arguments are for somebody who takes this file for a unit: the guard tells them.
  defaults = read_terragrunt_config("${local.repository}/live/_defaults.hcl").locals
  written  = merge(local.defaults, read_terragrunt_config(find_in_parent_folders("account.hcl", "${local.repository}/live/local/account.hcl")).locals)
  region   = read_terragrunt_config(find_in_parent_folders("region.hcl", "${local.repository}/live/local/global/region.hcl")).locals
  command  = read_terragrunt_config("${local.repository}/live/_units/command.hcl").locals

  # Why the unit must be left alone: a mistake in account.hcl, or credentials of another account.
  # Asked once for all units of a folder, and before anything of theirs is read.
  guard = run_cmd(
    "--terragrunt-quiet", "--terragrunt-global-cache",
    "${local.repository}/.venv/bin/python", "${local.repository}/live/account_guard.py", dirname(get_terragrunt_dir()), jsonencode(local.written), jsonencode(keys(local.defaults)), local.command.name,
  )
  refusal = local.guard != "" ? local.guard : join("", local.emulators[*].refusal)
  account = merge(local.written, { refusal = local.refusal })

  # The port of this clone's embedded AWS, and why it must be left alone: at that port may be another
  # clone's. Asked by what would change it or read it.
  emulators = [
    for account in [local.written] : jsondecode(run_cmd(
      "--terragrunt-quiet", "--terragrunt-global-cache", "env", "PYTHONPATH=${local.repository}",
      "${local.repository}/.venv/bin/python", "-m", "project.emulator", local.state_path, account.embedded_aws.port,
      contains(["apply", "destroy", "import", "plan", "refresh"], get_terraform_command()) ? "ask" : "",
    )) if contains(keys(account), "embedded_aws")
  ]

  # The embedded AWS has a key of the clone's own, in a file that whoever needs it first makes. The
  # provider reads it there: the secret itself is in nothing that Terragrunt writes or logs.
  credentials_files = [
    for account in [local.written] : run_cmd(
      "--terragrunt-quiet", "--terragrunt-global-cache",
      "${local.repository}/.venv/bin/python", "${local.repository}/project/credentials.py", local.state_path,
    ) if contains(keys(account), "embedded_aws")
  ]

  # The host is nobody's to choose, and a port is a number: there is no way to say another machine.
  embedded = contains(keys(local.account), "embedded_aws") ? merge(local.account.embedded_aws, {
    endpoint         = "http://127.0.0.1:${tonumber(one(local.emulators).port)}"
    credentials_file = one(local.credentials_files)
  }) : null

  is_former = local.region.region == local.account.former_standby_region

  # An account that protects its data is destroyed whole or not at all: one unit's own protection
  # would speak only after the units before it are gone. A former standby serves nobody any more.
  protected  = local.account.deletion_protection && !local.is_former
  protection = local.protected && (local.command.destroys || local.command.asked == "delete") ? "live/${local.account.account_name}/account.hcl has deletion_protection = true, so nothing of ${local.account.account_name} may be destroyed. If it must be, set it to false, apply, and destroy then." : ""

  # Commands on the bucket itself run no hooks, and a queue would leave protected units out without a
  # word: for them a refused unit doesn't even parse.
  refused = [
    for refusal in compact([
      contains(["bootstrap", "delete", "migrate"], local.command.asked) ? local.refusal : "",
      local.refusal == "" ? local.protection : "",
    ]) : run_cmd("--terragrunt-quiet", "sh", "-c", "echo \"$0\" >&2; exit 1", refusal)
  ]

  # Named as a path of the repository, for people.
  provider_lock = "live/_units/provider_locks/aws-${local.account.provider_version}.hcl"
  tampered      = "The AWS provider that Terraform found is not the published ${local.account.provider_version}: ${local.provider_lock} lists no such sum. Nothing of it was run. Take away the mirror that it came from (`make env` shows the TF_CLI_CONFIG_FILE that names one), and `.terragrunt-cache`, then run this again."

  # The embedded AWS has none. A real account without one is refused above.
  state_region    = lookup(local.account, "state_region", "")
  tags = merge(local.account.tags, {
    project    = local.account.project
    account    = local.account.account_name
    managed-by = "terragrunt"
  })

  state_directory = coalesce(get_env("LOCAL_STATE_DIR", ""), "${local.repository}/.local")
  state_path      = "${startswith(local.state_directory, "/") ? "" : "${local.repository}/"}${local.state_directory}"
  backend         = local.embedded == null ? "s3" : "local"
  backends = {
    local = {
      path = "${local.state_path}/tfstate/${local.unit}/terraform.tfstate"
    }
    s3 = {
      bucket       = "${local.account.project}-tfstate-${local.account.account_id}-${local.state_region}"
      key          = "${local.unit}/terraform.tfstate"
      region       = local.state_region
      encrypt      = true
      use_lockfile = true

      # Terragrunt's own, when it makes the bucket.
      s3_bucket_tags = local.tags

      # The same belt that the provider wears, for Terraform's own reads of the state.
      allowed_account_ids = [local.account.account_id]
    }
  }

  # What Terraform's process gets instead of a person's own AWS settings. The provider below names
  # every endpoint and credential itself; this is for whatever should ever be forgotten there, which
  # the embedded AWS then refuses.
  embedded_environment = local.embedded == null ? {} : merge(
    # An SDK takes an empty variable for none.
    { for name in local.own_aws_variables : name => "" },
    {
      AWS_ACCESS_KEY_ID           = local.embedded.access_key
      AWS_SECRET_ACCESS_KEY       = "none"
      AWS_CONFIG_FILE             = "/dev/null"
      AWS_SHARED_CREDENTIALS_FILE = "/dev/null"
      AWS_EC2_METADATA_DISABLED   = "true"
      AWS_ENDPOINT_URL            = local.embedded.endpoint
      NO_PROXY                    = join(",", compact([get_env("NO_PROXY", get_env("no_proxy", "")), "localhost,127.0.0.1,.localhost"]))
      CHECKPOINT_DISABLE          = "true"
    },
  )

  # There is one for every service, and more with every SDK.
  own_aws_variables = flatten([
    for account in [local.written] : split("\n", run_cmd(
      "--terragrunt-quiet", "--terragrunt-global-cache",
      "sh", "-c", "env | sed -n 's/^\\(\\(TF_\\)\\{0,1\\}AWS_[A-Z0-9_]*\\)=.*/\\1/p'",
    )) if contains(keys(account), "embedded_aws")
  ])
}

# The second belt, should someone run the queue without .terragrunt-filters; a former standby, which
# an apply of the others passes by; and a pipeline that nobody has asked for.
exclude {
  if      = path_relative_to_include() == "." || local.is_former && local.command.name != "destroy" || basename(local.unit) == "pipeline" && local.account.pipeline_subject == null
  actions = ["all"]
}

# Whose destroy is refused anyhow is to hear why: without a unit in the queue nobody would say it.
prevent_destroy = local.protected && !(local.command.destroys && local.refusal != "")

remote_state {
  backend = local.backend
  config  = local.backends[local.backend]

  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }
}

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents = templatefile("${local.repository}/live/_units/provider.tftpl", {
    account_id = local.account.account_id
    embedded   = local.embedded
    regions = {
      ""        = local.region.region
      replica   = local.account.standby_region
      us_east_1 = "us-east-1"
    }
    tags = merge(local.tags, { unit = local.unit })
  })
}

# Modules say which versions they can live with; the account says which one was tested.
generate "provider_version" {
  path      = "provider_override.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-HCL
    terraform {
      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = "${local.account.provider_version}"
        }
      }
    }
  HCL
}

# What the provider of that version must hash to, on every platform: Terraform installs nothing else,
# wherever it comes from. `make lock` writes it.
generate "provider_lock" {
  path              = ".terraform.lock.hcl"
  if_exists         = "overwrite"
  disable_signature = true
  hcl_fmt           = false
  contents          = try(file("${local.repository}/${local.provider_lock}"), "") # none: refused above
}

terraform {
  # The one lock is the committed one above: no copy of it goes back beside a unit.
  copy_terraform_lock_file = false

  extra_arguments "provider_lock" {
    commands  = ["init"]
    arguments = ["-lockfile=readonly"]
  }

  # A plan that is kept holds the inputs that its unit had then. Those are other units' outputs, which an
  # apply of theirs may have changed since: Terraform itself would notice a change of the unit's own
  # state, and nothing else.
  after_hook "kept_plan" {
    commands = ["plan"]
    if       = local.command.kept_plan != ""
    execute  = ["${local.repository}/.venv/bin/python", "${local.repository}/live/kept_plan.py", "keep", local.command.kept_plan]
  }

  before_hook "kept_plan" {
    commands = ["apply"]
    if       = local.command.kept_plan != ""
    execute  = ["${local.repository}/.venv/bin/python", "${local.repository}/live/kept_plan.py", "check", local.command.kept_plan]
  }

  error_hook "provider_lock" {
    commands  = ["apply", "destroy", "import", "init", "plan", "refresh"]
    on_errors = ["(?s)match.{1,80}any.{1,80}of.{1,80}the.{1,80}checksums"]
    execute   = ["sh", "-c", "echo \"$0\" >&2; exit 1", local.tampered]
  }

  extra_arguments "embedded_aws" {
    commands = [
      "apply", "console", "destroy", "force-unlock", "get", "graph", "import", "init", "output", "plan",
      "providers", "refresh", "show", "state", "taint", "test", "untaint", "validate", "workspace",
    ]
    env_vars = local.embedded_environment
  }

  extra_arguments "wait_for_lock" {
    commands  = get_terraform_commands_that_need_locking()
    arguments = ["-lock-timeout=5m"]
  }

  # Both run before anything else of a unit does, the creation of its state's bucket included. One
  # says why and one fails, for Terragrunt repeats all that a failed hook was given and has said.
  after_hook "refusal" {
    commands = ["terragrunt-read-config"]
    if       = local.refusal != ""
    execute  = ["sh", "-c", "echo \"$0\" >&2", local.refusal]
  }

  after_hook "account" {
    commands = ["terragrunt-read-config"]
    if       = local.refusal != ""
    execute  = ["sh", "-c", "exit 2 # refused: the reason stands above"]
  }
}
