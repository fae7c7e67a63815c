"""From what comes back to figures."""

from __future__ import annotations

import pytest

from load.phone import CREATE, GET, LIST, REFRESH
from load.records import Attempt, Ended, Plan, Settled, line_of, record_of
from load.tally import NOBODY, Tally, percentile
from tests.load.plans import PLAN

EAST, WEST = "us-east-1", "us-west-2"


def attempt(
    route: str = LIST,
    region: str = EAST,
    *,
    due: float = 0.0,
    seconds: float = 0.1,
    status: int | None = 200,
    error: str = "",
    number: int = 1,
) -> Attempt:
    return Attempt(route, due, due, due + seconds, number, status, region, error)


def tally(*records: Attempt | Settled | Ended) -> Tally:
    counted = Tally()
    for record in records:
        counted.add(record_of(line_of(record)))
    return counted


def test_each_route_is_counted_by_the_region_that_served_it() -> None:
    figures = tally(
        attempt(seconds=0.1),
        attempt(seconds=0.3),
        attempt(region=WEST, seconds=3.1),
        attempt(GET, "", status=None, error="no answer: timeout", seconds=8.0),
    ).figures()

    found = {(each.route, each.region): each for each in figures.routes}
    assert {key: each.requests for key, each in found.items()} == {
        (LIST, EAST): 2,
        (LIST, WEST): 1,
        (GET, NOBODY): 1,
    }
    assert found[LIST, EAST].p50_seconds == pytest.approx(0.1)
    assert found[LIST, EAST].p99_seconds == pytest.approx(0.3)
    assert found[GET, NOBODY].failed == 1
    assert (figures.requests, figures.answered, figures.failed) == (4, 3, 1)
    assert figures.errors == ((f"{GET}: no answer: timeout", 1),)


def test_a_wait_is_counted_from_when_the_request_was_due() -> None:
    late = Attempt(LIST, due=1.0, sent=4.0, ended=4.5, number=1, status=200, region=EAST)

    figures = tally(late).figures()

    assert figures.p99_seconds == pytest.approx(3.5)
    assert figures.late_start_seconds == pytest.approx(3.0)


def test_the_pools_requests_are_apart() -> None:
    refused = attempt(REFRESH, "user pool", status=429, error="429 TooManyRequests", seconds=9.0)

    figures = tally(attempt(), refused).figures()

    assert (figures.requests, figures.failed, figures.throttled) == (1, 0, 0)
    assert (figures.refreshes, figures.refreshes_failed) == (1, 1)
    assert figures.p99_seconds == pytest.approx(0.1)


def test_retries_throttles_and_what_was_not_modified_are_counted() -> None:
    figures = tally(
        attempt(number=2), attempt(status=429, error="429 throttled"), attempt(GET, status=304)
    ).figures()

    assert (figures.retries, figures.throttled, figures.not_modified) == (1, 1, 1)


def test_writes_that_came_to_nothing_are_counted_apart_from_second_items() -> None:
    figures = tally(
        Settled(CREATE, ""),
        Settled(CREATE, "given up after 7 tries"),
        Settled(CREATE, "made a second item"),
        Ended(visits=3, cut=1),
    ).figures()

    assert (figures.writes, figures.unfinished, figures.second_items) == (2, 1, 1)
    assert (figures.visits, figures.cut) == (3, 1)


def test_a_second_in_which_nothing_was_due_is_one_all_the_same() -> None:
    seconds = tally(attempt(due=0.5), attempt(due=2.2, error="x", status=500)).seconds()

    assert [sum(each.served.values()) for each in seconds] == [1, 0, 0]
    assert [each.failed for each in seconds] == [0, 0, 1]


def test_a_run_that_was_broken_off_is_not_finished() -> None:
    assert not tally(attempt()).finished
    assert tally(Ended(0, 0)).finished


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([], 99, 0.0), ([4.0], 50, 4.0), ([1.0, 2.0], 50, 1.0), ([*range(1, 101)], 99, 99)],
)
def test_a_percentile_is_a_value_that_was_seen(
    values: list[float], share: float, found: float
) -> None:
    assert percentile(values, share) == found


def test_a_plan_reads_back_and_shows_no_token() -> None:
    assert Plan.read(PLAN.line()) == PLAN
    assert "token" not in repr(PLAN).replace("token_url", "")
