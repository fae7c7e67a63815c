"""What renews versions knows where they are, and leaves alone what only `make lock` may write."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from project.paths import TREE
from toolchain import pins

CONFIG: dict[str, Any] = json.loads((TREE.root / "renovate.json").read_text())


def found(manager: dict[str, Any]) -> list[dict[str, str | None]]:
    """What a manager's patterns find in the files that they are for. Its syntax is JavaScript's."""
    names = [re.compile(name.strip("/")) for name in manager["managerFilePatterns"]]
    patterns = [re.compile(text.replace("(?<", "(?P<")) for text in manager["matchStrings"]]
    files = [
        path
        for folder in ("live", "toolchain")
        for path in sorted((TREE.root / folder).rglob("*.*"))
        if any(name.search(path.relative_to(TREE.root).as_posix()) for name in names)
    ]
    return [
        match.groupdict()
        for path in files
        for pattern in patterns
        for match in pattern.finditer(path.read_text())
    ]


def test_the_provider_that_is_tested_is_found() -> None:
    assert found(CONFIG["customManagers"][0]) == [{"currentValue": "5.100.0"}]


def test_terraform_and_terragrunt_are_found() -> None:
    assert found(CONFIG["customManagers"][1]) == [
        {"depName": "TERRAFORM", "currentValue": pins.TERRAFORM},
        {"depName": "TERRAGRUNT", "currentValue": pins.TERRAGRUNT},
    ]


@pytest.mark.parametrize("lock", ["requirements.lock", "lambda/requirements.txt"])
def test_locks_are_nobodys_but_make_locks(lock: str) -> None:
    """A bot's own resolver writes no universal lock: other platforms' packages would be gone."""
    assert CONFIG["ignorePaths"] == ["**/*.lock", "**/requirements.txt"]
    assert "pip-compile" not in CONFIG["enabledManagers"]
    assert (TREE.root / lock).read_text().splitlines()[1] == "#    make lock"


def test_provider_versions_that_replan_an_index_are_left_out() -> None:
    (rule,) = (rule for rule in CONFIG["packageRules"] if "allowedVersions" in rule)
    refused = re.compile(rule["allowedVersions"].removeprefix("!").strip("/"))
    assert [
        version for version in ("6.12.0", "6.13.0", "6.28.1", "6.29.0") if refused.search(version)
    ] == [
        "6.13.0",
        "6.28.1",
    ]
