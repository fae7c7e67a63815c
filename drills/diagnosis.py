"""Where a failover got stuck, worked out from what was seen and what wasn't."""

from __future__ import annotations

from collections.abc import Iterator

from drills.experiment import Expectation, Experiment
from drills.measure import Figures, Timeline


def diagnose(experiment: Experiment, figures: Figures) -> tuple[str, ...]:
    """Say why users didn't move, or why writes were lost or duplicated; empty if all is well."""
    return (*_stuck(experiment, figures.timeline), *_data(figures))


def _stuck(experiment: Experiment, timeline: Timeline) -> Iterator[str]:
    if experiment.expects is not Expectation.MOVES:
        return
    if timeline.detection_seconds is None:
        yield (
            "No health check of the primary failed, nor was the switch seen: look at what the "
            "health checks watch (host name, path) and whether the primary's record has one."
        )
    elif timeline.dns_seconds is None:
        yield (
            "The health check failed, but DNS went on naming the primary: look at the failover "
            "records, the SECONDARY one and its health check, and at the calculated check."
        )
    elif timeline.first_success_in_standby_seconds is None:
        yield (
            "DNS named the standby, but it served nobody: look at the standby's own health, its "
            "quotas and the origin lock's key."
        )
    elif timeline.failback_seconds is None:
        yield "Users didn't come back: look at the primary's health check and its failover record."


def _data(figures: Figures) -> Iterator[str]:
    if figures.data_loss.duplicates:
        yield (
            "Repeated creates made more than one item: look at how an item's id is derived from "
            "owner and Idempotency-Key, and at the condition that it is written with."
        )
    if figures.data_loss.missing_after_healing:
        yield "Acknowledged writes are gone: look at the table's replicas and their replication."
    if figures.replication.catch_up_seconds is None:
        yield "Replication had not caught up when the drill ended."
