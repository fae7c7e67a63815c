"""What stands between a destroy and the data: the guards, really destroyed, around stand-ins.

`terraform test` can neither keep a destroy from succeeding nor show an order. So each guard's own
block is put among resources that need no provider, by the names of the real ones.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from project.account import LOCAL
from project.environment import tool_settings
from project.paths import TREE
from tests.modules.blocks import Resource, needs, resources

GUARD = "terraform_data.deletion_guard"
GUARDED = {"data": "aws_dynamodb_table.this", "identity": "aws_cognito_user_pool.this"}
STAND_IN = """
resource "terraform_data" "{name}" {{
  triggers_replace = var.generation
  input            = {{ name = "the-protected-one" }}
}}
"""


@pytest.fixture(params=GUARDED)
def module(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(module: str, tmp_path: Path) -> Path:
    """The module's guard among stand-ins, applied while it protects."""
    (tmp_path / "main.tf").write_text(_configuration(resources(module)[GUARD]))
    _succeeds(tmp_path, "init")
    _succeeds(tmp_path, "apply", protected=True)
    return tmp_path


def _configuration(guard: Resource) -> str:
    """The guard, and a stand-in for each resource that it names."""
    named = sorted(set(re.findall(r"\baws_\w+\.\w+", guard.body)))
    assert len(named) >= 2
    body = guard.body
    for address in named:
        stand_in = f"terraform_data.{_name(address)}"
        body = re.sub(rf"\b{re.escape(address)}\.name\b", f"{stand_in}.input.name", body)
        body = re.sub(rf"\b{re.escape(address)}\b", stand_in, body)
    variables = "".join(
        f'variable "{name}" {{\n  default = {default}\n}}\n'
        for name, default in {"deletion_protection": "true", "generation": "1"}.items()
    )
    stand_ins = "".join(STAND_IN.format(name=_name(address)) for address in named)
    return f'{variables}{stand_ins}\nresource "terraform_data" "deletion_guard" {{\n{body}}}\n'


def _name(address: str) -> str:
    return address.replace(".", "_")


def _terraform(
    folder: Path, command: str, *, protected: bool = True, generation: int = 1
) -> subprocess.CompletedProcess[str]:
    values = {"deletion_protection": protected, "generation": generation}
    (folder / "terraform.tfvars.json").write_text(json.dumps(values))
    approved = ["-auto-approve"] if command != "init" else []
    return subprocess.run(
        ["terraform", command, "-no-color", "-input=false", *approved],
        cwd=folder,
        env={**os.environ, **tool_settings(TREE, LOCAL, os.environ)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _succeeds(folder: Path, command: str, *, protected: bool = True, generation: int = 1) -> None:
    done = _terraform(folder, command, protected=protected, generation=generation)
    assert done.returncode == 0, done.stdout


def _there(folder: Path) -> set[str]:
    """What Terraform still has, by name."""
    state = json.loads((folder / "terraform.tfstate").read_text())
    return {one["name"] for one in state["resources"] if one["instances"]}


@pytest.mark.terraform
def test_a_destroy_of_what_is_protected_is_refused_and_takes_nothing(folder: Path) -> None:
    before = _there(folder)

    done = _terraform(folder, "destroy")

    assert done.returncode != 0
    assert "is protected: set deletion_protection = false, apply, and destroy then." in done.stdout
    assert _there(folder) == before


@pytest.mark.terraform
def test_a_replacement_of_what_is_protected_is_refused_and_takes_nothing(folder: Path) -> None:
    before = _there(folder)

    done = _terraform(folder, "apply", generation=2)

    assert done.returncode != 0
    assert "is protected" in done.stdout
    assert _there(folder) == before


@pytest.mark.terraform
def test_what_is_protected_no_longer_can_be_destroyed(folder: Path) -> None:
    _succeeds(folder, "apply", protected=False)
    _succeeds(folder, "destroy", protected=False)
    assert _there(folder) == set()


def test_a_guard_goes_before_everything_else_in_its_module(module: str) -> None:
    """All that is protected by it, and all that could be taken before it is refused."""
    found = resources(module)
    assert GUARDED[module] in needs(found, GUARD)
    assert needs(found, GUARD) | {GUARD} == found.keys()
