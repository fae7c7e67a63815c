"""Where a failover got stuck, worked out from what was seen and what wasn't."""

from __future__ import annotations

from collections.abc import Iterator

from drills.experiment import Expectation, Experiment
from drills.measure import Figures, Timeline
from drills.verdict import MAX_BOTH_WRITE_SECONDS


def diagnose(experiment: Experiment, figures: Figures) -> tuple[str, ...]:
    """Say why users didn't move, or why writes were lost or duplicated; empty if all is well."""
    fence = _fence(figures) if experiment.planned else ()
    return (
        *_reads(experiment, figures),
        *_stuck(experiment, figures),
        *fence,
        *_unread(experiment, figures),
        *_data(figures),
    )


def _reads(experiment: Experiment, figures: Figures) -> Iterator[str]:
    if experiment.expects is Expectation.NOBODY or not figures.counts.reads.failed:
        return
    timeline = figures.timeline
    if _found_the_standby_at_once(timeline):
        yield "Reads failed although others found the standby: look at the standby's own answers."
    else:
        yield (
            "Reads failed, and none was answered by the standby before DNS named it: look at the "
            "edge's function (is one deployed for viewer requests, and does it make an origin "
            "group for each read?) and at the group's second member, which has to be the "
            "standby's own name."
        )


def _found_the_standby_at_once(timeline: Timeline) -> bool:
    first, dns = timeline.first_read_by_standby_seconds, timeline.dns_seconds
    return first is not None and (dns is None or first < dns)


def _stuck(experiment: Experiment, figures: Figures) -> Iterator[str]:
    timeline = figures.timeline
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
    elif timeline.first_write_in_standby_seconds is None:
        yield (
            "DNS named the standby, but it took no write: look at the standby's own health, its "
            "quotas, the origin lock's key, and whether the switch names another Region to write."
        )
    elif timeline.failback_seconds is None:
        yield (
            "Writes didn't come back: look at the primary's health check, its failover record, and "
            "whether the switch names another Region to write."
        )


def _fence(figures: Figures) -> Iterator[str]:
    both = max(figures.takeover.both_wrote_seconds, figures.failback.both_wrote_seconds)
    if not figures.interruption.refused:
        yield (
            "No Region refused a write while users moved, so nothing kept both from writing: look "
            "at whether the functions read the switch before they write."
        )
    elif both > MAX_BOTH_WRITE_SECONDS or (both > 0 and figures.data_loss.lost_updates):
        yield (
            f"Both Regions wrote for {both:.1f} s: look at how long functions keep what they read "
            "of the switch, and at the order in which the Regions stop and begin."
        )


def _unread(experiment: Experiment, figures: Figures) -> Iterator[str]:
    moved = figures.timeline.first_write_in_standby_seconds is not None
    # Where users didn't move, there was no takeover to read it at.
    expected = experiment.expects is Expectation.MOVES and moved
    if expected and not figures.snapshots.standby_at_takeover:
        yield (
            "The standby's replica was not read at takeover, so what it lacked then isn't known."
        )
    if figures.snapshots.missing_in_the_end:
        yield (
            "Not every replica was read in the end, so what it lacks isn't known: "
            f"{', '.join(figures.snapshots.missing_in_the_end)}."
        )


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
