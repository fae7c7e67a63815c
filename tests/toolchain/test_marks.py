"""Markers say what a test needs: whatever `make unit` runs needs no deployment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE
from toolchain.testing import NOT_UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where each fixture is that gives a deployment or an embedded AWS; others build on these.
GIVING = {
    "deployment": "tests/support/deployment.py",
    "clone": "tests/support/clone.py",
    "emulator": "tests/local/conftest.py",
    "own_settings": "tests/local/conftest.py",
}
MARKERS = set(NOT_UNIT.split(" or "))


def test_no_unmarked_test_is_given_a_deployment(request: pytest.FixtureRequest) -> None:
    """Looks at every test of this run: `make unit` and `make test` run all."""
    items: Sequence[pytest.Item] = request.session.items
    functions = [item for item in items if isinstance(item, pytest.Function)]
    given = {
        item.nodeid: GIVING.keys() & set(item.fixturenames)
        for item in functions
        if not MARKERS & {marker.name for marker in item.iter_markers()}
    }
    assert {test: fixtures for test, fixtures in given.items() if fixtures} == {}


@pytest.mark.parametrize("fixture", GIVING)
def test_what_gives_one_is_still_called_so(fixture: str) -> None:
    defined = rf"@pytest\.fixture.*\ndef {fixture}\("
    assert re.search(defined, (TREE.root / GIVING[fixture]).read_text())


def test_every_marker_is_known_to_pytest(request: pytest.FixtureRequest) -> None:
    known = {line.split(":")[0] for line in request.config.getini("markers")}
    assert known >= MARKERS
