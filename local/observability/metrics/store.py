"""Time series from the data points that ministack keeps.

ministack keeps a list of points for each metric, and adds to its end. Each list is summed up by
minute once: a round of alarms reads only the points that came since the round before. A point for
each request soon makes long lists: those of one minute and value become one. Nothing of it is kept
over a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch

from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import MINUTE, MetricStat
from local.observability.metrics.statistics import Summary, statistic

# CloudWatch keeps points of a minute for 15 days (CloudWatch-Concepts). Here a day is plenty:
# three times the longest window of an alarm, and what a page shows.
KEPT_SECONDS = 24 * 3600
TIDY_SECONDS = 600
# New points of a metric that are worth being merged.
MANY = 500

Point = dict[str, Any]
Key = tuple[str, str, tuple[str, str, str]]  # account, Region, (namespace, name, dimensions)


@dataclass(slots=True)
class Slots:
    """The points of one metric, summed up by minute.

    `read` of them are in, and the first `merged` can't be merged any further.
    """

    points: list[Point]
    read: int = 0
    merged: int = 0
    summaries: dict[int, Summary] = field(default_factory=dict)

    def take_in(self) -> None:
        """Sum up what has been added since the last time."""
        for point in self.points[self.read :]:
            start = int(point["Timestamp"] // MINUTE) * MINUTE
            self.summaries.setdefault(start, Summary()).add(*cloudwatch._point_stats(point))
        self.read = len(self.points)

    def merge(self) -> None:
        """Keep points of one minute and value as one that came several times."""
        kept: dict[object, Point] = {}
        for at, point in enumerate(self.points[self.merged : self.read]):
            start = point["Timestamp"] // MINUTE * MINUTE
            # A statistic set stays what it is.
            same = at if "_stat" in point else (start, point["Value"], point["Unit"])
            first = kept.setdefault(same, {**point, "Timestamp": start, "Count": 0.0})
            first["Count"] += point.get("Count", 1.0)
        self.points[self.merged : self.read] = kept.values()
        self.merged += len(kept)
        self.read = self.merged

    def between(self, start: int, end: int) -> list[Summary]:
        """The summaries of a period, `end` exclusive."""
        found = self.summaries
        return [found[at] for at in range(start, end, MINUTE) if at in found]


class Store:
    """What is held of the caller's account and Region, by `fetch`."""

    def __init__(self) -> None:
        self._slots: dict[Key, Slots] = {}
        # Called before points are looked for: what still holds points back adds them.
        self.sources: list[Callable[[], None]] = []

    def fetch(self, metric: MetricStat, grid: Grid) -> Series:
        """One metric's statistic for each period of the grid that has points."""
        slots = self._up_to_date(metric)
        if slots is None:
            return {}
        values = (
            (start, statistic(metric.statistic, slots.between(start, start + grid.period)))
            for start in grid.times
        )
        return {start: value for start, value in values if value is not None}

    def settle(self) -> None:
        """Take in every metric of every account and Region, and merge what has become long."""
        for source in self.sources:
            source()
        held: Mapping[Key, list[Point]] = cloudwatch._metrics._data
        for key, points in list(held.items()):
            slots = self._taken_in(key, points)
            if slots.read - slots.merged > MANY:
                slots.merge()

    def _up_to_date(self, metric: MetricStat) -> Slots | None:
        dimensions = cloudwatch._dims_key(dict(metric.dimensions))
        name = (metric.namespace, metric.name, dimensions)
        points = cloudwatch._metrics.get(name)
        if points is None:
            return None
        return self._taken_in((get_account_id(), get_region(), name), points)

    def _taken_in(self, key: Key, points: list[Point]) -> Slots:
        slots = self._slots.get(key)
        if slots is None or slots.points is not points:
            slots = self._slots[key] = Slots(points)
        slots.take_in()
        return slots


# One per process, as ministack's own state is.
shared = Store()


def tidy(clock: Callable[[], float] = time.time) -> Callable[[], None]:
    """What drops points that are too old, at most every ten minutes.

    A list without any stays the list it is, so that it needn't be summed up again.
    """
    last = -float(TIDY_SECONDS)

    def evict() -> None:
        nonlocal last
        now = clock()
        if now - last < TIDY_SECONDS:
            return
        last = now
        stale: Mapping[object, list[Point]] = cloudwatch._metrics._data
        for key, points in list(stale.items()):
            _drop_old(key, points, now - KEPT_SECONDS)

    return evict


def _drop_old(key: object, points: list[Point], cutoff: float) -> None:
    if all(point["Timestamp"] >= cutoff for point in points):
        return
    kept = [point for point in points if point["Timestamp"] >= cutoff]
    if kept:
        cloudwatch._metrics._data[key] = kept
    else:
        del cloudwatch._metrics._data[key]
