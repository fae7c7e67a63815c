"""The primary goes and comes faster than the health checks' threshold."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import EndpointFault

EXPERIMENT = Experiment(
    name="flapping",
    hypothesis=(
        "A primary that is away for less than interval x threshold, again and again, keeps its "
        "writes, and no read fails."
    ),
    fault="The primary's endpoint refuses for a little longer than one interval, three times.",
    proves="A hiccup moves nobody: a failover costs users more than a short outage does.",
    expects=Expectation.STAYS,
    faults=lambda system: (EndpointFault(system.primary, "refuse"),),
    not_on_accounts="AWS has no API that shuts a Region's endpoints and opens them again.",
    rounds=3,
)
