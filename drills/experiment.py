"""What an experiment is; each one stands in a file of its own in `experiments/`.

The form follows AWS's FIS template library: hypothesis, prerequisites, how it works, when it
stops, and what it proves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from drills.faults import Fault
from drills.history import Kind
from drills.system import System


class Expectation(StrEnum):
    """Where users are while the fault lasts."""

    MOVES = "no read fails; writes move to the standby, and come back after healing"
    STAYS = "no read fails; writes stay where they are"
    NOBODY = "nobody can serve users, who get a clear error soon, and service comes back by itself"


# Requests a second.
STEADY: Mapping[Kind, float] = {Kind.READ: 3.0, Kind.CREATE: 3.0, Kind.UPDATE: 1.0}
# Each user's item is updated every second, about as long as replication takes: an update made in
# either Region in ignorance of the other's last one shows.
STEADY_UPDATES: Mapping[Kind, float] = {**STEADY, Kind.UPDATE: 4.0}


@dataclass(frozen=True, slots=True)
class Experiment:
    """One fault, what is expected of it, and what it proves.

    `faults` gives what to make, all at once. `not_on_accounts` says why a real account can't have
    it; empty where it can. `rounds` is how often the fault comes and goes. One that users stay
    through lasts for a moment that the health checks overlook, or, where `lasts_long`, for longer
    than it takes them to move users. A `planned` move breaks nothing, so it may lose no update, and
    writes wait for seconds only. `per_second` is what users send.
    """

    name: str
    hypothesis: str
    fault: str
    proves: str
    expects: Expectation
    faults: Callable[[System], Sequence[Fault]]
    prerequisites: tuple[str, ...] = (
        "Both Regions are ready, and the primary serves.",
        "The operator's switch is not active.",
    )
    stop_conditions: tuple[str, ...] = (
        "Ctrl-C, or the end of the process in whatever way.",
        "Users aren't served again within 1.5 times the target.",
    )
    not_on_accounts: str = ""
    rounds: int = 1
    lasts_long: bool = False
    planned: bool = False
    per_second: Mapping[Kind, float] = field(default_factory=lambda: STEADY)
