"""What one line of a drill's history says by itself."""

from __future__ import annotations

import pytest

from drills.history import Attempt, Change, History, Kind, Lag, Moment
from tests.drills.histories import PRIMARY, STANDBY


def answered(status: int | None, region: str | None = PRIMARY) -> Attempt:
    return Attempt(1, Kind.READ, "1", True, 1, 1.0, 1.5, 4.0, status, region)


@pytest.mark.parametrize(
    ("status", "good"),
    [
        (200, True), (201, True), (412, True), (None, False), (199, False), (202, False),
        (304, False), (400, False), (411, False), (413, False), (429, False), (503, False),
    ],
)  # fmt: skip
def test_the_service_did_its_part_or_not(status: int | None, good: bool) -> None:
    assert answered(status).good is good


@pytest.mark.parametrize(
    ("status", "region", "refused"),
    [(503, PRIMARY, True), (503, None, False), (502, PRIMARY, False), (504, PRIMARY, False)],
)
def test_a_refusal_is_a_regions_own(status: int, region: str | None, refused: bool) -> None:
    assert answered(status, region).refused is refused


def test_a_user_waits_from_when_the_request_was_due() -> None:
    assert answered(200).seconds == 3.0


def test_what_is_no_read_writes() -> None:
    assert [kind.writes for kind in (Kind.READ, Kind.CREATE, Kind.UPDATE)] == [False, True, True]


def test_a_marker_arrives_so_long_after_it_was_sent() -> None:
    assert Lag(PRIMARY, STANDBY, 2.0, 3.0).arrived == 5.0
    assert Lag(PRIMARY, STANDBY, 2.0, 0.0).arrived == 2.0
    assert Lag(PRIMARY, STANDBY, 2.0, None).arrived is None


def test_moments_that_never_came_are_after_everything() -> None:
    seen = History(PRIMARY, STANDBY, attempts=(answered(200),))

    assert seen.end > 4.0
    assert seen.fault == seen.healing == seen.healed == seen.end
    assert seen.first(Moment.FAULT) is None


def test_the_fault_is_over_when_healing_begins_or_else_when_it_is_done() -> None:
    healed = History(PRIMARY, STANDBY, moments={Moment.FAULT: 0.0, Moment.HEALED: 9.0})
    begun = History(PRIMARY, STANDBY, moments={Moment.HEALING: 8.0, Moment.HEALED: 9.0})

    assert (healed.fault, healed.healing, healed.healed) == (0.0, 9.0, 9.0)
    assert (begun.healing, begun.healed) == (8.0, 9.0)


def test_the_first_of_a_subjects_changes_counts_and_no_other_subjects() -> None:
    changes = (
        Change(5.0, "DNS: origin", STANDBY),
        Change(3.0, "DNS: origin", STANDBY),
        Change(2.0, "DNS: origin", PRIMARY),
        Change(2.0, "health check", STANDBY),
    )
    seen = History(PRIMARY, STANDBY, changes=changes)

    assert seen.changed("DNS", STANDBY, 0.0, 9.0) == 3.0
    assert seen.changed("DNS", STANDBY, 3.0, 9.0) == 3.0
    assert seen.changed("DNS", STANDBY, 0.0, 3.0) is None
    assert seen.changed("DNS", "eu-west-1", 0.0, 9.0) is None
