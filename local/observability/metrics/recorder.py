"""Data points on their way into CloudWatch, counted by minute and value.

A request leaves some thirty data points. One by one they would fill ministack's store within an
hour, so points of one metric, minute and value are counted here and stored as one that came
several times (`Values` and `Counts` of PutMetricData), from which every statistic follows,
percentiles included. A minute is stored once it is over; whoever reads sooner gets what there is.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local.patches import cloudwatch
from local.records import Scope

Dimensions = tuple[tuple[str, str], ...]
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric."""

    name: str
    value: float
    unit: str


# Account and Region, namespace, dimensions, name, unit, start of the minute, value.
_Key = tuple[Scope, str, Dimensions, str, str, float, float]


class Recorder:
    """Takes data points from every thread, and stores them for whoever reads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: Counter[_Key] = Counter()
        self._lock = threading.Lock()

    def put(
        self,
        scope: Scope,
        namespace: str,
        dimensions: Dimensions,
        samples: Iterable[Sample],
        at: float,
    ) -> None:
        """Count data points of one moment (seconds since the epoch) that share dimensions."""
        with self._lock:
            minute = at // MINUTE * MINUTE
            for each in samples:
                key = (scope, namespace, dimensions, each.name, each.unit, minute, each.value)
                self._counts[key] += 1

    def flush(self) -> None:
        """Store everything, the present minute so far included."""
        self._store(self._taken(float("inf")))

    def flush_complete(self) -> None:
        """Store the minutes that are over."""
        self._store(self._taken(self._clock()))

    def _taken(self, until: float) -> dict[_Key, int]:
        with self._lock:
            over = [key for key in self._counts if key[5] + MINUTE <= until]
            return {key: self._counts.pop(key) for key in over}

    @staticmethod
    def _store(counts: dict[_Key, int]) -> None:
        shared: dict[Dimensions, dict[str, str]] = {}
        for (scope, namespace, dimensions, name, unit, minute, value), count in counts.items():
            point: dict[str, Any] = {
                "Timestamp": minute,
                "Value": float(value),
                "Unit": unit,
                "Dimensions": shared.setdefault(dimensions, dict(dimensions)),
                "Count": float(count),
            }
            cloudwatch.add_point(scope, namespace, name, point)
