"""What is written down about mutants fits the code as it is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mutants.areas import read_areas
from mutants.equivalents import Equivalent, read_equivalents
from mutants.sites import mutants_of
from mutants.terraform_edits import Edit, read_edits
from project.console import ToolchainError
from project.paths import TREE

EDITS = read_edits(TREE.root)
AREAS = read_areas(TREE.root)


def test_every_area_is_there() -> None:
    assert set(AREAS) == {"lambda", "drills", "local", "modules"}
    for area in AREAS.values():
        for pattern in area.files:
            assert list(TREE.root.glob(pattern)), pattern
        for folder in (*area.tests, area.source):
            assert (TREE.root / folder).is_dir()


def test_the_targets_are_those_that_were_agreed() -> None:
    targets = {name: area.target for name, area in AREAS.items()}
    assert targets == {"lambda": 92, "drills": 95, "local": 90, "modules": 95}


def test_each_edit_has_one_place_changes_something_and_says_why() -> None:
    for edit in EDITS:
        source = (TREE.root / edit.path).read_text()
        assert edit.applied(source) != source, edit
        assert edit.why, edit
    assert len({(edit.path, edit.find, edit.replace) for edit in EDITS}) == len(EDITS)


def test_every_module_has_edits() -> None:
    modules = {path.parent.name for path in (TREE.root / "modules").glob("*/main.tf")}
    assert {edit.module for edit in EDITS} == modules


def test_what_notices_an_edit_is_there() -> None:
    for edit in EDITS:
        file, _, name = edit.test.partition("::")
        if name:
            name = name.partition("[")[0]
            assert re.search(rf"^ *def {name}\(", (TREE.root / file).read_text(), re.M), edit
        assert (TREE.root / file).exists(), edit
        module = TREE.root / "modules" / edit.module
        assert not edit.filter or (module / edit.filter).is_file(), edit


def test_an_equivalent_is_still_a_mutant_and_says_why() -> None:
    for entry in read_equivalents(TREE.root):
        assert _is_a_mutant(entry), entry
        assert entry.why, entry


def _is_a_mutant(entry: Equivalent) -> bool:
    source = (TREE.root / entry.file).read_text()
    mutants = (m for m in mutants_of(entry.file, source) if m.function == entry.where)
    return any(entry.is_of(mutant.change(source)) for mutant in mutants)


def test_an_equivalent_that_is_no_mutant_any_more_is_noticed() -> None:
    source = (TREE.root / "drills/verdict.py").read_text()
    change = mutants_of("drills/verdict.py", source)[0].change(source)
    entry = Equivalent(change.file, change.where, change.before, change.after, "-")
    assert _is_a_mutant(entry)
    for gone in ({"before": "return None"}, {"after": "return None"}, {"where": "elsewhere"}):
        assert not _is_a_mutant(replace(entry, **gone))


TEXT = 'resource "a_b" "c" {\n  on = true\n}\n\nresource "a_b" "d" {\n  tls = 1.2\n}\n'


def an_edit(find: str, **more: str) -> Edit:
    return Edit(module="m", file="main.tf", find=find, replace="x", why="because", **more)


@pytest.mark.parametrize(("find", "times"), [("resource", 2), ("elsewhere", 0)])
def test_an_edit_of_no_place_or_of_two_is_refused(find: str, times: int) -> None:
    with pytest.raises(ToolchainError, match=rf"modules/m/main.tf this stands {times} times"):
        an_edit(find).applied(TEXT)


def test_an_edit_says_its_line_and_its_block() -> None:
    change = an_edit("tls = 1.2").change(TEXT)
    assert (change.file, change.line, change.where) == ("modules/m/main.tf", 6, "a_b.d")


def test_tests_that_speak_of_the_block_are_run_first_and_one_that_is_named_alone() -> None:
    tests = {
        "tests/1.tftest.hcl": "",
        "tests/2.tftest.hcl": "a_b.d a_b.d",
        "tests/3.tftest.hcl": "a_b.d",
    }
    order = an_edit("tls = 1.2").ordered(TEXT, tests)
    first = "tests/1.tftest.hcl"
    assert order == ["tests/2.tftest.hcl", "tests/3.tftest.hcl", first]
    assert an_edit("tls = 1.2", filter=first).ordered(TEXT, tests) == [first]
