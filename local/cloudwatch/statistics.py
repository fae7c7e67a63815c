"""Statistics of data points, as CloudWatch defines them (CloudWatch-Concepts, Statistics).

Points are kept summed up by time slot, with each distinct value and how often it came, so that a
window of hours costs its slots and not its requests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Summary:
    """The points of one time slot, or of several. `values` is None when only sums were sent."""

    count: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    values: dict[float, float] | None = field(default_factory=dict)

    def add(self, count: float, total: float, low: float, high: float) -> None:
        """Take in `count` points; they are known one by one only when all are the same."""
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        if low != high:
            self.values = None
        elif self.values is not None:
            self.values[low] = self.values.get(low, 0.0) + count


def statistic(name: str, parts: list[Summary]) -> float | None:
    """One statistic over all `parts`; None without points, or where it can't be known.

    Beside the five plain ones: percentiles (p99, p99.9), and of the points within two values
    their share in percent and their number (PR(:300), TC(10:20)).
    """
    if not _count(parts):
        return None
    compute = PLAIN.get(name)
    return compute(parts) if compute else _of_values(name, parts)


def _count(parts: list[Summary]) -> float:
    return math.fsum(part.count for part in parts)


def _total(parts: list[Summary]) -> float:
    return math.fsum(part.total for part in parts)


PLAIN: dict[str, Callable[[list[Summary]], float]] = {
    "SampleCount": _count,
    "Sum": _total,
    "Average": lambda parts: _total(parts) / _count(parts),
    "Minimum": lambda parts: min(part.low for part in parts),
    "Maximum": lambda parts: max(part.high for part in parts),
}


PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
WITHIN = re.compile(r"(PR|TC)\((-?[\d.]*):(-?[\d.]*)\)")


def is_statistic(name: str) -> bool:
    """Whether `statistic` knows this name."""
    return name in PLAIN or bool(PERCENTILE.fullmatch(name) or WITHIN.fullmatch(name))


def _of_values(name: str, parts: list[Summary]) -> float | None:
    """A statistic that needs the points themselves, which a statistic set doesn't have."""
    values: dict[float, float] = {}
    for part in parts:
        if part.values is None:
            return None
        for value, count in part.values.items():
            values[value] = values.get(value, 0.0) + count
    if percentile := PERCENTILE.fullmatch(name):
        return _percentile(sorted(values.items()), float(percentile[1]))
    if within := WITHIN.fullmatch(name):
        low, high = float(within[2] or "-inf"), float(within[3] or "inf")
        # A bound that is given is exclusive at the bottom and inclusive at the top.
        inside = sum(count for value, count in values.items() if low < value <= high)
        return inside * 100 / sum(values.values()) if within[1] == "PR" else float(inside)
    return None


def _percentile(ordered: list[tuple[float, float]], percent: float) -> float:
    """Between the two nearest ranks, linearly."""
    rank = max(0.0, percent / 100 * (sum(count for _, count in ordered) - 1))
    below, above = _at(ordered, math.floor(rank)), _at(ordered, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))


def _at(ordered: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if rank < seen:
            return value
    return ordered[-1][0]
