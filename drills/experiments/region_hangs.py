"""The primary Region accepts requests and never answers."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import EndpointFault

EXPERIMENT = Experiment(
    name="region-hangs",
    hypothesis=(
        "When a primary takes requests and never answers, no read fails or takes longer than "
        "5 s, and users write in the standby within the RTO."
    ),
    fault="The primary's endpoint takes every request and keeps silent.",
    proves=(
        "Time-outs are set along the whole path: the fault that ruins services is the one that "
        "doesn't answer."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: (EndpointFault(system.primary, "hang"),),
    not_on_accounts="AWS has no API that makes API Gateway keep silent.",
)
