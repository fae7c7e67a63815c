"""When service counts as good, to the request and to the second."""

from __future__ import annotations

import pytest

from drills.history import Attempt, Kind
from drills.service import good_from, longest_interruption
from tests.drills.histories import PRIMARY


def tries(*answers: tuple[float, bool]) -> list[Attempt]:
    """First tries at these times, each answered a second later, well or not."""
    return [
        Attempt(index, Kind.READ, "1", True, 1, due, due, due + 1, 200 if good else 502, PRIMARY)
        for index, (due, good) in enumerate(answers)
    ]


def steady(since: float, until: float, every: float = 0.5) -> list[tuple[float, bool]]:
    """Good answers at this rate."""
    return [(since + n * every, True) for n in range(int((until - since) / every))]


def test_who_asked_nothing_knows_nothing() -> None:
    assert good_from([], 3.0) is None
    assert longest_interruption([]) == 0


def test_service_that_was_always_good_was_so_from_the_beginning() -> None:
    assert good_from(tries(*steady(10, 20)), 9.5) == 9.5
    assert longest_interruption(tries(*steady(10, 20))) == 0


def test_a_stretch_lasts_from_when_a_failure_was_due_until_a_good_answer_came() -> None:
    seen = tries(*steady(0, 10), (10.0, False), (12.0, False), *steady(13, 30))

    assert good_from(seen, 0) == 14.0
    assert longest_interruption(seen) == 4.0


def test_the_order_in_which_answers_came_does_not_matter() -> None:
    seen = tries(*steady(0, 10), (10.0, False), (12.0, False), *steady(13, 30))

    assert good_from(list(reversed(seen)), 0) == 14.0


def test_the_last_of_two_stretches_ends_the_outage_and_the_longest_is_the_longest() -> None:
    seen = tries(
        *steady(0, 10),
        (10.0, False),
        (12.0, False),
        *steady(13, 30),
        (30.0, False),
        *steady(31, 40),
    )

    assert good_from(seen, 0) == 32.0
    assert longest_interruption(seen) == 4.0


@pytest.mark.parametrize(("second", "ends"), [(14.0, 15.5), (15.4, 16.5)])
def test_failures_less_than_five_seconds_apart_are_one_stretch(second: float, ends: float) -> None:
    good = [each for each in steady(10.5, 30) if each[0] != second]
    seen = tries((10.0, False), (second, False), *good)

    ended = good_from(seen, 0)

    assert ended == ends
    assert longest_interruption(seen) == ends - 10.0


def test_a_failure_five_seconds_after_the_first_good_answer_is_a_stretch_of_its_own() -> None:
    seen = tries((10.0, False), *steady(10.5, 15.5), (15.5, False), *steady(16, 30))

    assert longest_interruption(seen) == 1.5
    assert good_from(seen, 0) == 17.0


@pytest.mark.parametrize(("last", "known"), [(14.9, False), (15.0, True)])
def test_service_that_was_not_looked_at_for_five_seconds_is_not_known_to_be_good(
    last: float, known: bool
) -> None:
    seen = tries((9.0, False), *[(10 + n * 0.7, True) for n in range(7)], (last, True))

    assert (good_from(seen, 0) is not None) is known
    assert (longest_interruption(seen) is not None) is known


@pytest.mark.parametrize(("failures", "good"), [(1, True), (2, False)])
def test_one_request_in_a_hundred_may_fail(failures: int, good: bool) -> None:
    spoilt = [(20.0 + n / 20, not 50 <= n < 50 + failures) for n in range(100)]
    seen = tries((19.0, False), *spoilt, *steady(25, 40, every=0.05))

    first = longest_interruption(seen)

    assert first is not None
    assert (first < 2.5) is good


def test_retries_are_not_looked_at() -> None:
    seen = tries(*steady(0, 20))
    retry = Attempt(99, Kind.READ, "1", True, 2, 5.0, 5.0, 6.0, 502, PRIMARY)

    assert longest_interruption([*seen, retry]) == 0
    assert good_from([retry], 0) is None
