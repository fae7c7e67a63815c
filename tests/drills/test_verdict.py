"""A drill passes for what it measured, and never by measuring nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.experiment import Experiment
from drills.experiments import EXPERIMENTS
from drills.history import Change, History
from drills.measure import figures
from drills.verdict import judge
from tests.drills.histories import PRIMARY, STANDBY, Plan, history
from tests.drills.systems import TARGETS

REGION_LOST = EXPERIMENTS["region-lost"]


def missed(experiment: Experiment, seen: History) -> set[str]:
    """Judge, and name the checks that were missed."""
    return {c.name for c in judge(experiment, figures(seen), TARGETS).checks if not c.met}


def test_a_failover_in_time_with_nothing_lost_passes() -> None:
    assert missed(REGION_LOST, history(Plan())) == set()


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda each: each.name)
def test_measuring_nothing_passes_no_experiment(experiment: Experiment) -> None:
    assert {"Requests sent", "Good answers before the fault"} <= missed(
        experiment, History(PRIMARY, STANDBY)
    )


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        (Plan(outage=48.0), "RTO for writes"),
        (Plan(outage=48.0), "RTO for reads"),
        (Plan(duplicates=frozenset({3})), "Writes that made two items"),
        (Plan(lost={STANDBY: frozenset({3})}), "Acknowledged writes missing after healing"),
        (Plan(missing_at_takeover=frozenset({1, 3})), "RPO"),
        (Plan(outage=50.0), "Served by the standby"),
    ],
)
def test_what_is_missed_is_named(plan: Plan, name: str) -> None:
    assert name in missed(REGION_LOST, history(plan))


def test_requests_that_start_late_are_no_open_loop() -> None:
    whole = history(Plan())
    late = replace(whole.attempts[5], sent=whole.attempts[5].due + 3)

    assert missed(REGION_LOST, replace(whole, attempts=(*whole.attempts, late))) == {
        "Latest start of a request"
    }


def test_a_planned_move_may_cost_nobody_an_answer() -> None:
    assert "Failed requests of a planned move" in missed(
        EXPERIMENTS["takeover"], history(Plan(outage=5.0))
    )
    assert missed(EXPERIMENTS["takeover"], history(Plan(outage=0.0))) == set()


@pytest.mark.parametrize("name", ["flapping", "overload"])
def test_who_stays_passes_only_where_nobody_moved_and_the_fault_was_felt(name: str) -> None:
    stays = EXPERIMENTS[name]
    moved = history(Plan())
    untouched = history(Plan(outage=0.0))
    stayed = replace(
        moved,
        attempts=[
            replace(each, region=PRIMARY if each.region else None) for each in moved.attempts
        ],
        changes=(),
    )

    assert missed(stays, moved) == {"Served by the standby", "DNS"}
    assert "The fault was felt" in missed(stays, untouched)
    assert missed(stays, stayed) == set()


def test_with_both_lost_a_hang_is_a_miss() -> None:
    both_lost = EXPERIMENTS["both-lost"]
    nobody = history(Plan(outage=50.0, failback=60.0))
    first_failed = next(each for each in nobody.attempts if not each.good)
    hanging = replace(first_failed, ended=first_failed.due + 20)

    assert missed(both_lost, nobody) == set()
    assert missed(both_lost, replace(nobody, attempts=(*nobody.attempts, hanging))) == {
        "Slowest answer"
    }


def test_a_change_before_the_fault_is_no_detection() -> None:
    whole = history(Plan())
    early = Change(1.0, "DNS: origin.example.com", STANDBY)

    timeline = figures(replace(whole, changes=(early,))).timeline

    assert timeline.dns_seconds is None
