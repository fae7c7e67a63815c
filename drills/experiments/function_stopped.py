"""The primary's function may not run: reserved concurrency 0."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import FunctionStopped

EXPERIMENT = Experiment(
    name="function-stopped",
    hypothesis=(
        "When the primary's function is throttled to nothing, users are served by the standby "
        "within the RTO."
    ),
    fault="The reserved concurrency of the primary's function is set to 0.",
    proves=(
        "The last resort works: an operator can stop a Region that does harm, by one call, and "
        "users move."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: (FunctionStopped.of(system, system.primary),),
)
