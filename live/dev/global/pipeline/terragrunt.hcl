include "root" {
  path = "${dirname(find_in_parent_folders(".terragrunt-filters"))}/terragrunt.hcl"
}

include "unit" {
  path = find_in_parent_folders("_units/pipeline.hcl")
}
