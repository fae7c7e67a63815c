"""A planned move: the operator's switch, with a healthy primary."""

from __future__ import annotations

from drills.experiment import STEADY_UPDATES, Expectation, Experiment
from drills.faults import Takeover

EXPERIMENT = Experiment(
    name="takeover",
    hypothesis=(
        "An operator moves users who update the same items all the time, and gives them back: no "
        "read fails, writes wait for a few seconds, and no update is lost."
    ),
    fault="The operator's switch moves users and writes to the standby; nothing is broken.",
    proves=(
        "The switch works, its fence lets one Region write at a time whatever connections and "
        "resolvers go on doing, and it can be taken back: it is safe to use on a suspicion."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: (Takeover(system.standby),),
    planned=True,
    per_second=STEADY_UPDATES,
)
