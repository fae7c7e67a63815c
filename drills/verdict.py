"""Holds a drill's figures against what was expected: each check says both numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.experiment import Expectation, Experiment
from drills.measure import Counts, Figures, Snapshots
from drills.targets import MARGIN, Targets

# What a drill must have seen before it may judge: otherwise it could pass by measuring nothing.
MIN_REQUESTS = 50
MIN_READS_DURING_THE_FAULT = 20
MIN_UPDATES = 50
# One is sent each way every five seconds.
MIN_MARKERS = 10
MIN_GOOD_BEFORE = 0.99
# A request that starts later than this wasn't open loop any more.
MAX_START_DELAY_SECONDS = 2.0
# In a planned move the Region that is left stops before the other begins. Whoever comes to the
# other one early is refused meanwhile: 5 s for which connections to the old one are taken to be
# kept (local/edge/connections.py; AWS names no bound), 2 s until the move is sure of users, 1 s
# for the switch to replicate, 3 s until no function keeps an older one, 1 s for what was
# acknowledged to arrive, and 2 s until every function has read that it may write. A second more.
MAX_REFUSED_SECONDS = 15.0
# What two writers can't be kept from by a switch that replicates and that functions read every 2 s.
MAX_BOTH_WRITE_SECONDS = 3.0
CLIENT_PATIENCE_SECONDS = 12.0
# Both Regions are asked for a read, at 3 s each.
MAX_ERROR_SECONDS = 7.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: what was measured, what was expected, and whether it was met."""

    name: str
    measured: str
    expected: str
    met: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a drill."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every one was met."""
        return all(check.met for check in self.checks)


def judge(experiment: Experiment, figures: Figures, targets: Targets) -> Verdict:
    """Check the measuring itself, then what was expected of users' service, then their data."""
    expected = {
        Expectation.MOVES: _planned if experiment.planned else _moves,
        Expectation.STAYS: _stays,
        Expectation.NOBODY: _nobody,
    }[experiment.expects]
    return Verdict(
        (
            *_measuring(experiment, figures),
            *_felt(experiment, figures),
            *expected(figures, targets),
            *_data(figures, targets),
        )
    )


def _measuring(experiment: Experiment, figures: Figures) -> Iterator[Check]:
    counts = figures.counts
    yield _at_least("Requests sent", counts.requests, MIN_REQUESTS)
    yield _at_least("Writes acknowledged", counts.acknowledged_writes, 1)
    yield _at_least(
        "Reads while the fault lasted",
        counts.reads.sent_during_the_fault,
        MIN_READS_DURING_THE_FAULT,
    )
    yield Check(
        "Good answers before the fault",
        f"{counts.good_share_before_the_fault:.1%}",
        f"at least {MIN_GOOD_BEFORE:.0%}",
        counts.good_share_before_the_fault >= MIN_GOOD_BEFORE,
    )
    yield Check(
        "Latest start of a request",
        f"{counts.latest_start_seconds:.2f} s after it was due",
        f"at most {MAX_START_DELAY_SECONDS:.0f} s",
        counts.latest_start_seconds <= MAX_START_DELAY_SECONDS,
    )
    if experiment.expects is Expectation.MOVES:
        yield _snapshot_at_takeover(figures.snapshots)
    yield _snapshots_in_the_end(figures.snapshots)


def _snapshot_at_takeover(snapshots: Snapshots) -> Check:
    taken = snapshots.standby_at_takeover
    return Check(
        "Standby's replica read at takeover",
        "yes" if taken else "no: what it lacked then is not known",
        "yes",
        taken,
    )


def _snapshots_in_the_end(snapshots: Snapshots) -> Check:
    missing = snapshots.missing_in_the_end
    read = ", ".join(snapshots.in_the_end) or "none"
    return Check(
        "Replicas read in the end",
        f"{read}; not known: {', '.join(missing)}" if missing else read,
        "both Regions'",
        not missing,
    )


def _moves(figures: Figures, targets: Targets) -> Iterator[Check]:
    timeline = figures.timeline
    yield from _reads(figures.counts, targets)
    yield _within(
        "First write in the standby",
        timeline.first_write_in_standby_seconds,
        MARGIN * targets.limit_seconds,
    )
    yield _within("RTO for writes", timeline.rto_writes_seconds, targets.rto_seconds)
    yield _within("Failback of writes", timeline.failback_seconds, targets.patience_seconds)


def _planned(figures: Figures, targets: Targets) -> Iterator[Check]:
    timeline, interruption = figures.timeline, figures.interruption
    yield from _reads(figures.counts, targets)
    yield _at_least("Updates acknowledged", figures.counts.acknowledged_updates, MIN_UPDATES)
    yield _within(
        "First write in the standby",
        timeline.first_write_in_standby_seconds,
        MARGIN * targets.limit_seconds + MAX_REFUSED_SECONDS,
    )
    yield _within("Failback of writes", timeline.failback_seconds, targets.patience_seconds)
    yield _at_least("Writes refused by a Region that may not write", interruption.refused, 1)
    yield _within("Writes refused at a stretch", interruption.longest_seconds, MAX_REFUSED_SECONDS)
    yield _none("Writes that no retry brought to an end", interruption.never_acknowledged)
    yield _within(
        "Both Regions wrote, at takeover",
        figures.takeover.both_wrote_seconds,
        MAX_BOTH_WRITE_SECONDS,
    )
    yield _within(
        "Both Regions wrote, at failback",
        figures.failback.both_wrote_seconds,
        MAX_BOTH_WRITE_SECONDS,
    )
    lost = figures.data_loss.lost_updates
    yield Check(
        "Lost updates",
        f"{len(lost)}{_named(lost)}",
        f"at most {targets.lost_updates}",
        len(lost) <= targets.lost_updates,
    )


def _reads(counts: Counts, targets: Targets) -> Iterator[Check]:
    reads = counts.reads
    yield Check(
        "Failed reads",
        f"{reads.failed} of {reads.sent}",
        f"at most {targets.failed_reads}",
        reads.failed <= targets.failed_reads,
    )
    yield _within("Slowest read", reads.slowest_seconds, targets.slowest_read_seconds)


def _stays(figures: Figures, targets: Targets) -> Iterator[Check]:
    timeline = figures.timeline
    moved = figures.counts.writes.served_by_standby_during_the_fault
    yield from _reads(figures.counts, targets)
    yield Check("Writes in the standby", f"{moved}", "no failover", moved == 0)
    dns = (
        "no change" if timeline.dns_seconds is None else f"moved after {timeline.dns_seconds:.1f} s"
    )
    yield Check("DNS", dns, "no change", timeline.dns_seconds is None)
    good = timeline.good_after_healing_seconds
    yield _within("Good again after healing", good, targets.ttl_seconds + MAX_START_DELAY_SECONDS)


def _nobody(figures: Figures, targets: Targets) -> Iterator[Check]:
    timeline, counts = figures.timeline, figures.counts
    yield _within("Slowest answer", counts.slowest_answer_seconds, CLIENT_PATIENCE_SECONDS)
    yield Check(
        "Requests that failed without an answer",
        f"{counts.unanswered}",
        "none",
        counts.unanswered == 0,
    )
    yield _within("Time to a clear error", counts.slowest_error_seconds, MAX_ERROR_SECONDS)
    good = timeline.good_after_healing_seconds
    yield _within("Good again after healing", good, MARGIN * targets.limit_seconds)


def _felt(experiment: Experiment, figures: Figures) -> Iterator[Check]:
    """Where users stay or nobody serves them, the fault itself has to show."""
    if experiment.expects is Expectation.MOVES:
        return
    failed = figures.counts.writes.failed_during_the_fault
    if experiment.felt:
        yield _at_least("Writes that the fault failed", failed, 1)
    else:
        yield _at_least("Markers that the fault held up", figures.replication.stopped, MIN_MARKERS)
        yield Check("Writes that the fault failed", f"{failed}", "none", failed == 0)


def _data(figures: Figures, targets: Targets) -> Iterator[Check]:
    data_loss = figures.data_loss
    yield Check(
        "RPO",
        f"{data_loss.rpo_seconds:.1f} s ({len(data_loss.missing_at_takeover)} writes)",
        f"at most {targets.rpo_seconds:.0f} s",
        data_loss.rpo_seconds <= targets.rpo_seconds,
    )
    yield _none("Acknowledged writes missing after healing", data_loss.missing_after_healing)
    yield _none("Writes that made two items", data_loss.duplicates)


def _at_least(name: str, number: int, least: int) -> Check:
    return Check(name, f"{number}", f"at least {least}", number >= least)


def _within(name: str, seconds: float | None, at_most: float) -> Check:
    measured = "never" if seconds is None else f"{seconds:.1f} s"
    met = seconds is not None and seconds <= at_most
    return Check(name, measured, f"at most {at_most:.1f} s", met)


def _none(name: str, operations: tuple[int, ...]) -> Check:
    return Check(name, f"{len(operations)}{_named(operations)}", "none", not operations)


def _named(operations: tuple[int, ...]) -> str:
    return f" (operations {', '.join(map(str, operations[:10]))})" if operations else ""
