"""`make alarms`: every alarm that pages goes off, and goes back once its cause is gone.

Not a part of `make test`, for it takes three quarters of an hour: what has set off the slow pair of
burn-rate alarms stands in its short window for half an hour, as the SRE workbook has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.monitoring.outage import await_all, set_off
from tests.support.deployment_lock import deployment_lock

if TYPE_CHECKING:
    from drills.system import System

BACK_SECONDS = 2400.0


def test_every_alarm_that_pages_goes_off_and_back(system: System) -> None:
    off = set_off(system)
    print("\n".join(f"{name}: off after {seconds}" for name, seconds in off.items()), flush=True)

    # Others may use the deployment meanwhile, but nobody who breaks anything.
    with deployment_lock(system.deployment, alone=False):
        back = await_all(system, "OK", BACK_SECONDS)

    print("\n".join(f"{name}: back after {seconds}" for name, seconds in back.items()))
    assert back.keys() == off.keys()
