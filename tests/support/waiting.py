"""Awaiting a condition, with an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REPLICATION_DEADLINE = 10.0
"""Seconds a write may take to be read in the other Region. AWS says "usually within a second"
and promises nothing; ten is where a person would call it broken."""


def eventually(
    look: Callable[[], T], accept: Callable[[T], bool], within: float, every: float = 0.1
) -> T:
    """Look again until the answer is acceptable, and return it.

    `within` and `every` are seconds. Raises AssertionError, with the last thing seen, when the
    time is over; the condition is always looked at once after the deadline, so that a machine
    that was asleep doesn't fail a condition that holds.
    """
    deadline = time.monotonic() + within
    while True:
        late = time.monotonic() >= deadline
        seen = look()
        if accept(seen):
            return seen
        if late:
            raise AssertionError(f"not within {within} s; last seen: {seen!r}")
        time.sleep(every)
