"""The function runs, but its Region's table can't be used."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import TableDenied

EXPERIMENT = Experiment(
    name="table-lost",
    hypothesis=(
        "When the primary's function can't use its table, users are served by the standby within "
        "the RTO although every port answers."
    ),
    fault="A policy on the primary's function denies it the table.",
    proves="/health/ready is deep: it fails for what the Region needs and not only for itself.",
    expects=Expectation.MOVES,
    faults=lambda system: (TableDenied.of(system, system.primary),),
)
