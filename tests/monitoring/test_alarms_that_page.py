"""Every alarm that pages goes off by its cause; `alarm_recovery.py` waits until it is over, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.monitoring.outage import set_off

if TYPE_CHECKING:
    from drills.system import System


def test_every_alarm_that_pages_goes_off(system: System) -> None:
    took = set_off(system)

    print("\n".join(f"{name}: off after {seconds}" for name, seconds in took.items()))
    assert {name.rpartition("-local-")[2] for name in took} == {
        *(f"{place}-serves-errors" for place in (*system.regions, "edge")),
        *(f"{place}-availability-fast-short" for place in (*system.regions, "edge")),
        "edge-public-path-down",
    }
