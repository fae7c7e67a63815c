"""What is written down about a Region's releases: pure data, and what can be told from it.

Times are ISO 8601 in UTC, but for a claim's `until`: epoch seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from releases.versions import Versions

# What an event can be.
FIRST, RELEASED, ROLLED_BACK, STOPPED, CHOSEN = (
    "first",
    "released",
    "rolled back",
    "stopped",
    "chosen",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A release that runs, or one that died: who runs it, and what served before it.

    `until` is its lease, which the release renews: one that is over is nobody's any more.
    """

    run: str
    who: str
    since: str
    until: float
    before: Versions
    target: Versions

    def is_live(self, now: float) -> bool:
        """Whether its release still runs, as far as can be known at `now` (epoch seconds)."""
        return now < self.until


@dataclass(frozen=True, slots=True)
class Serving:
    """What serves, by the last release that was whole; `before` served until then, if anything."""

    versions: Versions
    fingerprint: str
    since: str
    before: Versions | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Code and settings that were rolled back, and why: no release brings them back by itself."""

    fingerprint: str
    at: str
    region: str
    versions: Versions
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a release did; `versions` is what it was about, `before` what served."""

    at: str
    run: str
    what: str
    who: str
    versions: Versions
    before: Versions | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One Region's partition, events in the order in which they happened."""

    claim: Claim | None = None
    serving: Serving | None = None
    marks: tuple[Mark, ...] = ()
    events: tuple[Event, ...] = ()


def mark_of(fingerprint: str, ledgers: Sequence[Ledger]) -> Mark | None:
    """Find why it was rolled back, in whichever Region; the last time, if there were several."""
    found = [mark for ledger in ledgers for mark in ledger.marks if mark.fingerprint == fingerprint]
    return max(found, key=lambda mark: mark.at, default=None)


def before(ledger: Ledger, versions: Versions) -> Versions | None:
    """Tell what served before these versions did; None where nothing says so."""
    if ledger.serving and ledger.serving.versions == versions:
        return ledger.serving.before
    return next(
        (
            event.before
            for event in reversed(ledger.events)
            if event.versions == versions and event.what in {RELEASED, CHOSEN}
        ),
        None,
    )


def iso(seconds: float) -> str:
    """Write a time (epoch seconds) as the ledger has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
