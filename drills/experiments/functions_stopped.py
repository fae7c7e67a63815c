"""The primary's functions may not run: reserved concurrency 0."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import FunctionStopped

EXPERIMENT = Experiment(
    name="functions-stopped",
    hypothesis=(
        "When neither of the primary's functions can run, no read fails, and users write in the "
        "standby within the RTO."
    ),
    fault="The reserved concurrency of the primary's users' and health function is set to 0.",
    proves=(
        "A Region that can't run functions is a lost Region; and an operator can stop one that "
        "does harm, by a call for each function, and users move."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: FunctionStopped.all(system, system.primary),
)
