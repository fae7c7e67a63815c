"""What a system that lacks one of its parts looks like to a drill: it fails, and says why.

The histories are made up, as such a run leaves them; test_sabotage.py runs the drill of one that is
deployed.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.diagnosis import diagnose
from drills.experiment import Experiment
from drills.experiments import EXPERIMENTS
from drills.history import Change, History, Row
from drills.measure import figures
from drills.verdict import judge
from tests.drills.histories import (
    OWNER,
    PRIMARY,
    STANDBY,
    Handover,
    Plan,
    handover,
    history,
    with_conflict,
)
from tests.drills.systems import TARGETS

REGION_LOST = EXPERIMENTS["region-lost"]
TAKEOVER = EXPERIMENTS["takeover"]
FUNCTION = "look at the edge's function"
FENCE = "No Region refused a write while users moved"


def outcome(experiment: Experiment, seen: History) -> tuple[set[str], str]:
    """The checks that were missed, and the reasons in one text."""
    measured = figures(seen)
    checks = judge(experiment, measured, TARGETS).checks
    return {c.name for c in checks if not c.met}, " ".join(diagnose(experiment, measured))


@pytest.mark.parametrize("name", ["region-lost", "region-hangs", "region-errors", "table-lost"])
def test_all_well_has_no_reasons(name: str) -> None:
    assert outcome(EXPERIMENTS[name], history(Plan())) == (set(), "")


def test_a_planned_move_that_went_well_has_no_reasons() -> None:
    assert outcome(TAKEOVER, handover(Handover())) == (set(), "")


def test_without_the_edges_function_reads_fail_until_dns_moves() -> None:
    # Read or write, every request follows DNS, which names the standby at 39 s.
    missed, reasons = outcome(REGION_LOST, history(Plan(read_outage=30.0)))

    assert missed == {"Failed reads"}
    assert FUNCTION in reasons


def test_with_the_groups_second_member_at_the_primary_reads_fail_until_dns_moves() -> None:
    # The group is made, and its second member hangs as the first does: 3 s each, then an error.
    seen = history(Plan(read_outage=30.0))
    slow = [
        replace(each, ended=each.due + 6, status=504)
        if not each.good and not each.kind.writes
        else each
        for each in seen.attempts
    ]
    missed, reasons = outcome(EXPERIMENTS["region-hangs"], replace(seen, attempts=slow))

    assert missed == {"Failed reads", "Slowest read"}
    assert "the group's second member, which has to be the standby's own name" in reasons


def test_a_standby_that_answers_some_reads_and_fails_others_is_what_to_look_at() -> None:
    seen = history(Plan())
    one = next(each for each in seen.attempts if not each.kind.writes and each.due > 20)
    failed = [replace(each, status=500) if each is one else each for each in seen.attempts]
    missed, reasons = outcome(REGION_LOST, replace(seen, attempts=failed))

    assert missed == {"Failed reads"}
    assert reasons == (
        "Reads failed although others found the standby: look at the standby's own answers."
    )


def test_where_users_stay_failed_reads_have_a_reason_too() -> None:
    seen = history(Plan(outage=10.0, read_outage=10.0, failback=20.0))
    missed, reasons = outcome(EXPERIMENTS["flapping"], replace(seen, changes=()))

    assert "Failed reads" in missed
    assert FUNCTION in reasons


def test_with_both_regions_lost_failed_reads_need_no_reason() -> None:
    seen = history(Plan(outage=50.0, read_outage=50.0, failback=60.0))

    assert outcome(EXPERIMENTS["both-lost"], seen) == (set(), "")


def test_without_the_fence_both_regions_write_and_updates_are_lost() -> None:
    unfenced = handover(Handover(refused=0.0, both_write=4.0))
    # The standby read the item before the primary's last updates had reached it.
    lost = frozenset(
        each.operation
        for each in unfenced.acknowledged
        if 30 < each.at < 33 and each.region == PRIMARY
    )
    assert lost
    seen = handover(Handover(refused=0.0, both_write=4.0, lost=lost))

    missed, reasons = outcome(TAKEOVER, seen)

    assert {
        "Writes refused by a Region that may not write",
        "Both Regions wrote, at takeover",
        "Both Regions wrote, at failback",
        "Lost updates",
    } <= missed
    assert FENCE in reasons


def test_a_fence_that_leaks_is_told_from_none() -> None:
    base = handover(Handover())
    # One function of the primary went on after the standby had begun.
    late = replace(base.acknowledged[0], operation=20_001, at=42.0, region=PRIMARY)
    missed, reasons = outcome(TAKEOVER, replace(base, acknowledged=(*base.acknowledged, late)))

    assert {"Both Regions wrote, at takeover", "Lost updates"} <= missed
    assert FENCE not in reasons
    assert "Both Regions wrote for 6.9 s" in reasons


def test_updates_that_are_lost_behind_a_fence_are_not_blamed_on_it() -> None:
    lost = handover(Handover(lost=frozenset({41})))

    assert "Both Regions wrote" not in outcome(TAKEOVER, lost)[1]


def test_two_writers_that_cost_nothing_need_no_reason() -> None:
    base = handover(Handover())
    late = replace(base.acknowledged[0], at=35.5, region=PRIMARY)
    missed, reasons = outcome(TAKEOVER, replace(base, acknowledged=(*base.acknowledged, late)))

    assert (missed, reasons) == (set(), "")


def test_two_writers_for_too_long_have_a_reason_without_a_loss() -> None:
    seen = handover(Handover(refused=1.0, both_write=6.0))
    missed, reasons = outcome(TAKEOVER, seen)

    assert missed == {"Both Regions wrote, at takeover", "Both Regions wrote, at failback"}
    assert "Both Regions wrote for 4.8 s" in reasons


def test_a_fence_that_is_not_lifted_shows_where_writes_stay_away() -> None:
    seen = handover(Handover(refused=30.0, dns_back=200.0, end=100.0))
    stuck = [
        replace(each, status=503, region=STANDBY) if each.kind.writes and each.due >= 30 else each
        for each in seen.attempts
    ]
    left = [each for each in seen.acknowledged if each.at < 30]
    missed, reasons = outcome(TAKEOVER, replace(seen, attempts=stuck, acknowledged=left))

    assert {
        "First write in the standby",
        "Writes refused at a stretch",
        "Writes that no retry brought to an end",
    } <= missed
    assert "whether the switch names another Region to write" in reasons


def test_writes_that_do_not_come_back_have_a_reason() -> None:
    missed, reasons = outcome(REGION_LOST, history(Plan(failback=200.0)))

    assert missed == {"Failback of writes"}
    assert "Writes didn't come back" in reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ((), "what the health checks watch"),
        (
            (
                Change(
                    20.0, f"health check of {PRIMARY}.example.com/health/ready", "does not answer"
                ),
            ),
            "the SECONDARY one",
        ),
        (
            (
                Change(
                    20.0, f"health check of {PRIMARY}.example.com/health/ready", "does not answer"
                ),
                Change(30.0, "DNS: origin.example.com", STANDBY),
            ),
            "DNS named the standby, but it took no write",
        ),
    ],
)
def test_writes_that_do_not_move_have_a_reason_by_how_far_they_got(
    changes: tuple[Change, ...], reason: str
) -> None:
    never = replace(history(Plan(outage=50.0)), changes=changes, at_takeover=None)
    missed, reasons = outcome(REGION_LOST, never)

    assert missed == {
        "First write in the standby",
        "RTO for writes",
        "Standby's replica read at takeover",
    }
    assert reason in reasons


def test_an_acknowledged_row_that_is_deleted_is_a_loss() -> None:
    """In one replica, or, as a deletion replicates, in both."""
    for gone in ({PRIMARY}, {STANDBY}, {PRIMARY, STANDBY}):
        seen = history(Plan(lost={region: frozenset({7}) for region in gone}))
        missed, reasons = outcome(REGION_LOST, seen)

        assert missed == {"Acknowledged writes missing after healing"}
        assert "look at the table's replicas" in reasons


def test_a_create_without_idempotency_is_a_duplicate() -> None:
    base = history(Plan())
    doubled = tuple(
        replace(each, rows=(*each.rows, Row(OWNER, "again", 5))) for each in base.in_the_end
    )
    missed, reasons = outcome(REGION_LOST, replace(base, in_the_end=doubled))

    assert missed == {"Writes that made two items"}
    assert "Idempotency-Key" in reasons


def test_a_replica_that_was_not_read_is_a_reason() -> None:
    base = history(Plan())
    missed, reasons = outcome(REGION_LOST, replace(base, in_the_end=base.in_the_end[:1]))

    assert missed == {"Replicas read in the end"}
    assert f"what it lacks isn't known: {STANDBY}" in reasons


@pytest.mark.parametrize(
    ("experiment", "whole"), [(REGION_LOST, history(Plan())), (TAKEOVER, handover(Handover()))]
)
def test_a_takeover_whose_replica_was_not_read_is_a_reason(
    experiment: Experiment, whole: History
) -> None:
    missed, reasons = outcome(experiment, replace(whole, at_takeover=None))

    assert missed == {"Standby's replica read at takeover"}
    assert reasons == (
        "The standby's replica was not read at takeover, so what it lacked then isn't known."
    )


def test_who_stays_has_no_takeover_to_read_a_replica_at() -> None:
    seen = replace(history(Plan()), at_takeover=None)

    assert "at takeover" not in outcome(EXPERIMENTS["flapping"], seen)[1]


def test_replication_that_never_caught_up_is_said() -> None:
    base = history(Plan())
    never = tuple(replace(each, seconds=None) for each in base.lags)

    assert "Replication had not caught up" in outcome(REGION_LOST, replace(base, lags=never))[1]


def test_an_update_that_a_conflict_took_is_no_miss_where_a_region_was_lost() -> None:
    assert outcome(REGION_LOST, with_conflict(history(Plan()), apart=40.0)) == (set(), "")
