"""The primary Region answers 5xx."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import EndpointFault

EXPERIMENT = Experiment(
    name="region-errors",
    hypothesis=(
        "When a primary answers every request with 503, no read fails, and users write in the "
        "standby within the RTO."
    ),
    fault="The primary's endpoint answers every request with 503.",
    proves="Health is what users get, not whether a port is open.",
    expects=Expectation.MOVES,
    faults=lambda system: (EndpointFault(system.primary, "error"),),
    not_on_accounts="AWS has no API that makes a gateway answer errors (see functions-stopped).",
)
