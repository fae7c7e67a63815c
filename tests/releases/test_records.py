"""The ledger's rows, in a table in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from releases.ledger import CHOSEN, RELEASED, Claim, Event, Ledger, Mark, Serving, before, mark_of
from releases.records import LEASE_SECONDS, ClaimedError, LostClaimError, Records
from releases.versions import Versions
from tests.unit.support import TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "us-east-1"
OLD, NEW = Versions(3, 2), Versions(4, 3)
CLAIM = Claim("one", "ada@here, process 1", "2026-11-28T18:00:00+00:00", 0.0, OLD, NEW)
EVENT = Event("2026-11-28T18:01:00+00:00", "one", RELEASED, "ada", NEW, OLD)
SERVING = Serving(NEW, "f" * 64, EVENT.at, OLD)
MARK = Mark("f" * 64, EVENT.at, REGION, NEW, "it fails")


class Clock:
    """A wall clock that stands."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(table: DynamoDBClient, clock: Clock) -> Records:
    return Records(table, TABLE, REGION, clock)


def test_an_empty_partition_is_an_empty_ledger(records: Records) -> None:
    assert records.read() == Ledger()


def test_what_is_written_is_read(records: Records, clock: Clock) -> None:
    records.claim(CLAIM)
    assert records.read().claim == replace(CLAIM, until=clock.now + LEASE_SECONDS)

    records.conclude("one", EVENT, SERVING, MARK)

    assert records.read() == Ledger(None, SERVING, (MARK,), (EVENT,))
    records.unmark(MARK.fingerprint)
    assert records.read().marks == ()


def test_a_region_has_one_release_at_a_time(records: Records) -> None:
    records.claim(CLAIM)
    with pytest.raises(ClaimedError, match=r"ada@here, process 1, since 2026-11-28T18:00"):
        records.claim(replace(CLAIM, run="two"))
    # By this run again: a call whose answer was lost is sent twice.
    records.claim(replace(CLAIM, target=OLD))
    claim = records.read().claim
    assert claim is not None
    assert claim.target == OLD


def test_a_lease_that_is_over_is_nobodys(records: Records, clock: Clock) -> None:
    records.claim(CLAIM)
    clock.now += LEASE_SECONDS - 1
    records.renew("one")
    clock.now += LEASE_SECONDS - 1
    with pytest.raises(ClaimedError):
        records.claim(replace(CLAIM, run="two"))

    clock.now += 2
    records.claim(replace(CLAIM, run="two"))

    with pytest.raises(LostClaimError):
        records.renew("one")
    with pytest.raises(LostClaimError):
        records.conclude("one", EVENT, SERVING)
    assert records.read().serving is None
    claim = records.read().claim
    assert claim is not None
    assert claim.run == "two"


def test_the_regions_are_apart(records: Records, table: DynamoDBClient) -> None:
    records.claim(CLAIM)
    assert Records(table, TABLE, "us-west-2").read() == Ledger()


def test_history_ends_some_day_and_nothing_else_does(
    records: Records, table: DynamoDBClient
) -> None:
    records.conclude(None, EVENT, SERVING, MARK)
    rows = table.scan(TableName=TABLE)["Items"]
    assert {row["item_id"]["S"].partition("#")[0] for row in rows if "expires_at" in row} == {
        "event"
    }


def test_a_mark_counts_wherever_it_was_made() -> None:
    later = replace(MARK, at="2027", reason="again")
    assert mark_of(MARK.fingerprint, [Ledger(), Ledger(marks=(MARK, later))]) == later
    assert mark_of("0" * 64, [Ledger(marks=(MARK,))]) is None


def test_what_served_before_is_told_by_the_last_release_of_it() -> None:
    first, second = Versions(1, 1), Versions(2, 2)
    events = (
        Event("1", "a", RELEASED, "ada", second, first),
        Event("2", "b", RELEASED, "ada", OLD, second),
        Event("3", "c", CHOSEN, "ada", second, OLD),
        EVENT,
    )
    ledger = Ledger(serving=SERVING, events=events)
    assert before(ledger, NEW) == OLD
    assert before(ledger, second) == OLD
    assert before(ledger, first) is None


def test_whose_release_runs_can_be_read_by_itself(records: Records, clock: Clock) -> None:
    assert records.read_claim() is None
    records.claim(CLAIM)
    assert records.read_claim() == replace(CLAIM, until=clock.now + LEASE_SECONDS)
