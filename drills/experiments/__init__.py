"""Every experiment, in the order in which they are listed."""

from __future__ import annotations

from collections.abc import Mapping

from drills.experiment import Experiment
from drills.experiments import (
    both_lost,
    flapping,
    functions_stopped,
    overload,
    region_errors,
    region_hangs,
    region_lost,
    replication_paused,
    table_lost,
    takeover,
)

DEFAULT = region_lost.EXPERIMENT.name

EXPERIMENTS: Mapping[str, Experiment] = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (
        region_lost,
        takeover,
        region_errors,
        region_hangs,
        table_lost,
        flapping,
        both_lost,
        functions_stopped,
        overload,
        replication_paused,
    )
}
