"""Whatever happened in a drill, its figures say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.history import Acknowledged, Attempt, Change, History, Kind, Lag, Moment, Snapshot
from drills.measure import Figures, figures
from tests.drills.histories import (
    PRIMARY,
    STANDBY,
    STEP,
    Handover,
    Plan,
    handover,
    history,
)

outages = st.integers(1, 43).map(float)


def one(kind: Kind, due: float, status: int | None = 200, region: str | None = PRIMARY) -> Attempt:
    """A first try that is answered at once."""
    return Attempt(1, kind, "1", True, 1, due, due, due, status, region)


def counted(*attempts: Attempt) -> Figures:
    """Measure these requests of a drill with a fault at 10 s that heals from 20 to 21 s."""
    moments = {Moment.FAULT: 10.0, Moment.HEALING: 20.0, Moment.HEALED: 21.0}
    return figures(History(PRIMARY, STANDBY, attempts, moments=moments))


@given(outages)
def test_the_rto_of_writes_is_the_outage_of_writes(outage: float) -> None:
    timeline = figures(history(Plan(outage=outage))).timeline

    assert timeline.rto_writes_seconds == pytest.approx(outage, abs=2 * STEP)
    assert timeline.rto_reads_seconds == 0


@given(outages)
def test_the_rto_of_reads_is_the_outage_of_reads(outage: float) -> None:
    timeline = figures(history(Plan(outage=0.0, read_outage=outage))).timeline

    assert timeline.rto_reads_seconds == pytest.approx(outage, abs=2 * STEP)
    assert timeline.rto_writes_seconds == 0


@given(outages)
def test_every_request_of_the_outage_counts_as_failed_by_its_kind(outage: float) -> None:
    counts = figures(history(Plan(outage=outage))).counts

    assert counts.reads.failed == 0
    assert counts.writes.failed == counts.writes.failed_during_the_fault
    assert counts.writes.failed == pytest.approx(outage / STEP / 2, abs=1)


def test_a_hang_is_not_hidden_by_what_comes_after_it() -> None:
    whole = history(Plan(outage=0.0))
    began = whole.moments[Moment.FAULT]
    hanging = [
        replace(each, ended=each.due + 8, status=None, region=None)
        if began <= each.due < began + 20
        else each
        for each in whole.attempts
    ]

    seen = figures(replace(whole, attempts=hanging))

    assert seen.timeline.rto_reads_seconds == pytest.approx(20, abs=2 * STEP)
    assert seen.counts.reads.slowest_seconds == pytest.approx(8)


@given(st.integers(1, 40))
def test_a_success_amid_failures_is_no_recovery(second: int) -> None:
    whole = history(Plan(outage=43.0))
    lucky = Plan().fault + second
    mixed = [
        replace(each, status=201, region=STANDBY) if lucky <= each.due < lucky + 2 * STEP else each
        for each in whole.attempts
    ]

    timeline = figures(replace(whole, attempts=mixed)).timeline

    assert timeline.rto_writes_seconds == pytest.approx(43, abs=2 * STEP)


def test_an_outage_that_begins_late_counts_from_the_fault_all_the_same() -> None:
    whole = history(Plan(outage=30.0))
    late = [
        replace(each, status=201, region=PRIMARY) if each.due < Plan().fault + 15 else each
        for each in whole.attempts
    ]

    timeline = figures(replace(whole, attempts=late)).timeline

    assert timeline.rto_writes_seconds == pytest.approx(30, abs=2 * STEP)


def test_who_never_recovers_has_no_rto() -> None:
    timeline = figures(history(Plan(outage=50.0, read_outage=50.0))).timeline

    assert timeline.rto_reads_seconds is None
    assert timeline.rto_writes_seconds is None
    assert timeline.first_write_in_standby_seconds is None
    assert timeline.first_read_by_standby_seconds is None


def test_a_retry_that_succeeds_does_not_end_the_outage() -> None:
    whole = history(Plan(outage=30.0))
    retries = [
        replace(each, number=2, due=each.due + 0.01, status=201, region=STANDBY)
        for each in whole.attempts
        for _ in range(200)
        if each.kind.writes and not each.good
    ]
    assert len(retries) > 10_000

    timeline = figures(replace(whole, attempts=(*whole.attempts, *retries))).timeline

    assert timeline.rto_writes_seconds == pytest.approx(30.35)


def test_the_timeline_is_counted_from_the_fault_and_from_the_healing() -> None:
    timeline = figures(history(Plan(outage=30.0, read_outage=3.0))).timeline

    assert timeline.first_failure_seconds == pytest.approx(0.1)
    assert timeline.detection_seconds == pytest.approx(10)
    assert timeline.dns_seconds == pytest.approx(29)
    assert timeline.first_read_by_standby_seconds == pytest.approx(3.1)
    assert timeline.first_write_in_standby_seconds == pytest.approx(30.35)
    assert timeline.failback_seconds == pytest.approx(30.35)
    assert timeline.good_after_healing_seconds == 0


def test_the_switch_that_is_seen_is_a_detection() -> None:
    assert figures(handover(Handover())).timeline.detection_seconds == pytest.approx(10)


def test_service_that_is_bad_after_healing_is_good_again_when_it_stays_so() -> None:
    whole = history(Plan())
    bad = [
        replace(each, status=502, region=None) if 60 <= each.due < 70 else each
        for each in whole.attempts
    ]

    seen = figures(replace(whole, attempts=bad))

    assert seen.timeline.good_after_healing_seconds == pytest.approx(10.1)
    assert seen.counts.reads.failed_after_healing == 20
    assert seen.counts.writes.failed_after_healing == 20
    assert seen.counts.reads.failed_during_the_fault == 0


@pytest.mark.parametrize(
    ("since", "until"), [(9.99, None), (10.0, 0.0), (19.99, 9.99), (20.0, None)]
)
def test_a_change_counts_from_the_fault_until_healing_begins(
    since: float, until: float | None
) -> None:
    whole = history(Plan(healed=20.0))
    change = Change(since, "DNS: origin.example.com", STANDBY)

    dns = figures(replace(whole, changes=(change,))).timeline.dns_seconds

    assert dns == (None if until is None else pytest.approx(until))


def test_failback_is_the_first_write_in_the_primary_since_healing_began() -> None:
    seen = counted(
        one(Kind.READ, 20.5),
        one(Kind.CREATE, 20.6, 503),
        one(Kind.CREATE, 20.7, 201, STANDBY),
        one(Kind.CREATE, 19.9, 201),
        one(Kind.CREATE, 22.0, 201),
        one(Kind.CREATE, 21.5, 201),
    )

    assert seen.timeline.failback_seconds == pytest.approx(1.5)


def test_what_came_once_healing_had_begun_is_not_the_faults() -> None:
    late = one(Kind.CREATE, 20.0, 201, STANDBY)
    changes = (Change(20.0, "DNS: origin.example.com", STANDBY),)
    seen = replace(
        History(PRIMARY, STANDBY, (late, one(Kind.CREATE, 12.0, 502))),
        changes=changes,
        moments={Moment.FAULT: 10.0, Moment.HEALING: 20.0, Moment.HEALED: 21.0},
    )

    timeline = figures(seen).timeline

    assert timeline.first_write_in_standby_seconds is None
    assert timeline.dns_seconds is None
    assert timeline.rto_writes_seconds is None


def test_failback_counts_from_the_begin_of_healing_and_good_again_from_its_end() -> None:
    bad = [one(Kind.CREATE, 20.5, 502), one(Kind.CREATE, 21.0, 502)]
    good = [one(Kind.CREATE, 20.0, 201), *(one(Kind.READ, 22.0 + n) for n in range(10))]

    timeline = counted(*bad, *good).timeline

    assert timeline.failback_seconds == 0
    assert timeline.good_after_healing_seconds == pytest.approx(1.0)
    only_before = counted(
        one(Kind.CREATE, 20.5, 502), *(one(Kind.READ, 21.0 + n) for n in range(10))
    )
    assert only_before.timeline.good_after_healing_seconds == 0


def test_a_request_that_ended_with_the_fault_is_none_of_before() -> None:
    spoilt = replace(one(Kind.READ, 9.0, None), ended=10.0)

    assert counted(one(Kind.READ, 9.0), spoilt).counts.good_share_before_the_fault == 1
    early = replace(spoilt, ended=9.9)
    assert counted(one(Kind.READ, 9.0), early).counts.good_share_before_the_fault == 0.5


def test_reads_that_fail_interrupt_no_write() -> None:
    reads = [one(Kind.READ, 11.0 + n, 502) for n in range(10)]

    assert counted(*reads, one(Kind.CREATE, 12.0, 201)).interruption.longest_seconds == 0
    early = one(Kind.CREATE, 9.9, 502)
    assert counted(early, one(Kind.CREATE, 12.0, 201)).interruption.longest_seconds == 0


def test_a_request_belongs_to_the_time_that_it_was_due_in() -> None:
    def slow(due: float, status: int | None, region: str | None = STANDBY) -> Attempt:
        return replace(one(Kind.CREATE, due, status, region), ended=due + 2.0)

    seen = counted(
        slow(9.0, 502, None),
        slow(19.0, 201),
        slow(19.5, 502, None),
        *(one(Kind.CREATE, 22.0 + n, 201) for n in range(8)),
    )
    back = counted(slow(19.0, 201, PRIMARY), slow(23.0, 201, PRIMARY))

    # What was due before the fault is no outage of its, and what ends after it is.
    assert seen.timeline.first_failure_seconds == pytest.approx(11.5)
    assert seen.timeline.first_write_in_standby_seconds == pytest.approx(11.0)
    assert seen.counts.writes.served_by_standby_during_the_fault == 1
    assert seen.interruption.longest_seconds == pytest.approx(2.5)
    assert seen.timeline.good_after_healing_seconds == 0
    assert back.timeline.failback_seconds == pytest.approx(5.0)


@pytest.mark.parametrize(("sent", "arrived", "stopped"), [(19.9, 20.0, 1), (20.0, None, 0)])
def test_a_marker_is_held_up_until_healing_begins(
    sent: float, arrived: float | None, stopped: int
) -> None:
    lag = Lag(PRIMARY, STANDBY, sent, None if arrived is None else arrived - sent)
    moments = {Moment.FAULT: 10.0, Moment.HEALING: 20.0, Moment.HEALED: 21.0}

    assert figures(History(PRIMARY, STANDBY, lags=(lag,), moments=moments)).replication.stopped == (
        stopped
    )


def test_requests_are_told_apart_by_when_they_were() -> None:
    def failed(due: float, ended: float) -> Attempt:
        return replace(one(Kind.READ, due, None), ended=ended)

    reads = counted(
        failed(9.0, 9.9),
        failed(9.0, 10.0),
        failed(20.9, 25.0),
        failed(21.0, 21.0),
        one(Kind.READ, 15.0),
    ).counts.reads

    assert reads.sent == 5
    assert reads.failed == 4
    assert reads.failed_before_the_fault == 1
    assert reads.failed_during_the_fault == 2
    assert reads.sent_during_the_fault == 3
    assert reads.failed_after_healing == 1


def test_the_standby_serves_while_the_fault_lasts_and_not_what_it_refuses() -> None:
    reads = counted(
        one(Kind.READ, 9.9, 200, STANDBY),
        one(Kind.READ, 10.0, 200, STANDBY),
        one(Kind.READ, 19.9, 200, STANDBY),
        one(Kind.READ, 19.9, 503, STANDBY),
        one(Kind.READ, 15.0, 200, PRIMARY),
        one(Kind.READ, 20.0, 200, STANDBY),
    ).counts.reads

    assert reads.served_by_standby_during_the_fault == 2


def test_waits_are_told_apart_by_what_came_of_them() -> None:
    def took(seconds: float, status: int | None) -> Attempt:
        return Attempt(1, Kind.READ, "1", True, 1, 1.0, 1.5, 1.5 + seconds, status, PRIMARY)

    counts = counted(took(2.0, 200), took(1.0, 502), took(3.0, None)).counts

    assert counts.reads.slowest_seconds == pytest.approx(3.5)
    assert counts.writes.slowest_seconds == 0
    assert counts.slowest_answer_seconds == pytest.approx(3)
    assert counts.slowest_error_seconds == pytest.approx(1)
    assert counts.unanswered == 1
    assert counts.latest_start_seconds == pytest.approx(0.5)
    assert counts.good_share_before_the_fault == pytest.approx(1 / 3)


def test_acknowledged_writes_are_counted_and_updates_among_them() -> None:
    def done(number: int, kind: Kind) -> Acknowledged:
        return Acknowledged(number, kind, "user#1", "item", PRIMARY, 1.0)

    writes = (done(1, Kind.CREATE), done(2, Kind.UPDATE), done(3, Kind.UPDATE))
    counts = figures(History(PRIMARY, STANDBY, acknowledged=writes)).counts

    assert (counts.acknowledged_writes, counts.acknowledged_updates) == (3, 2)


def test_a_planned_move_refuses_writes_for_as_long_as_it_does() -> None:
    seen = figures(handover(Handover(refused=5.0)))

    assert seen.interruption.longest_seconds == pytest.approx(5.1)
    assert seen.interruption.refused == 2 * 20
    assert seen.interruption.never_acknowledged == ()
    assert seen.data_loss.lost_updates == ()


def test_who_is_refused_until_the_end_waits_for_ever() -> None:
    assert figures(handover(Handover(dns_back=96.0))).interruption.longest_seconds is None


def test_only_a_503_of_a_region_is_a_refusal_and_only_from_the_fault_on() -> None:
    seen = counted(
        one(Kind.UPDATE, 9.9, 503),
        one(Kind.UPDATE, 10.0, 503),
        one(Kind.UPDATE, 12.0, 503, None),
        one(Kind.UPDATE, 12.0, 502),
        one(Kind.READ, 12.0, 503),
    )

    assert seen.interruption.refused == 1


def test_a_write_that_came_to_nothing_is_named_whatever_its_tries_were_answered() -> None:
    whole = handover(Handover())
    gone = {each.operation for each in whole.attempts if each.refused}
    forgotten = min(gone)
    left = [each for each in whole.acknowledged if each.operation != forgotten]

    assert figures(replace(whole, acknowledged=left)).interruption.never_acknowledged == (
        forgotten,
    )


@pytest.mark.parametrize(
    ("taken", "counts"),
    [
        (None, False),
        (Snapshot(40.0, STANDBY, ()), True),
        (Snapshot(40.0, PRIMARY, ()), False),
        (Snapshot(10.0, STANDBY, ()), True),
        (Snapshot(9.9, STANDBY, ()), False),
    ],
)
def test_a_snapshot_at_takeover_is_the_standbys_and_not_of_before(
    taken: Snapshot | None, counts: bool
) -> None:
    seen = replace(history(Plan()), at_takeover=taken)

    assert figures(seen).snapshots.standby_at_takeover is counts


@pytest.mark.parametrize(
    ("regions", "missing"),
    [
        ((PRIMARY, STANDBY), ()),
        ((PRIMARY,), (STANDBY,)),
        ((STANDBY, STANDBY), (PRIMARY,)),
        ((), (PRIMARY, STANDBY)),
    ],
)
def test_a_replica_that_was_not_read_in_the_end_is_named(
    regions: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    read = tuple(Snapshot(100.0, region, ()) for region in regions)
    snapshots = figures(replace(history(Plan()), in_the_end=read)).snapshots

    assert (snapshots.in_the_end, snapshots.missing_in_the_end) == (regions, missing)


def test_lag_is_that_of_the_markers_that_came_before_the_fault() -> None:
    lags = (
        Lag(PRIMARY, STANDBY, 1.0, 1.0),
        Lag(PRIMARY, STANDBY, 4.0, 2.0),
        Lag(STANDBY, PRIMARY, 2.0, 6.0),
        Lag(PRIMARY, STANDBY, 5.0, 5.0),
        Lag(PRIMARY, STANDBY, 9.0, None),
    )
    replication = figures(replace(history(Plan()), lags=lags)).replication

    assert replication.lag_median_seconds == pytest.approx(2.0)
    assert replication.lag_max_seconds == pytest.approx(6.0)
    assert replication.catch_up_seconds is None


@pytest.mark.parametrize(
    ("lags", "caught_up"),
    [
        ((), 0),
        ((Lag(PRIMARY, STANDBY, 1.0, 1.0),), 0),
        ((Lag(PRIMARY, STANDBY, 50.0, 12.0), Lag(PRIMARY, STANDBY, 30.0, 33.0)), 3.0),
        ((Lag(PRIMARY, STANDBY, 59.9, None),), None),
        ((Lag(PRIMARY, STANDBY, 60.0, None),), 0),
        ((Lag(PRIMARY, STANDBY, 60.0, 9.0),), 0),
    ],
)
def test_replication_has_caught_up_once_every_marker_of_before_the_healing_came(
    lags: tuple[Lag, ...], caught_up: float | None
) -> None:
    replication = figures(replace(history(Plan()), lags=lags)).replication

    assert replication.catch_up_seconds == (None if caught_up is None else pytest.approx(caught_up))


@pytest.mark.parametrize(
    ("sent", "seconds", "stopped"),
    [
        (9.9, None, 0),
        (10.0, None, 1),
        (10.0, 49.9, 0),
        (10.0, 50.0, 1),
        (59.9, None, 1),
        (60.0, None, 0),
    ],
)
def test_a_marker_is_held_up_that_had_not_come_when_healing_began(
    sent: float, seconds: float | None, stopped: int
) -> None:
    seen = replace(history(Plan()), lags=(Lag(PRIMARY, STANDBY, sent, seconds),))

    assert figures(seen).replication.stopped == stopped


def test_a_drill_that_did_nothing_has_figures_all_the_same() -> None:
    seen = figures(History(PRIMARY, STANDBY))

    assert seen.counts.requests == 0
    assert seen.counts.good_share_before_the_fault == 0
    assert seen.timeline.rto_writes_seconds is None
    assert seen.timeline.failback_seconds is None
    assert seen.replication.catch_up_seconds is None
    assert seen.interruption.longest_seconds == 0
    assert seen.counts.slowest_answer_seconds == seen.counts.latest_start_seconds == 0
