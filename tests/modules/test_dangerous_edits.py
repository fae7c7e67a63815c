"""The list of dangerous edits (`make mutants WHERE=modules`) fits the modules as they are."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from project.paths import TREE

if TYPE_CHECKING:
    from pathlib import Path

EDITS = tomllib.loads((TREE.root / "tests/mutants/terraform.toml").read_text())["edit"]
KEYS = {"module", "file", "find", "replace", "why"}
WHO_NOTICES = {"filter", "test"}

Edit = dict[str, Any]


def _name(edit: Edit) -> str:
    return f"{edit['module']}: {edit['why']}"


def _module(edit: Edit) -> Path:
    return TREE.root / "modules" / edit["module"]


@pytest.mark.parametrize("edit", EDITS, ids=_name)
def test_an_edit_changes_one_place_and_names_who_notices(edit: Edit) -> None:
    assert KEYS <= edit.keys() <= KEYS | WHO_NOTICES
    assert (_module(edit) / edit["file"]).read_text().count(edit["find"]) == 1
    assert edit["find"] != edit["replace"]
    if "test" in edit:
        assert (TREE.root / edit["test"].partition("::")[0]).is_file()
    elif "filter" in edit:
        assert (_module(edit) / edit["filter"]).is_file()


def test_every_module_has_edits_and_none_twice() -> None:
    modules = {path.parent.name for path in (TREE.root / "modules").glob("*/main.tf")}
    assert {edit["module"] for edit in EDITS} == modules
    places = ("module", "file", "find", "replace")
    written = Counter(tuple(edit[place] for place in places) for edit in EDITS)
    assert [edit for edit, times in written.items() if times > 1] == []
