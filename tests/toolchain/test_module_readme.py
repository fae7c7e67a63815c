"""The tables of a module's README: made from its HCL, and seen to be out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from project.console import ToolchainError
from toolchain import module_readme
from toolchain.module_readme import BEGIN, END, Input, Output

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = """
variable "tags" {
  description = "Tags of <name> | everything."
  type = map(object({
    value = object({ text = string })
  }))
  default = {}
}

variable "name" {
  description = "Prefix of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{1,30}$", var.name))
    error_message = "name must be lower-case."
  }
}
"""
OUTPUTS = """
output "arn" {
  description = "Its ARN."
  value       = "arn:${var.name}"
}
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    module = tmp_path / "thing"
    module.mkdir()
    (module / "main.tf").touch()
    (module / "variables.tf").write_text(VARIABLES)
    (module / "outputs.tf").write_text(OUTPUTS)
    (module / "README.md").write_text(f"# thing\n\n{BEGIN}\n{END}\n\nBy hand.\n")
    return tmp_path


def test_inputs_and_outputs_are_read_from_the_hcl() -> None:
    assert module_readme.read_inputs(VARIABLES) == [
        Input("tags", "map(object)", "Tags of <name> | everything.", "{  }"),
        Input("name", "string", "Prefix of every name.", None),
    ]
    assert module_readme.read_outputs(OUTPUTS) == [Output("arn", "Its ARN.")]


def test_a_readme_is_stale_until_it_is_written(modules: Path) -> None:
    readme = modules / "thing" / "README.md"
    assert module_readme.stale(modules) == [readme]

    module_readme.write(modules)

    assert module_readme.stale(modules) == []
    written = readme.read_text()
    assert written.startswith("# thing\n")
    assert written.endswith("\n\nBy hand.\n")
    assert written.index("| `name` | string | required |") < written.index("| `tags` |")
    assert "Tags of \\<name> \\| everything." in written


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("variables.tf", "default = {}", 'default = { a = "b" }'),
        ("variables.tf", "Prefix", "Start"),
        ("variables.tf", "map(object", "list(object"),
        ("variables.tf", '"name"', '"title"'),
        ("outputs.tf", "Its ARN", "Whose ARN"),
        ("outputs.tf", '"arn"', '"id"'),
    ],
    ids=["default", "description", "type", "name", "an output's description", "an output's name"],
)
def test_what_stands_in_a_table_makes_it_stale_once_it_changes(
    modules: Path, file: str, before: str, after: str
) -> None:
    module_readme.write(modules)
    written = modules / "thing" / file
    assert before in written.read_text()
    written.write_text(written.read_text().replace(before, after))
    assert module_readme.stale(modules) == [modules / "thing" / "README.md"]


@pytest.mark.parametrize("written", [None, "# thing\n", f"# thing\n{BEGIN}\n"])
def test_a_readme_without_its_markers_is_named(modules: Path, written: str | None) -> None:
    readme = modules / "thing" / "README.md"
    readme.unlink()
    if written is not None:
        readme.write_text(written)
    with pytest.raises(ToolchainError, match=r"thing/README\.md is missing, or lacks"):
        module_readme.stale(modules)
