"""docs/unproven-on-aws.md: what is assumed of AWS, and how to find out."""

from __future__ import annotations

import re

from drills.report.document import ON_THE_EMULATOR
from project.paths import TREE
from tests.docs.pages import Page, tracked

PAGE = Page(TREE.root / "docs" / "unproven-on-aws.md")
# What code and pages say where AWS's documentation says nothing.
ADMITTED = re.compile(
    r"\b(?:untried|documented nowhere|(?:gateway|AWS) doesn't say)\b", re.IGNORECASE
)


def test_every_assumption_has_what_is_known_and_an_experiment() -> None:
    rows = PAGE.rows()

    assert rows
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_a_module_that_admits_to_not_knowing_stands_in_the_page() -> None:
    modules = [name for name in tracked() if re.fullmatch(r"modules/[^/]+/[^/]+\.tf", name)]
    admitting = {name for name in modules if ADMITTED.search((TREE.root / name).read_text())}

    assert admitting
    assert admitting - set(PAGE.code_spans()) == set()


def test_a_drill_of_the_emulator_points_to_the_page() -> None:
    assert PAGE.name in ON_THE_EMULATOR
