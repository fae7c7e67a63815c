"""When service was good: judged by first tries, since a retry says how a client waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drills.history import Attempt

# Service is good again from the first request on after which so much of this long was good.
GOOD_SHARE = 0.99
GOOD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when a request was due that failed until service was good again; None where never."""

    began: float
    ended: float | None


def good_from(attempts: Sequence[Attempt], since: float) -> float | None:
    """When the last stretch of bad service ended; `since` where there was none.

    None where it never ended, or nothing was asked.
    """
    tries = _first_tries(attempts)
    if not tries:
        return None
    last = since
    for stretch in _stretches(tries):
        if stretch.ended is None:
            return None
        last = stretch.ended
    return last


def longest_interruption(attempts: Sequence[Attempt]) -> float | None:
    """How long the longest stretch of bad service was; 0 without any, None for one without end."""
    longest = 0.0
    for stretch in _stretches(_first_tries(attempts)):
        if stretch.ended is None:
            return None
        longest = max(longest, stretch.ended - stretch.began)
    return longest


def _first_tries(attempts: Sequence[Attempt]) -> list[Attempt]:
    return sorted((each for each in attempts if each.number == 1), key=lambda each: each.due)


def _stretches(tries: Sequence[Attempt]) -> Iterator[Stretch]:
    began: float | None = None
    for index, each in enumerate(tries):
        if began is None and not each.good:
            began = each.due
        elif began is not None and each.good and _stays_good(tries[index:]):
            yield Stretch(began, each.ended)
            began = None
    if began is not None:
        yield Stretch(began, None)


def _stays_good(tries: Sequence[Attempt]) -> bool:
    """Whether service was looked at for so long from the first of these on, and was good."""
    over = tries[0].due + GOOD_SECONDS
    window = [each for each in tries if each.due < over]
    return tries[-1].due >= over and sum(each.good for each in window) >= GOOD_SHARE * len(window)
