"""The functions run, but their Region's table can't be used."""

from __future__ import annotations

from drills.experiment import Expectation, Experiment
from drills.faults import TableDenied

EXPERIMENT = Experiment(
    name="table-lost",
    hypothesis=(
        "When the primary's functions can't use their table, no read fails, and users write in "
        "the standby within the RTO although every port answers."
    ),
    fault="A policy on the roles of the primary's functions denies them the table.",
    proves="/health/ready is deep: it fails for what the Region needs and not only for itself.",
    expects=Expectation.MOVES,
    faults=lambda system: TableDenied.of(system, system.primary),
)
