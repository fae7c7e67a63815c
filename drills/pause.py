"""`make pause-writes` and `make resume-writes`: nobody writes, in either Region; reads go on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from drills.hand_over import LOOK_AGAIN_SECONDS
from drills.switch import Switch
from drills.takeover import Names, explained, switch_of
from project.console import say
from project.switch import SEEN_SECONDS, Row

# For the row to reach the other Region; a second is usual.
REPLICATION_SECONDS = 30.0


def pause_writes(names: Names) -> int:
    """Let no Region write; 0 once none does, 1 where a Region may not have seen that."""
    with explained(names.account):
        return pause(switch_of(names.account), threading.Event().wait)


def resume_writes(names: Names) -> int:
    """End the pause; 0 once every Region knows, 1 where one may not have seen that."""
    with explained(names.account):
        return resume(switch_of(names.account), threading.Event().wait)


def pause(switch: Switch, wait: Callable[[float], object]) -> int:
    """Pause, say from when on no write is taken, and give the exit status."""
    say("Writes are being paused." if switch.pause() else "Writes were paused before.")
    late = _regions_without(switch, lambda row: row.paused, wait)
    for region in late:
        say(
            f"{region} has not seen it, or can't be reached: it may go on taking writes. "
            "Run `make pause-writes` again: it looks once more."
        )
    if not late:
        wait(SEEN_SECONDS)
        say(
            "From now on no write is taken: each is answered with 503, and nothing is lost by "
            "trying again. Reads go on. `make resume-writes` ends it."
        )
    return bool(late)


def resume(switch: Switch, wait: Callable[[float], object]) -> int:
    """Resume, say who may write, and give the exit status."""
    say("The pause ends." if switch.resume() else "Writes were not paused.")
    late = _regions_without(switch, lambda row: not row.paused, wait)
    for region in late:
        say(
            f"{region} has not seen it, or can't be reached: it may go on refusing writes until "
            "the Regions replicate again."
        )
    row = switch.read()
    say(f"Within two seconds: {row.sentence(switch.now(), switch.standby_region)}.")
    return bool(late)


def _regions_without(
    switch: Switch, condition: Callable[[Row], bool], wait: Callable[[float], object]
) -> list[str]:
    """Wait for both replicas to show the row so; name those that don't in time."""
    late = [switch.standby_region, switch.primary_region]
    for _ in range(int(REPLICATION_SECONDS / LOOK_AGAIN_SECONDS)):
        late = [region for region in late if not switch.shows(region, condition)]
        if not late:
            break
        wait(LOOK_AGAIN_SECONDS)
    return late
