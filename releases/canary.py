"""Watching a new version while users meet it, beside the one that served before.

It is judged by what CloudWatch counts by executed version, and by calls of its own through the
alias: a list for a throw-away owner, and readiness. Those are answered at once, so that a fault is
seen before the metrics show it; and as they are calls like any other, they tell how far CloudWatch
can see. Only a canary whose last minute has been seen is good: metrics that are late, or missing,
judge nothing. Where nobody called, its own calls are all that it is judged by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from releases.events import Request
from releases.functions import Reply
from releases.judgement import Counts, worse
from releases.metrics import MINUTE, Metrics
from releases.verdicts import CouldNotJudgeError, WrongError
from releases.versions import KINDS, Kind, Versions

# Its own calls of each function at each look.
OWN_CALLS = 3
# Looks in a row at which the Region isn't ready before that counts: a slip is none.
UNREADY_LOOKS = 3
# How long CloudWatch may take to show the last minute. Lambda sends metrics every minute, and no
# page says how much later they can be read.
LATE_SECONDS = 300.0
MAX_LOOK_SECONDS = 15.0
MIN_LOOK_SECONDS = 1.0
LOOKS = 8
# Where the new version has every call, the old one is known by the hour before.
BEFORE_SECONDS = 3600.0

OWN_REQUESTS: dict[Kind, Request] = {
    "api": Request("GET", "/v1/items", query={"limit": "5"}),
    "health": Request("GET", "/health/ready"),
}

ByVersion = dict[Kind, dict[int, Counts]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen at a moment (epoch seconds), by version."""

    at: float
    counts: ByVersion


@dataclass(slots=True)
class Canary:
    """One bake. `call` sends a request through the alias; `renew` says that it still runs."""

    metrics: Metrics
    new: Versions
    old: Versions
    call: Callable[[Kind, Request], Reply]
    renew: Callable[[], None]
    pause: Callable[[float], object]
    wall: Callable[[], float]
    at_once: bool
    sightings: list[Sighting] = field(default_factory=list)
    _began: float = 0.0
    _base: ByVersion = field(default_factory=dict)
    _earlier: dict[Kind, Counts] = field(default_factory=dict)
    _firing: frozenset[str] = frozenset()
    _calls: Counter[tuple[Kind, int]] = field(default_factory=Counter)
    _failures: Counter[tuple[Kind, int]] = field(default_factory=Counter)
    _unready: int = 0
    _old_unready: bool = False
    _last_call: float = 0.0

    def begin(self) -> None:
        """Take down how things are before any call comes to the new version."""
        self._began = self.wall()
        self._firing = self.metrics.alarms()
        self._base = {
            kind: {
                version: self._count(kind, version, self._began) for version in self._watched(kind)
            }
            for kind in KINDS
        }
        if self.at_once:
            self._earlier = {
                kind: self._count(kind, self.old.of(kind), self._began - BEFORE_SECONDS)
                for kind in KINDS
            }

    def bake(self, seconds: float) -> None:
        """Watch for so long, and until CloudWatch has shown all of it.

        Raises WrongError or CouldNotJudgeError as soon as there is a reason.
        """
        look_seconds = max(MIN_LOOK_SECONDS, min(MAX_LOOK_SECONDS, seconds / LOOKS))
        ends = self.wall() + seconds
        while self.wall() < ends:
            self.pause(min(look_seconds, max(0.0, ends - self.wall())))
            self.renew()
            self._call_through_the_alias()
            self._look()
        self._await_sight(look_seconds)

    def _call_through_the_alias(self) -> None:
        bad: set[int | None] = set()
        for kind in KINDS:
            for _ in range(OWN_CALLS):
                reply = self.call(kind, OWN_REQUESTS[kind])
                failed = bool(reply.error) or reply.status >= 500
                if reply.version is not None:
                    self._calls[kind, reply.version] += 1
                    self._failures[kind, reply.version] += failed
                if failed and kind == "health":
                    bad.add(reply.version)
        self._last_call = self.wall()
        self._judge_readiness(bad)

    def _judge_readiness(self, bad: set[int | None]) -> None:
        self._unready = self._unready + 1 if bad else 0
        self._old_unready = bool(bad) and (self._old_unready or self.old.health in bad)
        if self._unready < UNREADY_LOOKS:
            return
        if self._old_unready and self.old.health != self.new.health:
            raise CouldNotJudgeError("The Region isn't ready, whichever version is asked.")
        raise WrongError("The new version says that the Region isn't ready.")

    def _look(self) -> bool:
        """Judge by what there is; True where all of it is there."""
        whole = True
        counts: ByVersion = {}
        for kind in KINDS:
            counts[kind] = {}
            until = 0.0
            for version in self._watched(kind):
                seen = self._counts(kind, version)
                until = max(until, seen[1])
                own = self._calls[kind, version]
                whole = whole and seen[0].calls >= own
                counts[kind][version] = seen[0].at_least(own, self._failures[kind, version])
            whole = whole and until >= self._last_call // MINUTE * MINUTE
        self.sightings.append(Sighting(self.wall(), counts))
        self._judge(counts)
        return whole

    def _judge(self, counts: ByVersion) -> None:
        for kind in KINDS:
            new, old = self.new.of(kind), self.old.of(kind)
            beside = self._earlier[kind] if self.at_once else counts[kind][old]
            reason = worse(counts[kind][new], beside) if new != old else ""
            if reason:
                raise WrongError(f"{kind}: {reason}.")
        # What fired before the new version met anybody isn't its doing, and may be why it comes.
        fired = self.metrics.alarms() - self._firing
        if fired:
            raise WrongError(f"Alarms went off: {', '.join(sorted(fired))}.")

    def _await_sight(self, look_seconds: float) -> None:
        deadline = self.wall() + LATE_SECONDS
        while not self._look():
            if self.wall() >= deadline:
                raise CouldNotJudgeError(
                    f"CloudWatch doesn't show the canary's own calls after {LATE_SECONDS:.0f} s: "
                    "what it doesn't show may be errors."
                )
            self.pause(look_seconds)
            self.renew()

    def _counts(self, kind: Kind, version: int) -> tuple[Counts, float]:
        seen = self.metrics.seen(kind, version, self._began, self.wall(), alone=self._alone(kind))
        return seen.counts.without(self._base[kind][version]), seen.until

    def _count(self, kind: Kind, version: int, since: float) -> Counts:
        seen = self.metrics.seen(kind, version, since, self._began, alone=self._alone(kind))
        return seen.counts

    def _watched(self, kind: Kind) -> set[int]:
        """The versions that calls come to."""
        return {self.new.of(kind)} if self.at_once else {self.new.of(kind), self.old.of(kind)}

    def _alone(self, kind: Kind) -> bool:
        """Whether the alias leads to one version at a time."""
        return self.at_once or self.new.of(kind) == self.old.of(kind)
