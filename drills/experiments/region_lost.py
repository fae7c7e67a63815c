"""The primary Region vanishes: no answers, and no replication."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import EndpointFault

EXPERIMENT = Experiment(
    name="region-lost",
    hypothesis=(
        "When the primary Region vanishes, no read fails, users write in the standby within the "
        "RTO, and no acknowledged write is lost once the Region is back."
    ),
    fault="The primary's endpoint refuses connections, and nothing replicates to it or from it.",
    proves=(
        "Reads find the standby within the request, and writes once detection and DNS have done "
        "what the architecture says, with the primary's endpoint and its replication gone. The "
        "user pool stays: nothing is shown of sign-in, nor of how the standby checks tokens, while "
        "the pool's Region can't be reached."
    ),
    expects=Expectation.MOVES,
    faults=lambda system: (EndpointFault(system.primary, "partition"),),
    not_on_accounts="AWS has no API that shuts a Region's endpoints and opens them again.",
)
