"""The metrics that alarms and dashboards name, as CloudWatch's API gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards import body as bodies
from local.observability.alarms import evaluation as alarms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Named:
    """One metric somewhere; `alarm_period` in seconds, None on a dashboard, whose reader zooms."""

    where: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    alarm_period: int | None = None


def by_alarm(document: Mapping[str, Any], region: str) -> Iterator[Named]:
    """The metrics of a metric alarm, as DescribeAlarms answers it."""
    for query in alarms.read(document).queries:
        metric = query.metric
        if metric:
            yield Named(
                f"alarm {document['AlarmName']}",
                region,
                metric.namespace,
                metric.name,
                metric.dimensions,
                metric.statistic,
                metric.period,
            )


def by_dashboard(name: str, body: str) -> Iterator[Named]:
    """The metrics of a dashboard's widgets."""
    for widget in bodies.read(body):
        if isinstance(widget.content, bodies.Graph):
            where = f"dashboard {name}, {widget.content.title!r}"
            yield from (_of_line(where, line) for line in widget.content.lines if line.metric)


def _of_line(where: str, line: bodies.Line) -> Named:
    namespace, metric, *rest = line.metric
    dimensions = zip(rest[::2], rest[1::2], strict=True)
    return Named(where, line.region, namespace, metric, tuple(sorted(dimensions)), line.stat)
