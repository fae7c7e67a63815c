"""Whatever a drill may have seen, its figures are those of a slow, obvious second computation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.history import Acknowledged, Attempt, History, Kind, Lag, Moment, Row, Snapshot
from drills.measure import figures
from tests.drills import second_opinion
from tests.drills.histories import PRIMARY, STANDBY

regions = st.sampled_from((PRIMARY, STANDBY))
# Halves, so that times meet each other and the limits.
times = st.integers(0, 120).map(lambda half: half / 2)
owners = st.sampled_from(("user#1", "user#2"))
item_ids = st.sampled_from(("a", "b"))
operations = st.integers(1, 6)


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    due = draw(times)
    sent = due + draw(st.sampled_from((0.0, 0.5)))
    return Attempt(
        operation=draw(operations),
        kind=draw(st.sampled_from(Kind)),
        user="1",
        kept_connection=True,
        number=draw(st.sampled_from((1, 1, 1, 2))),
        due=due,
        sent=sent,
        ended=sent + draw(st.sampled_from((0.0, 0.5, 8.0))),
        status=draw(st.sampled_from((200, 200, 200, 503, None))),
        region=draw(regions),
    )


@st.composite
def writes(draw: st.DrawFn) -> Acknowledged:
    # An operation has one owner, item and kind, however often it is acknowledged.
    operation = draw(operations)
    return Acknowledged(
        operation=operation,
        kind=Kind.CREATE if operation == 1 else Kind.UPDATE,
        owner="user#1" if operation < 6 else "user#2",
        item_id="b" if operation == 5 else "a",
        region=draw(regions),
        at=draw(times),
        found=draw(st.sampled_from((False, False, True))),
    )


rows = st.builds(Row, owners, item_ids, st.integers(0, 3), st.frozensets(operations))


@st.composite
def snapshots(draw: st.DrawFn, region: str) -> Snapshot:
    found = draw(st.lists(rows, max_size=4, unique_by=lambda row: (row.owner, row.item_id)))
    return Snapshot(draw(times), region, tuple(found))


markers = st.builds(Lag, regions, regions, times, st.one_of(st.none(), times))


@st.composite
def histories(draw: st.DrawFn) -> History:
    fault = draw(times)
    healed = fault + draw(times)
    # Begun at the earliest when the fault was made, at the latest when healing was done.
    healing = draw(st.integers(int(2 * fault), int(2 * healed))) / 2
    return History(
        PRIMARY,
        STANDBY,
        attempts=draw(st.lists(attempts(), max_size=30)),
        acknowledged=draw(st.lists(writes(), max_size=8)),
        moments={Moment.FAULT: fault, Moment.HEALING: healing, Moment.HEALED: healed},
        lags=draw(st.lists(markers, max_size=3)),
        at_takeover=draw(snapshots(STANDBY)),
        in_the_end=(draw(snapshots(PRIMARY)), draw(snapshots(STANDBY))),
    )


@given(histories())
def test_service_and_reads_are_those_of_the_second_opinion(seen: History) -> None:
    measured = figures(seen)

    assert measured.timeline.rto_writes_seconds == second_opinion.rto_of_writes(seen)
    assert measured.counts.reads.failed == second_opinion.failed_reads(seen)
    assert measured.counts.reads.slowest_seconds == second_opinion.slowest_read(seen)


@given(histories())
def test_a_failover_and_its_failback_are_those_of_the_second_opinion(seen: History) -> None:
    timeline = figures(seen).timeline

    assert timeline.first_write_in_standby_seconds == second_opinion.first_write_in_standby(seen)
    assert timeline.failback_seconds == second_opinion.failback(seen)
    assert timeline.good_after_healing_seconds == second_opinion.good_after_healing(seen)


@given(histories())
def test_what_the_fault_did_is_that_of_the_second_opinion(seen: History) -> None:
    measured = figures(seen)
    counts, interruption = measured.counts, measured.interruption

    assert interruption.longest_seconds == second_opinion.longest_interruption(seen)
    assert set(interruption.never_acknowledged) == second_opinion.never_acknowledged(seen)
    assert measured.replication.stopped == second_opinion.held_up(seen)
    failed = second_opinion.failed_writes_during_the_fault(seen)
    assert counts.writes.failed_during_the_fault == failed
    share = second_opinion.good_share_before_the_fault(seen)
    assert counts.good_share_before_the_fault == pytest.approx(share)


@given(histories())
def test_losses_are_those_of_the_second_opinion(seen: History) -> None:
    found = figures(seen).data_loss
    gone, excused = second_opinion.gone(seen), second_opinion.excused(seen)

    assert {each.operation for each in found.overwritten} == excused
    assert set(found.missing_after_healing) == gone - excused
    assert set(found.duplicates) == second_opinion.doubled(seen)


@given(histories())
def test_what_a_takeover_costs_is_that_of_the_second_opinion(seen: History) -> None:
    measured = figures(seen)

    assert set(measured.data_loss.missing_at_takeover) == second_opinion.missing_at_takeover(seen)
    assert measured.data_loss.rpo_seconds == second_opinion.rpo(seen)
    assert measured.takeover.both_wrote_seconds == second_opinion.both_wrote_at_takeover(seen)
    assert measured.failback.both_wrote_seconds == second_opinion.both_wrote_at_failback(seen)
