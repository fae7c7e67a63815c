"""Terraform's own state of the embedded AWS, as files: what it had, and whether it can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from project.account import LOCAL
from project.console import ToolchainError
from project.paths import Tree

# What holds people's data: made again, it is empty.
HOLDS_DATA = ("aws_dynamodb_table", "aws_cognito_user_pool")
FILE = "terraform.tfstate"


def has_resources(tree: Tree) -> bool:
    """Whether anything is deployed.

    Raises ToolchainError that names a state file that can't be read, and the way out; so do the
    others.
    """
    return any(_document(file).get("resources") for file in _files(tree))


def holding_data(tree: Tree) -> frozenset[str]:
    """Addresses of the resources that hold people's data, as far as Terraform knows of them."""
    return frozenset(
        f"{resource['type']}.{resource['name']}"
        for file in _files(tree)
        for resource in _document(file).get("resources", ())
        if resource["mode"] == "managed" and resource["type"] in HOLDS_DATA
    )


def outputs(tree: Tree, unit: str) -> dict[str, Any]:
    """Read the outputs of a unit, empty where it isn't deployed."""
    file = tree.local_state / "tfstate" / LOCAL / unit / FILE
    found: dict[str, Any] = _document(file).get("outputs", {}) if file.is_file() else {}
    return found


def _files(tree: Tree) -> Iterator[Path]:
    yield from sorted((tree.local_state / "tfstate" / LOCAL).rglob(FILE))


def _document(file: Path) -> dict[str, Any]:
    text = file.read_bytes()
    try:
        # Terraform takes an empty file for no state.
        document = json.loads(text or b"{}")
        if isinstance(document, dict):
            return document
        reason = "it is no JSON object"
    except ValueError as error:
        reason = str(error)
    backup = file.with_name(f"{FILE}.backup")
    older = (
        f"  - `cp {backup} {file}` takes the state before the last change, then `make up`; or\n"
        if backup.is_file()
        else ""
    )
    raise ToolchainError(
        f"Terraform's state {file} can't be read ({reason}): nothing was changed.\n{older}"
        "  - `make down` removes the embedded AWS with all that it holds, then `make up`."
    )
