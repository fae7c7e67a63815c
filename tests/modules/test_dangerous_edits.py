"""The list of dangerous edits (`make mutants WHERE=modules`) fits the modules as they are."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from project.paths import TREE

EDITS = tomllib.loads((TREE.root / "tests/mutants/terraform.toml").read_text())["edit"]
PLACE = ("module", "file", "find", "replace")
KEYS = {*PLACE, "why"}
WHO_NOTICES = {"filter", "test"}

Edit = dict[str, Any]


def _complaints(edit: Edit) -> Iterator[str]:
    module = TREE.root / "modules" / edit["module"]
    if not KEYS <= edit.keys() <= KEYS | WHO_NOTICES:
        yield "other keys"
    if (times := (module / edit["file"]).read_text().count(edit["find"])) != 1:
        yield f"found {times} times"
    if edit["find"] == edit["replace"]:
        yield "changes nothing"
    if "test" in edit and not (TREE.root / edit["test"].partition("::")[0]).is_file():
        yield "no such test"
    if "filter" in edit and not (module / edit["filter"]).is_file():
        yield "no such test file"


def test_each_edit_changes_one_place_and_names_who_notices() -> None:
    found = [(edit["module"], edit["why"], each) for edit in EDITS for each in _complaints(edit)]
    assert found == []


def test_every_module_has_edits_and_none_twice() -> None:
    modules = {path.parent.name for path in (TREE.root / "modules").glob("*/main.tf")}
    assert {edit["module"] for edit in EDITS} == modules
    written = Counter(tuple(edit[part] for part in PLACE) for edit in EDITS)
    assert [edit for edit, times in written.items() if times > 1] == []
