"""The metrics that alarms and dashboards name, as CloudWatch's API gives them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.cloudwatch import alarms
from local.dashboard import bodies

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


def by_dashboard(name: str, body: str, home: str) -> Iterator[Named]:
    """The metrics of a dashboard's widgets; `home` is the Region of what names none."""
    for widget in bodies.read(body, home):
        if isinstance(widget.content, bodies.Graph):
            where = f"dashboard {name}, {widget.title!r}"
            yield from (_of_row(where, row) for row in widget.content.rows if row.metric)


def _of_row(where: str, row: bodies.Row) -> Named:
    namespace, metric, *rest = row.metric
    dimensions = zip(rest[::2], rest[1::2], strict=True)
    return Named(where, row.region, namespace, metric, tuple(sorted(dimensions)), row.stat)
