"""A drill passes for what it measured, and never by measuring nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drills.data_loss import DataLoss
from drills.experiment import STEADY, STEADY_UPDATES, Expectation, Experiment
from drills.experiments import EXPERIMENTS
from drills.history import History, Kind, Moment
from drills.measure import Figures, figures
from drills.verdict import Check, Verdict, judge
from tests.drills.at_limits import HISTORIES, conflicting
from tests.drills.histories import (
    PRIMARY,
    STANDBY,
    Handover,
    Plan,
    handover,
    held_up,
    history,
    nobody,
    stayed,
)
from tests.drills.systems import TARGETS

REGION_LOST = EXPERIMENTS["region-lost"]
TAKEOVER = EXPERIMENTS["takeover"]
FLAPPING = EXPERIMENTS["flapping"]
BOTH_LOST = EXPERIMENTS["both-lost"]


GOOD = {
    "replication-paused": (EXPERIMENTS["replication-paused"], held_up()),
    "region-lost": (REGION_LOST, history(Plan())),
    "takeover": (TAKEOVER, handover(Handover())),
    "flapping": (FLAPPING, stayed()),
    "both-lost": (BOTH_LOST, nobody()),
}


def missed_by(experiment: Experiment, seen: Figures) -> set[str]:
    """Judge figures, and name the checks that were missed."""
    return {c.name for c in judge(experiment, seen, TARGETS).checks if not c.met}


def missed(experiment: Experiment, seen: History) -> set[str]:
    """Judge a history, and name the checks that were missed."""
    return missed_by(experiment, figures(seen))


def with_figure(seen: Any, path: str, value: object) -> Any:
    """Give the figures with another value where a path of names leads."""
    name, _, rest = path.partition(".")
    return replace(seen, **{name: with_figure(getattr(seen, name), rest, value) if rest else value})


@pytest.mark.parametrize("name", GOOD)
def test_what_went_as_expected_passes(name: str) -> None:
    assert missed(*GOOD[name]) == set()


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda each: each.name)
def test_measuring_nothing_passes_no_experiment(experiment: Experiment) -> None:
    assert {
        "Requests sent",
        "Writes acknowledged",
        "Reads while the fault lasted",
        "Good answers before the fault",
        "Replicas read in the end",
    } <= missed(experiment, History(PRIMARY, STANDBY))


# A drill's name, a figure, the last value that is met, the first that isn't, and the check.
# The account's targets are those of tests/drills/systems.py: 40 s are the settings' least.
LIMITS = [
    *(
        (name, figure, inside, outside, check)
        for name in GOOD
        for figure, inside, outside, check in (
            ("counts.requests", 50, 49, "Requests sent"),
            ("counts.acknowledged_writes", 1, 0, "Writes acknowledged"),
            ("counts.reads.sent_during_the_fault", 20, 19, "Reads while the fault lasted"),
            ("counts.good_share_before_the_fault", 0.99, 0.9899, "Good answers before the fault"),
            ("counts.latest_start_seconds", 2.0, 2.001, "Latest start of a request"),
            ("snapshots.missing_in_the_end", (), (STANDBY,), "Replicas read in the end"),
            ("data_loss.rpo_seconds", 5.0, 5.001, "RPO"),
            (
                "data_loss.missing_after_healing",
                (),
                (3,),
                "Acknowledged writes missing after healing",
            ),
            ("data_loss.duplicates", (), (3,), "Writes that made two items"),
        )
    ),
    *(
        (name, figure, inside, outside, check)
        for name in ("region-lost", "takeover", "flapping", "replication-paused")
        for figure, inside, outside, check in (
            ("counts.reads.failed", 0, 1, "Failed reads"),
            ("counts.reads.slowest_seconds", 5.0, 5.001, "Slowest read"),
        )
    ),
    *(
        (name, figure, inside, outside, check)
        for name in ("region-lost", "takeover")
        for figure, inside, outside, check in (
            ("snapshots.standby_at_takeover", True, False, "Standby's replica read at takeover"),
            # 1.5 times the longer of RTO and the settings' least.
            ("timeline.failback_seconds", 69.0, 69.001, "Failback of writes"),
            ("timeline.failback_seconds", 0.0, None, "Failback of writes"),
            ("timeline.first_write_in_standby_seconds", 0.0, None, "First write in the standby"),
        )
    ),
    # 1.15 times the settings' least.
    (
        "region-lost",
        "timeline.first_write_in_standby_seconds",
        45.99,
        46.01,
        "First write in the standby",
    ),
    ("region-lost", "timeline.rto_writes_seconds", 46.0, 46.001, "RTO for writes"),
    ("region-lost", "timeline.rto_writes_seconds", 0.0, None, "RTO for writes"),
    # And the time in which nobody may write.
    (
        "takeover",
        "timeline.first_write_in_standby_seconds",
        60.99,
        61.01,
        "First write in the standby",
    ),
    ("takeover", "counts.acknowledged_updates", 50, 49, "Updates acknowledged"),
    ("takeover", "interruption.refused", 1, 0, "Writes refused by a Region that may not write"),
    ("takeover", "interruption.longest_seconds", 15.0, 15.001, "Writes refused at a stretch"),
    ("takeover", "interruption.longest_seconds", 0.0, None, "Writes refused at a stretch"),
    (
        "takeover",
        "interruption.never_acknowledged",
        (),
        (3,),
        "Writes that no retry brought to an end",
    ),
    ("takeover", "takeover.both_wrote_seconds", 3.0, 3.001, "Both Regions wrote, at takeover"),
    ("takeover", "failback.both_wrote_seconds", 3.0, 3.001, "Both Regions wrote, at failback"),
    ("takeover", "data_loss.lost_updates", (), (3,), "Lost updates"),
    *(
        (name, figure, inside, outside, check)
        for name in ("flapping", "replication-paused")
        for figure, inside, outside, check in (
            ("counts.writes.served_by_standby_during_the_fault", 0, 1, "Writes in the standby"),
            ("timeline.dns_seconds", None, 0.0, "DNS"),
            ("timeline.good_after_healing_seconds", 12.0, 12.001, "Good again after healing"),
            ("timeline.good_after_healing_seconds", 0.0, None, "Good again after healing"),
        )
    ),
    ("flapping", "counts.writes.failed_during_the_fault", 1, 0, "Writes that the fault failed"),
    (
        "replication-paused",
        "counts.writes.failed_during_the_fault",
        0,
        1,
        "Writes that the fault failed",
    ),
    ("replication-paused", "replication.stopped", 10, 9, "Markers that the fault held up"),
    ("both-lost", "counts.writes.failed_during_the_fault", 1, 0, "Writes that the fault failed"),
    ("both-lost", "counts.slowest_answer_seconds", 12.0, 12.001, "Slowest answer"),
    ("both-lost", "counts.unanswered", 0, 1, "Requests that failed without an answer"),
    ("both-lost", "counts.slowest_error_seconds", 7.0, 7.001, "Time to a clear error"),
    ("both-lost", "counts.slowest_error_seconds", 0.0, None, "Time to a clear error"),
    ("both-lost", "timeline.good_after_healing_seconds", 45.99, 46.01, "Good again after healing"),
    ("both-lost", "timeline.good_after_healing_seconds", 0.0, None, "Good again after healing"),
]


@pytest.mark.parametrize(("name", "figure", "inside", "outside", "check"), LIMITS)
def test_each_check_holds_its_own_figure_to_its_own_limit(
    name: str, figure: str, inside: object, outside: object, check: str
) -> None:
    experiment, seen = GOOD[name]
    measured = figures(seen)

    assert missed_by(experiment, with_figure(measured, figure, inside)) == set()
    assert missed_by(experiment, with_figure(measured, figure, outside)) == {check}


@pytest.mark.parametrize("name", GOOD)
def test_each_check_has_a_limit_here(name: str) -> None:
    experiment, seen = GOOD[name]
    checks = [check.name for check in judge(experiment, figures(seen), TARGETS).checks]

    assert set(checks) == {check for drill, *_, check in LIMITS if drill == name}
    assert len(checks) == len(set(checks))


@pytest.mark.parametrize(("name", "inside", "outside", "check"), HISTORIES)
def test_a_history_beyond_one_limit_misses_that_check_alone(
    name: str, inside: History, outside: History, check: str
) -> None:
    experiment = EXPERIMENTS[name]

    assert missed(experiment, inside) == set()
    assert missed(experiment, outside) == {check}


def test_each_check_has_a_history_at_its_limit() -> None:
    checks = {
        check.name
        for experiment, seen in GOOD.values()
        for check in judge(experiment, figures(seen), TARGETS).checks
    }

    assert checks == {check for *_, check in HISTORIES}


@pytest.mark.parametrize(
    ("target", "figure", "measured", "check"),
    [
        ("failed_reads", "counts.reads.failed", 3, "Failed reads"),
        ("slowest_read_seconds", "counts.reads.slowest_seconds", 7.0, "Slowest read"),
        ("rto_seconds", "timeline.rto_writes_seconds", 60.0, "RTO for writes"),
        ("rpo_seconds", "data_loss.rpo_seconds", 9.0, "RPO"),
    ],
)
def test_the_accounts_targets_are_what_counts(
    target: str, figure: str, measured: float, check: str
) -> None:
    seen = with_figure(figures(history(Plan())), figure, measured)
    generous: Any = {target: measured}

    assert missed_by(REGION_LOST, seen) == {check}
    assert judge(REGION_LOST, seen, replace(TARGETS, **generous)).passed


def test_as_many_lost_updates_as_the_account_allows_are_met() -> None:
    seen = with_figure(figures(handover(Handover())), "data_loss.lost_updates", (1, 2))

    assert missed_by(TAKEOVER, seen) == {"Lost updates"}
    assert judge(TAKEOVER, seen, replace(TARGETS, lost_updates=2)).passed


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (Plan(outage=46.5), {"First write in the standby", "RTO for writes"}),
        (Plan(read_outage=0.25), {"Failed reads"}),
        (Plan(duplicates=frozenset({3})), {"Writes that made two items"}),
        (
            Plan(lost={STANDBY: frozenset({3})}),
            {"Acknowledged writes missing after healing"},
        ),
        (
            Plan(lost={PRIMARY: frozenset({3})}),
            {"Acknowledged writes missing after healing"},
        ),
        (Plan(missing_at_takeover=frozenset({1, 3})), {"RPO"}),
        (Plan(failback=120.0, end=130.0), set()),
        (Plan(failback=129.5, end=140.0), {"Failback of writes"}),
    ],
)
def test_what_is_missed_is_named(plan: Plan, names: set[str]) -> None:
    assert missed(REGION_LOST, history(plan)) == names


@pytest.mark.parametrize(
    ("plan", "names"),
    [
        (Handover(refused=14.5), set()),
        (Handover(refused=15.5), {"Writes refused at a stretch"}),
        (
            Handover(lost=frozenset({41})),
            {"Acknowledged writes missing after healing", "Lost updates", "RPO"},
        ),
        (
            Handover(refused=0.0, both_write=8.0),
            {
                "Writes refused by a Region that may not write",
                "Both Regions wrote, at takeover",
                "Both Regions wrote, at failback",
            },
        ),
    ],
)
def test_what_a_planned_move_misses_is_named(plan: Handover, names: set[str]) -> None:
    assert missed(TAKEOVER, handover(plan)) == names


def test_a_lost_update_is_no_less_lost_in_a_planned_move_where_a_conflict_explains_it() -> None:
    conflict = conflicting()

    explained: DataLoss = figures(conflict).data_loss
    assert explained.missing_after_healing == ()
    assert missed(TAKEOVER, conflict) == {"Lost updates"}


def test_no_snapshot_passes_for_no_loss() -> None:
    """Nothing was found missing, because nothing was looked at."""
    whole = history(Plan())
    unread = replace(whole, at_takeover=None, in_the_end=())

    verdict = judge(REGION_LOST, figures(unread), TARGETS)

    assert not verdict.passed
    said = {check.name: check.measured for check in verdict.checks if not check.met}
    assert said == {
        "Standby's replica read at takeover": "no: what it lacked then is not known",
        "Replicas read in the end": f"none; not known: {PRIMARY}, {STANDBY}",
    }


@pytest.mark.parametrize("read", [PRIMARY, STANDBY])
def test_one_regions_snapshot_passes_for_no_loss(read: str) -> None:
    whole = history(Plan())
    one = tuple(each for each in whole.in_the_end if each.region == read)
    other = STANDBY if read == PRIMARY else PRIMARY

    checks = judge(REGION_LOST, figures(replace(whole, in_the_end=one)), TARGETS).checks

    assert [(c.name, c.measured) for c in checks if not c.met] == [
        ("Replicas read in the end", f"{read}; not known: {other}")
    ]


def test_requests_that_start_late_are_no_open_loop() -> None:
    whole = history(Plan())
    first = whole.attempts[5]
    late = replace(first, sent=first.due + 3, ended=first.due + 3.1)

    assert missed(REGION_LOST, replace(whole, attempts=(*whole.attempts, late))) == {
        "Latest start of a request"
    }


@pytest.mark.parametrize("name", ["flapping", "overload"])
def test_who_stays_passes_only_where_no_write_moved_and_the_fault_was_felt(name: str) -> None:
    stays = EXPERIMENTS[name]
    moved = history(Plan())
    untouched = replace(stayed(), attempts=history(Plan(outage=0.0, failback=10.0)).attempts)

    assert missed(stays, moved) == {"Writes in the standby", "DNS"}
    assert missed(stays, untouched) == {"Writes that the fault failed"}
    assert missed(stays, stayed()) == set()


@pytest.mark.parametrize(
    ("seconds", "status", "names"),
    [
        (6.9, 502, set()),
        (7.1, 502, {"Time to a clear error"}),
        (
            20.0,
            None,
            {"Slowest answer", "Requests that failed without an answer"},
        ),
    ],
)
def test_with_both_lost_an_error_is_soon_and_clear(
    seconds: float, status: int | None, names: set[str]
) -> None:
    first_failed = next(each for each in nobody().attempts if not each.good)
    waiting = replace(first_failed, ended=first_failed.due + seconds, status=status)

    assert missed(BOTH_LOST, replace(nobody(), attempts=(*nobody().attempts, waiting))) == names


def test_a_verdict_passes_only_where_every_check_was_met() -> None:
    good, bad = Check("a", "1", "1", met=True), Check("b", "2", "1", met=False)

    assert Verdict((good, good)).passed
    assert not Verdict((good, bad)).passed
    assert not Verdict((bad, good)).passed


def test_a_check_names_no_more_than_ten_operations() -> None:
    many = tuple(range(1, 13))
    seen = with_figure(figures(history(Plan())), "data_loss.duplicates", many)

    (said,) = [c for c in judge(REGION_LOST, seen, TARGETS).checks if not c.met]

    assert said.measured == "12 (operations 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"


def test_what_was_measured_and_expected_is_said_with_its_unit() -> None:
    said = {
        check.name: (check.measured, check.expected)
        for name in GOOD
        for check in judge(GOOD[name][0], figures(GOOD[name][1]), TARGETS).checks
    }

    assert said["Failed reads"] == ("0 of 200", "at most 0")
    assert said["Slowest read"] == ("0.1 s", "at most 5.0 s")
    assert said["Lost updates"] == ("0", "at most 0")
    assert said["Writes refused by a Region that may not write"] == ("40", "at least 1")
    assert said["Writes refused at a stretch"] == ("5.1 s", "at most 15.0 s")
    assert said["RPO"] == ("0.0 s (0 writes)", "at most 5 s")
    assert said["DNS"] == ("no change", "no change")
    assert said["Writes in the standby"] == ("0", "no failover")
    assert said["Good answers before the fault"] == ("100.0%", "at least 99%")
    assert said["Latest start of a request"] == ("0.00 s after it was due", "at most 2 s")
    assert said["Replicas read in the end"] == (f"{PRIMARY}, {STANDBY}", "both Regions'")
    assert said["Standby's replica read at takeover"] == ("yes", "yes")
    assert said["Requests that failed without an answer"] == ("0", "none")
    assert said["Writes that made two items"] == ("0", "none")


def test_a_change_of_dns_where_users_stay_is_said_with_its_time() -> None:
    seen = with_figure(figures(stayed()), "timeline.dns_seconds", 3.0)

    (said,) = [c for c in judge(FLAPPING, seen, TARGETS).checks if not c.met]

    assert (said.name, said.measured) == ("DNS", "moved after 3.0 s")


def test_a_planned_move_is_made_under_steady_updates_of_the_same_items() -> None:
    # Of four users, each with an item of their own: once a second, as long as replication takes.
    assert TAKEOVER.per_second[Kind.UPDATE] == 4.0
    assert TAKEOVER.per_second == STEADY_UPDATES
    others = [each for each in EXPERIMENTS.values() if not each.planned]
    assert all(each.per_second == STEADY for each in others)
    assert STEADY == {Kind.READ: 3.0, Kind.CREATE: 3.0, Kind.UPDATE: 1.0}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("region-lost", Expectation.MOVES),
        ("region-hangs", Expectation.MOVES),
        ("region-errors", Expectation.MOVES),
        ("table-lost", Expectation.MOVES),
        ("functions-stopped", Expectation.MOVES),
        ("takeover", Expectation.MOVES),
        ("flapping", Expectation.STAYS),
        ("overload", Expectation.STAYS),
        ("replication-paused", Expectation.STAYS),
        ("both-lost", Expectation.NOBODY),
    ],
)
def test_each_experiment_expects_what_its_guide_says(name: str, expected: Expectation) -> None:
    assert EXPERIMENTS[name].expects is expected
    assert EXPERIMENTS[name].planned is (name == "takeover")
    assert EXPERIMENTS[name].felt is (name != "replication-paused")


def test_the_fault_is_over_when_healing_begins() -> None:
    """What a Region answers once healing has begun is no failover."""
    seen = stayed()
    late = replace(
        next(each for each in seen.attempts if each.kind.writes and each.good),
        due=59.5,
        sent=59.5,
        ended=59.6,
        region=STANDBY,
    )
    begun = {**seen.moments, Moment.HEALING: 59.0}

    assert missed(FLAPPING, replace(seen, attempts=(*seen.attempts, late))) == {
        "Writes in the standby"
    }
    assert missed(FLAPPING, replace(seen, attempts=(*seen.attempts, late), moments=begun)) == set()
