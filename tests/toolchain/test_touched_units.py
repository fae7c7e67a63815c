"""A pull request plans the units that it touches, and never too few."""

from __future__ import annotations

import pytest

from project.paths import TREE
from toolchain.touched_units import read_layout, touched

LAYOUT = read_layout(TREE, "dev")
API = {"us-east-2/api", "us-west-2/api"}
EVERY = set(LAYOUT.units)

TOUCHED: dict[str, set[str]] = {
    "modules/data/kms.tf": {"global/data"},
    "modules/edge/functions/viewer_request.js": {"global/edge"},
    # Both are made of it.
    "modules/alarms/main.tf": API | {"global/edge"},
    "modules/key_administration.json": EVERY,
    "modules/data/tests/table.tftest.hcl": set(),
    "modules/data/README.md": set(),
    "lambda/items/model.py": API,
    "lambda/openapi.yaml": API,
    "toolchain/package.py": API,
    "toolchain/pins.py": EVERY,
    "terragrunt.hcl": EVERY,
    "live/_defaults.hcl": EVERY,
    "live/_units/command.hcl": EVERY,
    "live/_units/provider.tftpl": EVERY,
    "live/_units/provider_locks/aws-6.30.0.hcl": EVERY,
    "live/_units/identity.hcl": {"global/identity"},
    "live/dev/account.hcl": EVERY,
    "live/prod/account.hcl": set(),
    "live/dev/us-west-2/region.hcl": {"us-west-2/api"},
    "live/dev/us-west-2/api/terragrunt.hcl": {"us-west-2/api"},
    # A unit that is no more is destroyed by a person.
    "live/dev/eu-west-1/api/terragrunt.hcl": set(),
    "docs/architecture.md": set(),
    "tests/e2e/test_items.py": set(),
}


@pytest.mark.parametrize("path", TOUCHED)
def test_a_file_touches_the_units_that_are_made_of_it(path: str) -> None:
    assert touched([path], LAYOUT) == TOUCHED[path]


def test_what_several_files_touch_is_put_together() -> None:
    assert touched(["modules/data/kms.tf", "live/_units/edge.hcl", "README.md"], LAYOUT) == {
        "global/data",
        "global/edge",
    }


def test_every_file_of_an_account_and_of_a_module_touches_something() -> None:
    left_out = {"tests", ".terragrunt-cache", ".terraform"}
    folders = ("live/dev", "live/_units", *(f"modules/{unit}" for unit in ("api", "data", "edge")))
    files = [
        path.relative_to(TREE.root).as_posix()
        for folder in folders
        for path in (TREE.root / folder).rglob("*.*")
        if path.is_file() and not left_out & set(path.relative_to(TREE.root).parts)
    ]
    assert files
    ignored = (".md", ".terraform.lock.hcl", ".zip")
    assert [
        file for file in files if not touched([file], LAYOUT) and not file.endswith(ignored)
    ] == []
