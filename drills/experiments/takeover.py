"""A planned move: the operator's switch, with a healthy primary."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import Takeover

EXPERIMENT = Experiment(
    name="takeover",
    hypothesis=(
        "An operator moves users by one write in the standby Region, without an error, and gives "
        "them back the same way."
    ),
    fault="The switch is activated in the standby Region; nothing is broken.",
    proves=(
        "The switch works, costs users nothing, and can be taken back: it is safe to use on a "
        "suspicion."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: (Takeover(system.standby),),
    planned=True,
)
