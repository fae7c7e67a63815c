"""Replication between the Regions stands still, and nobody notices."""

from __future__ import annotations

import uuid

from drills.experiment import Expectation, Experiment
from drills.fis import ReplicationPaused

EXPERIMENT = Experiment(
    name="replication-paused",
    hypothesis=(
        "When nothing replicates between the Regions, users of the primary notice nothing, and "
        "what they wrote meanwhile is in the standby once replication goes on."
    ),
    fault="AWS FIS pauses replication to and from the standby's replica.",
    proves=(
        "Nothing that serves users waits for the other Region, and a pause of replication costs "
        "no acknowledged write. `replication-lag` goes off when it lasts."
    ),
    expects=Expectation.STAYS,
    faults=lambda system: (ReplicationPaused.of(system, f"drill-{uuid.uuid4()}"),),
    not_on_emulator="The emulator has no FIS; region-lost stops replication there, among others.",
    lasts_long=True,
    felt=False,
    needs_fis=True,
)
