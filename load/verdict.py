"""Holds a run's figures against the account's objectives: each check says both numbers."""

from __future__ import annotations

from collections.abc import Iterator

from drills.verdict import Check, Verdict
from load.size import Size
from load.tally import Figures
from load.targets import Targets

# What chance may leave out of a short run.
MIN_SENT = 0.7
# A generator that is later than this doesn't offer the rate that was asked for.
MAX_LATE_SECONDS = 0.5


def judge(size: Size, figures: Figures, targets: Targets) -> Verdict:
    """Check the measuring itself, then what users were promised."""
    return Verdict((*_measuring(size, figures), *_promised(figures, targets)))


def _measuring(size: Size, figures: Figures) -> Iterator[Check]:
    least = MIN_SENT * size.requests
    yield Check(
        "Requests sent",
        f"{figures.requests:,}",
        f"at least {least:,.0f} of {size.requests:,.0f}",
        figures.requests >= least,
    )
    yield Check(
        "Sent when due, 99 in 100",
        f"{figures.late_start_seconds:.2f} s late",
        f"at most {MAX_LATE_SECONDS} s",
        figures.late_start_seconds <= MAX_LATE_SECONDS,
    )


def _promised(figures: Figures, targets: Targets) -> Iterator[Check]:
    share = 100 * (1 - figures.failed / figures.requests) if figures.requests else 0.0
    yield Check(
        "Availability",
        f"{share:.3f} %, {figures.failed} failed",
        f"at least {targets.availability:g} %",
        share >= targets.availability,
    )
    milliseconds = 1000 * figures.p99_seconds
    yield Check(
        "99 in 100 answered within",
        f"{milliseconds:,.0f} ms",
        f"at most {targets.latency_ms:,.0f} ms",
        milliseconds <= targets.latency_ms,
    )
    for name, number in (
        ("Writes that no retry brought to an end", figures.unfinished),
        ("Repeated creates that made a second item", figures.second_items),
        ("Tokens that could not be renewed", figures.refreshes_failed),
    ):
        yield Check(name, f"{number}", "none", number == 0)
