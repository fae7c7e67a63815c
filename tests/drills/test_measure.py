"""Whatever happened in a drill, its figures say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.history import History, Moment
from drills.measure import GOOD_SECONDS, figures
from tests.drills.histories import (
    PRIMARY,
    STANDBY,
    STEP,
    Plan,
    acknowledged,
    attempts,
    history,
    with_conflict,
)

CREATES = [each.operation for each in acknowledged(attempts(Plan()))]
BEFORE_THE_FAULT = [
    each.operation for each in acknowledged(attempts(Plan())) if each.at < Plan().fault
]
outages = st.integers(1, 45).map(float)


@given(outages)
def test_the_rto_is_the_outage(outage: float) -> None:
    timeline = figures(history(Plan(outage=outage))).timeline

    for measured in (timeline.rto_reads_seconds, timeline.rto_writes_seconds):
        assert measured == pytest.approx(outage, abs=2 * STEP)


@given(outages)
def test_every_request_of_the_outage_counts_as_failed(outage: float) -> None:
    counts = figures(history(Plan(outage=outage))).counts

    assert counts.failed_during_the_fault == pytest.approx(outage / STEP, abs=1)
    assert counts.failed_before_the_fault == counts.failed_after_healing == 0


def test_a_hang_is_not_hidden_by_what_comes_after_it() -> None:
    whole = history(Plan(outage=0.0))
    began = whole.moments[Moment.FAULT]
    hanging = [
        replace(each, ended=each.due + 8, status=None, region=None)
        if began <= each.due < began + 20
        else each
        for each in whole.attempts
    ]

    timeline = figures(replace(whole, attempts=hanging)).timeline

    assert timeline.rto_reads_seconds == pytest.approx(20, abs=2 * STEP)


@given(st.integers(1, 40))
def test_a_success_amid_failures_is_no_recovery(second: int) -> None:
    whole = history(Plan(outage=45.0))
    lucky = Plan().fault + second
    mixed = [
        replace(each, status=200, region=STANDBY) if lucky <= each.due < lucky + STEP else each
        for each in whole.attempts
    ]

    timeline = figures(replace(whole, attempts=mixed)).timeline

    assert timeline.rto_reads_seconds == pytest.approx(45, abs=2 * STEP)


def test_who_never_recovers_has_no_rto() -> None:
    timeline = figures(history(Plan(outage=50.0))).timeline

    assert timeline.rto_reads_seconds is None
    assert timeline.rto_writes_seconds is None
    assert timeline.first_success_in_standby_seconds is None


def test_the_course_is_counted_from_the_fault_and_from_the_healing() -> None:
    timeline = figures(history(Plan(outage=30.0))).timeline

    assert timeline.first_failure_seconds == pytest.approx(0.1, abs=STEP)
    assert timeline.detection_seconds == pytest.approx(10)
    assert timeline.dns_seconds == pytest.approx(29)
    assert timeline.first_success_in_standby_seconds == pytest.approx(30, abs=STEP)
    assert timeline.failback_seconds == pytest.approx(30, abs=STEP)
    assert timeline.good_after_healing_seconds == pytest.approx(0, abs=STEP)


@given(st.sets(st.sampled_from(CREATES), min_size=1), st.sampled_from((PRIMARY, STANDBY)))
def test_a_lost_write_is_always_found_in_whichever_region(lost: set[int], region: str) -> None:
    data_loss = figures(history(Plan(lost={region: frozenset(lost)}))).data_loss

    assert data_loss.missing_after_healing == tuple(sorted(lost))


@given(st.sets(st.sampled_from(CREATES), min_size=1))
def test_a_duplicate_write_is_always_found(duplicates: set[int]) -> None:
    data_loss = figures(history(Plan(duplicates=frozenset(duplicates)))).data_loss

    assert data_loss.duplicates == tuple(sorted(duplicates))


@given(st.sets(st.sampled_from(BEFORE_THE_FAULT), min_size=1))
def test_a_late_write_is_always_found_and_its_age_is_the_rpo(late: set[int]) -> None:
    whole = history(Plan(missing_at_takeover=frozenset(late)))
    times = {each.operation: each.at for each in whole.acknowledged}

    data_loss = figures(whole).data_loss

    assert data_loss.missing_at_takeover == tuple(sorted(late))
    assert data_loss.rpo_seconds == pytest.approx(Plan().fault - min(times[n] for n in late))
    assert data_loss.missing_after_healing == ()


def test_nothing_lost_is_nothing_found() -> None:
    data_loss = figures(history(Plan())).data_loss

    assert (
        data_loss.missing_at_takeover
        == data_loss.missing_after_healing
        == data_loss.duplicates
        == ()
    )
    assert data_loss.overwritten == ()
    assert data_loss.rpo_seconds == 0


def test_an_update_that_the_other_region_could_not_know_of_is_a_conflict_and_explained() -> None:
    data_loss = figures(with_conflict(history(Plan()), apart=40.0)).data_loss

    (overwritten,) = data_loss.overwritten
    assert overwritten.operation == 10_001
    assert "had not reached us-west-2" in overwritten.because
    assert data_loss.missing_after_healing == ()


def test_an_update_that_its_own_region_lost_is_no_conflict() -> None:
    data_loss = figures(with_conflict(history(Plan()), apart=0.2, region=PRIMARY)).data_loss

    assert data_loss.overwritten == ()
    assert data_loss.missing_after_healing == (10_001,)


def test_an_update_that_had_long_arrived_is_no_conflict() -> None:
    data_loss = figures(with_conflict(history(Plan()), apart=85.0)).data_loss

    assert data_loss.overwritten == ()
    assert data_loss.missing_after_healing == (10_001,)


def test_lag_is_that_of_the_markers_before_the_fault_alone() -> None:
    replication = figures(history(Plan())).replication

    assert replication.lag_median_seconds == pytest.approx(2.0)
    assert replication.lag_max_seconds == pytest.approx(3.0)


def test_a_marker_that_never_came_means_that_nothing_caught_up() -> None:
    whole = history(Plan())
    (first, *rest) = whole.lags

    replication = figures(replace(whole, lags=(replace(first, seconds=None), *rest))).replication

    assert replication.catch_up_seconds is None


def test_a_drill_that_did_nothing_has_figures_all_the_same() -> None:
    seen = figures(History(PRIMARY, STANDBY))

    assert seen.counts.requests == 0
    assert seen.counts.good_share_before_the_fault == 0
    assert seen.timeline.rto_writes_seconds is None


def test_good_again_looks_far_enough_ahead_to_see_more_than_one_request() -> None:
    assert GOOD_SECONDS / STEP > 10


def test_a_retry_that_succeeds_does_not_end_the_outage() -> None:
    whole = history(Plan(outage=30.0))
    retries = [
        replace(each, number=2, status=200, region=STANDBY)
        for each in whole.attempts
        if Plan().fault <= each.due < Plan().fault + 30
    ]

    timeline = figures(replace(whole, attempts=(*whole.attempts, *retries))).timeline

    assert timeline.rto_reads_seconds == pytest.approx(30, abs=2 * STEP)
