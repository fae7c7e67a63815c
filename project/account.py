"""An account as live/ has it: its account.hcl over the defaults, as Terragrunt evaluates them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from project.console import ToolchainError
from project.paths import Tree

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Account:
    """What an account's settings say of it, without asking AWS.

    The table's name is that of modules/data: the operator's switch has to be found when no state
    can be read.
    """

    name: str
    project: str
    account_id: str
    domain_name: str
    primary_region: str
    standby_region: str
    table_name: str


def read_settings(tree: Tree, name: str) -> dict[str, Any]:
    """Read an account's settings, the defaults of live/ among them, as Terragrunt evaluates them.

    Raises ToolchainError when there is no such account, or its file can't be read.
    """
    if not (tree.account(name) / "account.hcl").is_file():
        known = sorted(path.parent.name for path in (tree.root / "live").glob("*/account.hcl"))
        raise ToolchainError(f"There is no account {name!r}; there are: {', '.join(known)}.")
    return {**read_defaults(tree), **_locals_of(tree, tree.account(name) / "account.hcl")}


def read_defaults(tree: Tree) -> dict[str, Any]:
    """Read what accounts have where their own file says nothing."""
    return _locals_of(tree, tree.root / "live" / "_defaults.hcl")


def provider_version(tree: Tree, name: str) -> str:
    """Read the version of the AWS provider that an account pins."""
    return str(read_settings(tree, name)["provider_version"])


def _locals_of(tree: Tree, file: Path) -> dict[str, Any]:
    command = [str(tree.real_terragrunt), "render", "--format", "json", "--config", str(file)]
    try:
        done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolchainError("Nothing is installed here yet: run `make up`.") from None
    if done.returncode != 0:
        raise ToolchainError(f"{file} can't be read:\n{done.stderr.strip()}")
    settings: dict[str, Any] = json.loads(done.stdout)["locals"]
    return settings


def read_account(tree: Tree, name: str) -> Account:
    """Read who and where an account is. Raises ToolchainError when there is none."""
    settings = read_settings(tree, name)
    fields = ("project", "account_id", "domain_name", "primary_region", "standby_region")
    missing = [field for field in fields if not settings.get(field)]
    if missing:
        raise ToolchainError(f"live/{name}/account.hcl doesn't say {', '.join(missing)}.")
    return Account(
        name=name,
        table_name=settings["table_name"] or f"{settings['project']}-{name}-items",
        **{field: str(settings[field]) for field in fields},
    )
