"""Holds a drill's figures against what was expected: each check says both numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drills.experiment import Expectation, Experiment
from drills.measure import Figures
from drills.targets import MARGIN, Targets

# What a drill must have seen before it may judge: otherwise it could pass by measuring nothing.
MIN_REQUESTS = 50
MIN_GOOD_BEFORE = 0.99
# A request that starts later than this wasn't open loop any more.
MAX_START_DELAY_SECONDS = 2.0
# A planned move may cost nobody an answer; one request in two hundred is the noise of retries.
PLANNED_FAILURES = 0.005
CLIENT_PATIENCE_SECONDS = 12.0


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
        Expectation.MOVES: _moves,
        Expectation.STAYS: _stays,
        Expectation.NOBODY: _nobody,
    }[experiment.expects]
    return Verdict(
        (
            *_measuring(figures),
            *expected(experiment, figures, targets),
            *_data(figures, targets),
        )
    )


def _measuring(figures: Figures) -> Iterator[Check]:
    counts = figures.counts
    yield Check(
        "Requests sent",
        f"{counts.requests}",
        f"at least {MIN_REQUESTS}",
        counts.requests >= MIN_REQUESTS and counts.acknowledged_writes > 0,
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


def _moves(experiment: Experiment, figures: Figures, targets: Targets) -> Iterator[Check]:
    timeline, counts = figures.timeline, figures.counts
    yield Check(
        "Served by the standby",
        f"{counts.served_by_standby_during_the_fault} requests",
        "users move to it",
        counts.served_by_standby_during_the_fault > 0,
    )
    if experiment.planned:
        share = _failed_share(figures)
        yield Check(
            "Failed requests of a planned move",
            f"{share:.2%}",
            f"at most {PLANNED_FAILURES:.1%}",
            share <= PLANNED_FAILURES,
        )
    yield _within(
        "Users moved", timeline.first_success_in_standby_seconds, MARGIN * targets.limit_seconds
    )
    yield _within("RTO for reads", timeline.rto_reads_seconds, targets.rto_seconds)
    yield _within("RTO for writes", timeline.rto_writes_seconds, targets.rto_seconds)
    yield _within("Failback", timeline.failback_seconds, targets.patience_seconds)


def _failed_share(figures: Figures) -> float:
    return figures.counts.failed / max(1, figures.counts.requests)


def _stays(experiment: Experiment, figures: Figures, targets: Targets) -> Iterator[Check]:
    del experiment
    timeline, moved = figures.timeline, figures.counts.served_by_standby_during_the_fault
    yield Check("Served by the standby", f"{moved} requests", "no failover", moved == 0)
    yield Check(
        "The fault was felt",
        f"{figures.counts.failed_during_the_fault} failed requests",
        "at least one",
        figures.counts.failed_during_the_fault > 0,
    )
    dns = (
        "no change" if timeline.dns_seconds is None else f"moved after {timeline.dns_seconds:.1f} s"
    )
    yield Check("DNS", dns, "no change", timeline.dns_seconds is None)
    good = timeline.good_after_healing_seconds
    yield _within("Good again after healing", good, targets.ttl_seconds + MAX_START_DELAY_SECONDS)


def _nobody(experiment: Experiment, figures: Figures, targets: Targets) -> Iterator[Check]:
    del experiment
    timeline, counts = figures.timeline, figures.counts
    yield Check(
        "The fault was felt",
        f"{counts.failed_during_the_fault} failed requests",
        "at least one",
        counts.failed_during_the_fault > 0,
    )
    yield _within("Slowest answer", counts.slowest_answer_seconds, CLIENT_PATIENCE_SECONDS)
    good = timeline.good_after_healing_seconds
    yield _within("Good again after healing", good, MARGIN * targets.limit_seconds)


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


def _within(name: str, seconds: float | None, at_most: float) -> Check:
    measured = "never" if seconds is None else f"{seconds:.1f} s"
    met = seconds is not None and seconds <= at_most
    return Check(name, measured, f"at most {at_most:.1f} s", met)


def _none(name: str, operations: tuple[int, ...]) -> Check:
    named = f" (operations {', '.join(map(str, operations[:10]))})" if operations else ""
    return Check(name, f"{len(operations)}{named}", "none", not operations)
