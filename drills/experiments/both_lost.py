"""Both Regions are lost: there is nothing to fail over to."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import EndpointFault

EXPERIMENT = Experiment(
    name="both-lost",
    hypothesis=(
        "With both Regions gone, users get a clear error within seconds, Route 53 answers as if "
        "all were healthy, and service comes back by itself."
    ),
    fault="Both Regions' endpoints refuse connections, and nothing replicates.",
    proves=(
        "Nothing needs an operator or a restart after the worst day, and nothing acknowledged is "
        "lost."
    ),
    expects=Expectation.NOBODY,
    faults=lambda system: tuple(EndpointFault(region, "partition") for region in system.regions),
    not_on_accounts="AWS has no API that shuts a Region's endpoints and opens them again.",
)
