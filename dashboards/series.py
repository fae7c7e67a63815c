"""A graph's queries to CloudWatch, and its answers as the page's JSON. Times in Unix seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboards.body import Graph, Line

PALETTE = (
    *("#2563eb", "#ea580c", "#059669", "#7c3aed", "#0891b2", "#ca8a04", "#db2777", "#65a30d"),
    *("#475569", "#9f1239"),
)
# What a body's color may be, to go into a page's style.
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
# The metric of which each data point is a release.
RELEASE = "Release"
# GetMetricData, MetricDataResult: the other states are whole, or go on with the next page.
FAILED = {"InternalError", "Forbidden"}

Query = dict[str, Any]
Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown, of which `end` is not a part, and the seconds between two points."""

    start: int
    end: int
    period: int

    @property
    def times(self) -> range:
        """Every time that a point may have."""
        return range(self.start, self.end, self.period)


@dataclass(frozen=True, slots=True)
class Series:
    """A line as it is drawn: a value for each time, None where there is no data."""

    label: str
    color: str
    values: tuple[float | None, ...]


def window(span: int, period: int, now: float) -> Window:
    """The last `span` seconds, the period that has just begun included.

    It begins with a period, so that no point moves by itself (GetMetricData rounds StartTime).
    """
    end = (int(now) // period + 1) * period
    return Window(end - max(1, span // period) * period, end, period)


def queries(graph: Graph) -> dict[str, list[Query]]:
    """MetricDataQueries of a graph by the Region that is asked."""
    found: dict[str, list[Query]] = {}
    for line in graph.lines:
        found.setdefault(line.region, []).append(_query(line, graph.period))
    return found


def _query(line: Line, period: int) -> Query:
    query: Query = {"Id": line.id, "ReturnData": line.visible}
    if line.label:
        query["Label"] = line.label
    if line.expression:
        return {**query, "Expression": line.expression, "Period": period}
    namespace, name, *pairs = line.metric
    dimensions = [
        {"Name": key, "Value": value} for key, value in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {**query, "MetricStat": {"Metric": metric, "Period": period, "Stat": line.stat}}


def problems(results: Iterable[Result]) -> list[str]:
    """Say which results CloudWatch couldn't compute, and why."""
    return [
        ": ".join([result["Label"], *(one["Value"] for one in result.get("Messages", ()))])
        for result in results
        if result["StatusCode"] in FAILED
    ]


def document(graph: Graph, shown: Window, results: Sequence[Result]) -> dict[str, Any]:
    """The graph as the page draws it: times, series beside them, annotations, releases.

    Releases are lines across the graph, each at the time of its period.
    """
    drawn = [*_series(graph, shown, results)]
    return {
        "times": list(shown.times),
        "series": [asdict(one) for line, one in drawn if not is_release(line)],
        "annotations": [asdict(one) for one in graph.annotations],
        "releases": sorted(
            {
                at
                for line, one in drawn
                if is_release(line)
                for at, count in zip(shown.times, one.values, strict=True)
                if count
            }
        ),
    }


def is_release(line: Line) -> bool:
    """Whether a line counts releases (releases/metrics.py)."""
    return line.metric[1:2] == (RELEASE,) and not line.metric[0].startswith("AWS/")


def _series(
    graph: Graph, shown: Window, results: Sequence[Result]
) -> Iterable[tuple[Line, Series]]:
    visible = [line for line in graph.lines if line.visible]
    for position, line in enumerate(visible):
        own = [result for result in results if result["Id"] == line.id]
        points: dict[int, float] = {}
        # A result goes on with the next page of the answer.
        for result in own:
            times = (int(at.timestamp()) for at in result["Timestamps"])
            points.update(zip(times, result["Values"], strict=True))
        label = own[0]["Label"] if own else line.label or line.id
        values = tuple(_number(points.get(at)) for at in shown.times)
        yield line, Series(label, _color(line, position), values)


def _color(line: Line, position: int) -> str:
    if line.color and COLOR.fullmatch(line.color):
        return line.color
    return PALETTE[position % len(PALETTE)]


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
