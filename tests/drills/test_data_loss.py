"""No acknowledged write is lost or doubled without the figures saying so, nor excused wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.data_loss import data_loss
from drills.history import Acknowledged, History, Kind, Lag, Moment, Row, Snapshot
from tests.drills.histories import (
    COUNTER,
    OWNER,
    PRIMARY,
    STANDBY,
    Plan,
    acknowledged,
    attempts,
    history,
    with_conflict,
    with_updates,
)

CREATES = [each.operation for each in acknowledged(attempts(Plan()))]
BEFORE_THE_FAULT = [
    each.operation for each in acknowledged(attempts(Plan())) if each.at < Plan().fault
]
LOST = 10_001


def excused(seen: History) -> bool:
    """Whether the lost update is put down to a conflict, and isn't called missing then."""
    found = data_loss(seen)
    assert found.lost_updates == (LOST,)
    by_conflict = [each.operation for each in found.overwritten] == [LOST]
    assert found.missing_after_healing == (() if by_conflict else (LOST,))
    return by_conflict


@given(st.sets(st.sampled_from(CREATES), min_size=1), st.sampled_from((PRIMARY, STANDBY)))
def test_a_lost_write_is_always_found_in_whichever_region(lost: set[int], region: str) -> None:
    found = data_loss(history(Plan(lost={region: frozenset(lost)})))

    assert found.missing_after_healing == tuple(sorted(lost))


@given(st.sets(st.sampled_from(CREATES), min_size=1))
def test_a_duplicate_write_is_always_found(duplicates: set[int]) -> None:
    found = data_loss(history(Plan(duplicates=frozenset(duplicates))))

    assert found.duplicates == tuple(sorted(duplicates))


@pytest.mark.parametrize("region", [PRIMARY, STANDBY])
def test_a_duplicate_is_found_in_whichever_region(region: str) -> None:
    whole = history(Plan())
    doubled = tuple(
        replace(each, rows=(*each.rows, Row(OWNER, "again", 3))) if each.region == region else each
        for each in whole.in_the_end
    )

    assert data_loss(replace(whole, in_the_end=doubled)).duplicates == (3,)


def test_items_that_no_operation_made_are_no_duplicates() -> None:
    whole = history(Plan())
    counters = (Row("user#1", "a", 0), Row("user#2", "b", 0))
    more = tuple(replace(each, rows=(*each.rows, *counters)) for each in whole.in_the_end)

    assert data_loss(replace(whole, in_the_end=more)).duplicates == ()


@given(st.sets(st.sampled_from(BEFORE_THE_FAULT), min_size=1))
def test_a_late_write_is_always_found_and_its_age_is_the_rpo(late: set[int]) -> None:
    whole = history(Plan(missing_at_takeover=frozenset(late)))
    times = {each.operation: each.at for each in whole.acknowledged}

    found = data_loss(whole)

    assert found.missing_at_takeover == tuple(sorted(late))
    assert found.rpo_seconds == pytest.approx(Plan().fault - min(times[n] for n in late))
    assert found.missing_after_healing == ()


def late_write(at: float, region: str = PRIMARY) -> History:
    """A write of between the fault, 10 s, and the takeover, 40 s, that the standby lacked then."""
    whole = history(Plan())
    write = Acknowledged(LOST, Kind.CREATE, OWNER, "late", region, at)
    row = Row(OWNER, "late", LOST)
    return replace(
        whole,
        acknowledged=(*whole.acknowledged, write),
        in_the_end=tuple(replace(each, rows=(*each.rows, row)) for each in whole.in_the_end),
    )


def test_what_the_region_that_was_left_took_after_the_fault_counts_to_its_last_write() -> None:
    base = late_write(20.0)
    newer = Acknowledged(10_002, Kind.CREATE, OWNER, "newer", PRIMARY, 27.5)
    seen = replace(base, acknowledged=(*base.acknowledged, newer))

    found = data_loss(seen)

    assert found.missing_at_takeover == (LOST, 10_002)
    assert found.rpo_seconds == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("at", "region", "missing"),
    [
        (40.0, PRIMARY, True),
        (40.1, PRIMARY, False),
        (30.0, STANDBY, False),
    ],
)
def test_only_what_was_acknowledged_elsewhere_until_the_takeover_can_be_missing_there(
    at: float, region: str, missing: bool
) -> None:
    found = data_loss(late_write(at, region))

    assert found.missing_at_takeover == ((LOST,) if missing else ())
    assert found.rpo_seconds == 0


def test_nothing_lost_is_nothing_found() -> None:
    found = data_loss(history(Plan()))

    assert found.missing_at_takeover == found.missing_after_healing == found.duplicates == ()
    assert found.overwritten == ()
    assert found.lost_updates == ()
    assert found.rpo_seconds == 0


def test_another_owners_item_of_the_same_id_is_not_the_one() -> None:
    write = Acknowledged(1, Kind.CREATE, OWNER, "item", PRIMARY, 1.0)
    other = Snapshot(100.0, PRIMARY, (Row("user#2", "item", 1), Row(OWNER, "other", 1)))
    seen = History(PRIMARY, STANDBY, acknowledged=(write,), in_the_end=(other,))

    assert data_loss(seen).missing_after_healing == (1,)


def test_an_update_has_to_stand_in_its_item() -> None:
    write = Acknowledged(1, Kind.UPDATE, OWNER, COUNTER, PRIMARY, 1.0)
    there = Row(OWNER, COUNTER, 0, frozenset({1, 2}))
    gone = Row(OWNER, COUNTER, 0, frozenset({2}))
    seen = History(PRIMARY, STANDBY, acknowledged=(write,))

    kept = replace(seen, in_the_end=(Snapshot(9.0, PRIMARY, (there,)),))
    lost = replace(seen, in_the_end=(Snapshot(9.0, PRIMARY, (gone,)),))

    assert data_loss(kept).lost_updates == ()
    assert data_loss(lost).lost_updates == (1,)


def test_a_conflict_is_explained() -> None:
    (overwritten,) = data_loss(with_conflict(history(Plan()), apart=40.0)).overwritten

    assert overwritten.operation == LOST
    assert overwritten.because == (
        "us-east-1 acknowledged it -0.50 s from the fault; it had not reached us-west-2 when that "
        "wrote the same item (operation 10002, +39.50 s), and the last writer wins"
    )


# The fault is at 10 s and healed at 60 s: +50 from the fault.
@pytest.mark.parametrize(
    ("lost", "rival", "conflict"),
    [
        # As near as replication may be late, at any time, in either order.
        (-9.0, 1.0, True),
        (100.0, 110.0, True),
        (100.0, 90.0, True),
        (-10.1, 0.0, False),
        (61.0, 71.1, False),
        (71.1, 61.0, False),
        # Further apart only while nothing replicated.
        (-10.0, 60.0, True),
        (-10.1, 60.0, False),
        (-10.0, 60.1, False),
        (60.0, -10.0, True),
    ],
)
def test_an_update_is_excused_by_another_that_could_not_know_of_it(
    lost: float, rival: float, conflict: bool
) -> None:
    assert excused(replace(with_updates(history(Plan()), lost, rival), lags=())) is conflict


def test_an_update_that_its_own_region_lost_is_no_conflict() -> None:
    assert not excused(with_conflict(history(Plan()), apart=0.2, region=PRIMARY))


def test_a_write_to_another_item_excuses_nothing() -> None:
    seen = with_conflict(history(Plan()), apart=0.2)
    (rival,) = [each for each in seen.acknowledged if each.operation == 10_002]
    for other in (replace(rival, item_id="other"), replace(rival, owner="user#2")):
        acked = [other if each is rival else each for each in seen.acknowledged]
        found = data_loss(replace(seen, acknowledged=acked))
        assert LOST in found.missing_after_healing


def test_a_create_excuses_nothing() -> None:
    seen = with_conflict(history(Plan()), apart=0.2)
    acked = [
        replace(w, kind=Kind.CREATE) if w.operation == 10_002 else w for w in seen.acknowledged
    ]

    assert not excused(replace(seen, acknowledged=acked))


def test_a_lost_create_is_never_excused() -> None:
    seen = with_conflict(history(Plan()), apart=0.2)
    acked = [
        replace(w, kind=Kind.CREATE, item_id="created") if w.operation == LOST else w
        for w in seen.acknowledged
    ]
    # Nor where an update of what it made came right after.
    acked = [replace(w, item_id="created") if w.operation == 10_002 else w for w in acked]

    found = data_loss(replace(seen, acknowledged=acked))

    assert LOST in found.missing_after_healing
    assert LOST not in {each.operation for each in found.overwritten}


# The lost update is the primary's at 9.5 s, its rival the standby's at 49.5 s.
@pytest.mark.parametrize(
    ("marker", "conflict"),
    [
        (Lag(PRIMARY, STANDBY, 9.5, 29.9), False),
        (Lag(PRIMARY, STANDBY, 9.5, 30.0), True),
        (Lag(PRIMARY, STANDBY, 9.4, 5.0), True),
        (Lag(PRIMARY, STANDBY, 9.5, None), True),
        (Lag(STANDBY, PRIMARY, 9.5, 5.0), True),
        (Lag(PRIMARY, "eu-west-1", 9.5, 5.0), True),
    ],
)
def test_where_replication_went_on_a_conflict_is_no_excuse_for_long(
    marker: Lag, conflict: bool
) -> None:
    seen = with_conflict(history(Plan()), apart=40.0)

    assert excused(replace(seen, lags=(marker,))) is conflict


def test_the_earliest_rival_is_named() -> None:
    seen = with_conflict(history(Plan()), apart=40.0)
    sooner = Acknowledged(10_003, Kind.UPDATE, OWNER, COUNTER, STANDBY, 45.0)
    rows = frozenset({10_002, 10_003})
    both = tuple(replace(s, rows=(*s.rows, Row(OWNER, COUNTER, 0, rows))) for s in seen.in_the_end)

    (overwritten,) = data_loss(
        replace(seen, acknowledged=(*seen.acknowledged, sooner), in_the_end=both)
    ).overwritten

    assert "operation 10003" in overwritten.because


def test_a_drill_that_was_never_healed_is_looked_at_to_its_end() -> None:
    seen = with_conflict(history(Plan()), apart=85.0)
    moments = {Moment.FAULT: seen.moments[Moment.FAULT]}

    assert excused(replace(seen, moments=moments))
    assert not excused(seen)
