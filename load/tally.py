"""Counts what comes back, as it comes: no more is kept than the figures need."""

from __future__ import annotations

import math
import threading
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from load.phone import REFRESH
from load.records import Attempt, Ended, Record, Settled

# Whole answers of so many failed requests are kept, to be looked into with `make trace`.
MOST_FAILURES = 1000
NOBODY = "no Region"


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """One route as one Region served it; the percentiles are of users' waits, in seconds."""

    route: str
    region: str
    requests: int
    failed: int
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    slowest_seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run saw. Requests are those of the API, retries included; the user pool's are apart.

    `answered` were answered by a Region. `late_start_seconds` is how late 99 in 100 were sent at
    most: beyond that the generator itself was too slow. `unfinished` writes were acknowledged in
    none of their tries.
    """

    visits: int
    cut: int
    requests: int
    answered: int
    failed: int
    retries: int
    throttled: int
    not_modified: int
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    late_start_seconds: float
    writes: int
    unfinished: int
    second_items: int
    refreshes: int
    refreshes_failed: int
    routes: tuple[RouteFigures, ...]
    errors: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Second:
    """What was due in one second: by the Region that served it, and failed."""

    served: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    waits: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True)
class Tally:
    """What a run saw so far. One thread counts, others may look."""

    failures: list[Attempt] = field(default_factory=list)
    _waits: dict[tuple[str, str], array[float]] = field(
        default_factory=lambda: defaultdict(lambda: array("d"))
    )
    _failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    _errors: Counter[str] = field(default_factory=Counter)
    _counts: Counter[str] = field(default_factory=Counter)
    _starts: array[float] = field(default_factory=lambda: array("d"))
    _seconds: dict[int, Second] = field(default_factory=dict)
    _ended: Ended | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, record: Record) -> None:
        """Count a record."""
        with self._lock:
            match record:
                case Attempt():
                    self._attempt(record)
                case Settled():
                    self._counts[record.problem] += 1
                case Ended():
                    self._ended = record

    def _attempt(self, attempt: Attempt) -> None:
        key = (attempt.route, attempt.region or NOBODY)
        self._waits[key].append(attempt.seconds)
        if not attempt.good:
            self._failed[key] += 1
            self._errors[f"{attempt.route}: {attempt.error}"] += 1
            if len(self.failures) < MOST_FAILURES:
                self.failures.append(attempt)
        if attempt.route == REFRESH:
            return
        self._starts.append(attempt.sent - attempt.due)
        self._counts["requests"] += 1
        self._counts["retries"] += attempt.number > 1
        self._counts["throttled"] += attempt.status == 429
        self._counts["not modified"] += attempt.status == 304
        second = self._seconds.setdefault(int(attempt.due), Second())
        second.waits.append(attempt.seconds)
        if attempt.good:
            second.served[attempt.region or NOBODY] += 1
        else:
            second.failed += 1

    @property
    def finished(self) -> bool:
        """Whether the generator has come to its end."""
        return self._ended is not None

    def figures(self) -> Figures:
        """Work out the figures so far."""
        with self._lock:
            return self._figures()

    def _figures(self) -> Figures:
        api = {key: waits for key, waits in self._waits.items() if key[0] != REFRESH}
        every = sorted(wait for waits in api.values() for wait in waits)
        refreshes = [key for key in self._waits if key[0] == REFRESH]
        ended = self._ended or Ended(0, 0)
        settled = {
            problem: number
            for problem, number in self._counts.items()
            if problem == "" or problem.startswith("given up")
        }
        return Figures(
            visits=ended.visits,
            cut=ended.cut,
            requests=self._counts["requests"],
            answered=sum(len(waits) for key, waits in api.items() if key[1] != NOBODY),
            failed=sum(self._failed[key] for key in api),
            retries=self._counts["retries"],
            throttled=self._counts["throttled"],
            not_modified=self._counts["not modified"],
            p50_seconds=percentile(every, 50),
            p95_seconds=percentile(every, 95),
            p99_seconds=percentile(every, 99),
            late_start_seconds=percentile(sorted(self._starts), 99),
            writes=sum(settled.values()),
            unfinished=sum(settled.values()) - settled.get("", 0),
            second_items=self._counts["made a second item"],
            refreshes=sum(len(self._waits[key]) for key in refreshes),
            refreshes_failed=sum(self._failed[key] for key in refreshes),
            routes=tuple(self._route(key) for key in sorted(self._waits)),
            errors=tuple(self._errors.most_common()),
        )

    def _route(self, key: tuple[str, str]) -> RouteFigures:
        waits = sorted(self._waits[key])
        return RouteFigures(
            route=key[0],
            region=key[1],
            requests=len(waits),
            failed=self._failed[key],
            p50_seconds=percentile(waits, 50),
            p95_seconds=percentile(waits, 95),
            p99_seconds=percentile(waits, 99),
            slowest_seconds=waits[-1],
        )

    def seconds(self) -> list[Second]:
        """Give every second from the first to the last, those without a request included."""
        with self._lock:
            last = max(self._seconds, default=-1)
            return [self._seconds.get(second, Second()) for second in range(last + 1)]

    def recent(self, since: float) -> Second:
        """Join the seconds from `since` on."""
        with self._lock:
            return joined(each for at, each in self._seconds.items() if at >= since)

    def last(self) -> int:
        """Tell the last second in which something was due."""
        with self._lock:
            return max(self._seconds, default=0)


def joined(seconds: Iterable[Second]) -> Second:
    """Add seconds up."""
    whole = Second()
    for each in seconds:
        whole.served.update(each.served)
        whole.failed += each.failed
        whole.waits.extend(each.waits)
    return whole


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the nearest rank: the least value that so many percent aren't above; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]
