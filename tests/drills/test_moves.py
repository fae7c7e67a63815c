"""Who answered and who wrote while users moved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.history import Acknowledged, Attempt, Change, History, Kind, Moment
from drills.moves import Move, failback, takeover
from tests.drills.histories import PRIMARY, STANDBY, Handover, Plan, handover, history


def wrote(region: str, at: float, *, found: bool = False) -> Acknowledged:
    return Acknowledged(1, Kind.UPDATE, "user#1", "item", region, at, found)


def answered(region: str, ended: float) -> Attempt:
    return Attempt(1, Kind.READ, "1", True, 1, ended, ended, ended, 200, region)


def drill(*writes: Acknowledged) -> History:
    """A fault at 10 s that heals from 20 s on."""
    moments = {Moment.FAULT: 10.0, Moment.HEALING: 20.0, Moment.HEALED: 25.0}
    return History(
        PRIMARY, STANDBY, attempts=(answered(PRIMARY, 30.0),), acknowledged=writes, moments=moments
    )


def test_a_region_that_stops_before_the_other_begins_writes_beside_nobody() -> None:
    seen = drill(
        wrote(PRIMARY, 12.0), wrote(STANDBY, 13.0), wrote(STANDBY, 22.0), wrote(PRIMARY, 24.0)
    )

    assert takeover(seen) == Move(2.0, 0.0, None)
    assert failback(seen) == Move(2.0, 0.0, None)


def test_both_wrote_from_the_ones_first_until_the_others_last() -> None:
    seen = drill(
        wrote(PRIMARY, 11.0), wrote(STANDBY, 12.0), wrote(PRIMARY, 13.0), wrote(STANDBY, 19.0),
        wrote(PRIMARY, 21.0), wrote(STANDBY, 24.0), wrote(PRIMARY, 26.0),
    )  # fmt: skip

    assert takeover(seen) == Move(3.0, 1.0, None)
    assert failback(seen) == Move(4.0, 3.0, None)


@pytest.mark.parametrize(
    ("at", "in_takeover"), [(9.9, False), (10.0, True), (19.9, True), (20.0, False)]
)
def test_a_write_belongs_to_the_move_that_it_came_in(at: float, in_takeover: bool) -> None:
    assert (takeover(drill(wrote(PRIMARY, at))).last_write_seconds is not None) is in_takeover


def test_who_wrote_nothing_has_no_last_write() -> None:
    assert takeover(drill(wrote(STANDBY, 12.0))) == Move(None, 0.0, None)
    assert takeover(drill(wrote(PRIMARY, 12.0))) == Move(2.0, 0.0, None)


def test_an_update_that_a_read_found_done_says_nothing_of_who_writes() -> None:
    seen = drill(wrote(STANDBY, 11.0, found=True), wrote(PRIMARY, 13.0), wrote(STANDBY, 15.0))

    assert takeover(seen).both_wrote_seconds == 0


def test_old_connections_live_on_from_the_change_of_dns_until_their_last_answer() -> None:
    seen = replace(
        drill(),
        changes=(
            Change(12.0, "DNS: origin.example.com", STANDBY),
            Change(22.0, "DNS: origin.example.com", PRIMARY),
        ),
        attempts=(
            answered(PRIMARY, 11.0), answered(PRIMARY, 14.0), answered(STANDBY, 19.0),
            answered(PRIMARY, 20.0), answered(STANDBY, 23.5), answered(PRIMARY, 30.0),
        ),
    )  # fmt: skip

    assert takeover(seen).answered_after_dns_seconds == pytest.approx(2.0)
    assert failback(seen).answered_after_dns_seconds == pytest.approx(1.5)


def test_a_region_that_answered_nothing_after_dns_moved_kept_no_connection() -> None:
    seen = replace(drill(), changes=(Change(12.0, "DNS: origin.example.com", STANDBY),))

    assert takeover(seen).answered_after_dns_seconds == 0
    assert failback(seen).answered_after_dns_seconds is None


def test_made_up_moves_have_the_windows_that_they_were_made_with() -> None:
    fenced = handover(Handover())
    unfenced = handover(Handover(refused=0.0, both_write=8.0))

    assert takeover(fenced).both_wrote_seconds == failback(fenced).both_wrote_seconds == 0
    assert takeover(unfenced).both_wrote_seconds == pytest.approx(7.5, abs=0.5)
    assert failback(unfenced).both_wrote_seconds == pytest.approx(7.5, abs=0.5)
    assert takeover(history(Plan())).both_wrote_seconds == 0
