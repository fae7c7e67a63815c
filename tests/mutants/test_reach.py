from __future__ import annotations

import pytest

from mutants.jobs import ALL, ALL_OF_FILE, IMPORTED
from mutants.reach import PATIENCE, START_SECONDS, Reach, importers_of
from mutants.sites import Mutant

FILE = "room/rules.py"
QUICK, SLOW, OTHER = "tests/a.py::quick", "tests/a.py::slow[1]", "tests/b.py::other"
SECONDS = {SLOW: 2.0, QUICK: 0.1, OTHER: 1.0}


def mutant(first: int, last: int | None = None) -> Mutant:
    return Mutant(FILE, "f", 0, first, last or first, 0, 1, "")


def test_the_tests_that_reach_any_line_of_the_statement_are_run_the_quickest_first() -> None:
    reach = Reach(SECONDS, {FILE: {3: [SLOW], 4: [QUICK], 5: [OTHER]}})
    assert reach.tests_of(mutant(3, 4)) == [QUICK, SLOW]
    assert reach.tests_of(mutant(9)) == []


def test_a_fixture_of_a_file_reaches_for_all_of_its_tests_and_one_of_a_run_for_all() -> None:
    lines = {3: [f"tests/a.py{ALL_OF_FILE}"], 4: [ALL]}
    reach = Reach(SECONDS, {FILE: lines})
    assert reach.tests_of(mutant(3)) == [QUICK, SLOW]
    assert reach.tests_of(mutant(4)) == [QUICK, OTHER, SLOW]


def test_what_an_import_runs_is_used_by_who_uses_the_file_or_what_imports_it() -> None:
    lines = {FILE: {1: [IMPORTED], 7: [SLOW]}, "room/user.py": {3: [OTHER]}, "far.py": {1: [QUICK]}}
    assert Reach(SECONDS, lines).tests_of(mutant(1)) == [SLOW]
    importers = {FILE: ["room/user.py"]}
    assert Reach(SECONDS, lines, importers).tests_of(mutant(1)) == [OTHER, SLOW]


def test_what_an_import_runs_may_be_compared_by_tests_that_run_nothing() -> None:
    lines = {FILE: {1: [IMPORTED], 7: [SLOW]}}
    importers = {FILE: ["tests/b.py"]}
    assert Reach(SECONDS, lines, importers).tests_of(mutant(1)) == [OTHER, SLOW]


def test_a_line_that_is_run_by_an_import_and_by_tests_belongs_to_the_tests() -> None:
    lines = {FILE: {1: [IMPORTED, QUICK], 7: [SLOW]}}
    assert Reach(SECONDS, lines).tests_of(mutant(1)) == [QUICK]


def test_the_time_limit_follows_what_the_tests_take() -> None:
    reach = Reach(SECONDS, {})
    assert reach.limit([QUICK, SLOW]) == pytest.approx(START_SECONDS + PATIENCE * 2.1)


def test_importers_are_found_by_any_way_to_import() -> None:
    sources = {
        "room/rules.py": "",
        "room/a.py": "from room.rules import LIMIT",
        "room/b.py": "from room import rules",
        "room/c.py": "def f():\n    import room.rules",
        "room/d.py": "import elsewhere",
        "lambda/items/table.py": "",
        "lambda/items/api.py": "from items import table",
    }
    assert importers_of(sources) == {
        "room/rules.py": {"room/a.py", "room/b.py", "room/c.py"},
        "lambda/items/table.py": {"lambda/items/api.py"},
    }
