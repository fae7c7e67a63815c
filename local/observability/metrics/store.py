"""Time series from the data points that ministack keeps.

ministack keeps a list of points for each metric, and adds to its end. Each list is summed up by
minute once: a round of alarms reads only the points that came since the round before. A point for
each request soon makes long lists: those of one minute and value become one. Nothing of it is kept
over a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import MINUTE, MetricStat
from local.observability.metrics.statistics import Summary, statistic
from local.patches import cloudwatch
from local.patches.cloudwatch import MetricKey, Point

# New points of a metric that are worth being merged.
MANY = 500


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
            self.summaries.setdefault(start, Summary()).add(*cloudwatch.summed(point))
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
    """Series of the caller's account and Region, by `fetch`.

    `before` is called before points are looked for: what still holds points back adds them.
    """

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self._slots: dict[MetricKey, Slots] = {}

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
        self._before()
        for key, points in cloudwatch.all_points():
            slots = self._taken_in(key, points)
            if slots.read - slots.merged > MANY:
                slots.merge()

    def _up_to_date(self, metric: MetricStat) -> Slots | None:
        found = cloudwatch.points_of(metric.namespace, metric.name, dict(metric.dimensions))
        if found is None:
            return None
        key, points = found
        return self._taken_in(key, points)

    def _taken_in(self, key: MetricKey, points: list[Point]) -> Slots:
        slots = self._slots.get(key)
        if slots is None or slots.points is not points:
            slots = self._slots[key] = Slots(points)
        slots.take_in()
        return slots
