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

    Beside the five plain ones: percentiles (p99, p99.9). Trimmed means and what else CloudWatch
    has is not emulated.
    """
    if not _count(parts):
        return None
    compute = PLAIN.get(name)
    return compute(parts) if compute else _percentile(float(name.removeprefix("p")), parts)


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


def is_statistic(name: str) -> bool:
    """Whether `statistic` knows this name."""
    return name in PLAIN or bool(PERCENTILE.fullmatch(name))


def _percentile(percent: float, parts: list[Summary]) -> float | None:
    """Between the two nearest ranks, linearly; a statistic set doesn't have the points for it."""
    values: dict[float, float] = {}
    for part in parts:
        if part.values is None:
            return None
        for value, count in part.values.items():
            values[value] = values.get(value, 0.0) + count
    ordered = sorted(values.items())
    rank = max(0.0, percent / 100 * (sum(values.values()) - 1))
    below, above = _at(ordered, math.floor(rank)), _at(ordered, math.ceil(rank))
    return below + (above - below) * (rank - math.floor(rank))


def _at(ordered: list[tuple[float, float]], rank: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if rank < seen:
            return value
    return ordered[-1][0]
