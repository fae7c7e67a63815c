"""Drills break what all end-to-end tests use: they run beside none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.turns import turn
from toolchain.paths import TREE
from toolchain.settings import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def alone() -> Iterator[None]:
    """The deployment, for this test alone."""
    with turn(TREE.local_state / "e2e" / LOCAL, alone=True):
        yield
