"""What a dashboard's body says, in the form that AWS documents.

AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]

COLUMNS = 24
DEFAULT_SIZE = 6
DEFAULT_PERIOD = 300


class BodyError(Exception):
    """A body, or a part of it, that can't be read; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a widget stands on the grid of 24 columns, and how large it is, in grid units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a graph: a metric or an expression. The period in seconds."""

    id: str
    label: str | None
    region: str
    metric: tuple[str, ...]
    expression: str | None
    stat: str
    period: int
    visible: bool
    color: str | None
    right_axis: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """A horizontal line, and whether the area `above` or `below` it is shaded."""

    value: float
    label: str
    color: str | None
    fill: str | None


@dataclass(frozen=True, slots=True)
class Axis:
    """A vertical axis; a bound that is None follows the data."""

    label: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A metric widget; its `view` is timeSeries or singleValue, others are drawn as the first."""

    title: str
    view: str
    stacked: bool
    over_range: bool
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...]
    left: Axis
    right: Axis


@dataclass(frozen=True, slots=True)
class Text:
    """A text widget."""

    markdown: str


@dataclass(frozen=True, slots=True)
class AlarmList:
    """An alarm status widget: ARNs."""

    title: str
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A Logs Insights widget, which is shown and not run."""

    title: str
    query: str


Content: TypeAlias = Graph | Text | AlarmList | LogQuery


@dataclass(frozen=True, slots=True)
class Widget:
    """One widget of a dashboard."""

    place: Place
    content: Content

    @property
    def title(self) -> str:
        """What stands above it."""
        return "" if isinstance(self.content, Text) else self.content.title


def read(body: str, home: str) -> tuple[Widget, ...]:
    """A body's widgets; `home` is the Region of what names none. Raises BodyError."""
    try:
        document = json.loads(body)
        return tuple(_widget(entry, home) for entry in document.get("widgets", ()))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BodyError(f"This body is not what CloudWatch documents: {error!r}") from error


def regions(widgets: Iterable[Widget]) -> set[str]:
    """Every Region that the widgets look at."""
    found: set[str] = set()
    for widget in widgets:
        match widget.content:
            case Graph(rows=rows):
                found.update(row.region for row in rows)
            case AlarmList(alarms=arns):
                found.update(region_of(arn) for arn in arns)
    return found


def region_of(arn: str) -> str:
    """The Region that an ARN names."""
    return arn.split(":")[3]


def _widget(entry: Document, home: str) -> Widget:
    place = Place(
        int(entry.get("x", 0)),
        int(entry.get("y", 0)),
        int(entry.get("width", DEFAULT_SIZE)),
        int(entry.get("height", DEFAULT_SIZE)),
    )
    return Widget(place, _content(entry["type"], entry["properties"], home))


def _content(kind: str, properties: Document, home: str) -> Content:
    title = properties.get("title", "")
    match kind:
        case "text":
            return Text(properties["markdown"])
        case "alarm":
            return AlarmList(title, tuple(properties["alarms"]))
        case "log":
            return LogQuery(title, properties["query"])
        case "metric":
            return _graph(title, properties, home)
    raise BodyError(f"A widget of type {kind!r} is not drawn here.")


def _graph(title: str, properties: Document, home: str) -> Graph:
    axes = properties.get("yAxis", {})
    return Graph(
        title=title,
        view=properties.get("view", "timeSeries"),
        stacked=properties.get("stacked", False),
        over_range=properties.get("setPeriodToTimeRange", False),
        rows=_rows(properties, home),
        annotations=tuple(_annotations(properties.get("annotations", {}).get("horizontal", ()))),
        left=_axis(axes.get("left", {})),
        right=_axis(axes.get("right", {})),
    )


def _axis(document: Document) -> Axis:
    return Axis(document.get("label", ""), document.get("min"), document.get("max"))


def _annotations(entries: Iterable[Document | list[Document]]) -> Iterable[Annotation]:
    """A band is a pair of lines."""
    for entry in entries:
        for line in entry if isinstance(entry, list) else [entry]:
            yield Annotation(
                float(line["value"]), line.get("label", ""), line.get("color"), line.get("fill")
            )


def _rows(properties: Document, home: str) -> tuple[Row, ...]:
    """The lines of a graph, with the body's shorthands for "as in the line above" written out."""
    rows: list[Row] = []
    above: list[str] = []
    for number, entry in enumerate(properties.get("metrics", ())):
        *fields, options = entry if isinstance(entry[-1], dict) else [*entry, {}]
        if fields:
            above = _written_out(fields, above)
        said = {**properties, **options}
        rows.append(
            Row(
                id=options.get("id") or f"line{number}",
                label=options.get("label"),
                region=said.get("region", home),
                metric=tuple(above) if fields else (),
                expression=options.get("expression"),
                stat=said.get("stat", "Average"),
                period=int(said.get("period", DEFAULT_PERIOD)),
                visible=options.get("visible", True),
                color=options.get("color"),
                right_axis=options.get("yAxis") == "right",
            )
        )
    return tuple(rows)


def _written_out(fields: list[str], above: list[str]) -> list[str]:
    """`.` is the field above; `...` is all of them up to those that follow."""
    if fields[0] == "...":
        own = fields[1:]
        return [*above[: len(above) - len(own)], *own]
    return [
        above[at] if field == "." else field  # a field that is "." has one above it
        for at, field in enumerate(fields)
    ]


def with_period(row: Row, period: int) -> Row:
    """The row with another period, in seconds."""
    return replace(row, period=period)
