"""The primary's users are throttled to nothing, and its health is well: no write is moved."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import FunctionStopped

EXPERIMENT = Experiment(
    name="overload",
    hypothesis=(
        "When Lambda refuses every call of the primary's users' function, its health checks stay "
        "green, and no write is moved; reads find the standby, and none fails."
    ),
    fault="The reserved concurrency of the primary's users' function is set to 0.",
    proves=(
        "Overload doesn't look like a lost Region: a flood of writes isn't handed to a standby "
        "that has no more room, and an operator decides. Reads that the primary fails do go "
        "there, each for itself."
    ),
    expects=Expectation.STAYS,
    faults=lambda system: FunctionStopped.users(system, system.primary),
    lasts_long=True,
)
