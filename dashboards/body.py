"""What a dashboard's body says, in the form that AWS documents.

AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure. Text and lines over time
are drawn, which is what the modules make; a widget that says anything else is named instead.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

Document: TypeAlias = Mapping[str, Any]

DEFAULT_SIZE = 6
DEFAULT_PERIOD = 300
# What is drawn, and the one value that some of it may have.
PROPERTIES = {"title", "region", "view", "stacked", "period", "stat", "metrics", "annotations"}
FIXED = {"view": "timeSeries", "stacked": False}
OPTIONS = {"id", "expression", "stat", "label", "color", "visible", "region"}
ANNOTATION = {"value", "label"}


class BodyError(Exception):
    """A body that can't be read; the message says why."""


class NotDrawnError(Exception):
    """A widget says something that is not drawn here; the message names it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a widget stands on the grid of 24 columns, and how large it is, in grid units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a graph: a metric (namespace, name, dimensions) or an expression."""

    id: str
    label: str | None
    region: str
    metric: tuple[str, ...]
    expression: str | None
    stat: str
    visible: bool
    color: str | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A horizontal line."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Lines over time, with a point each period of as many seconds."""

    kind: ClassVar = "graph"
    title: str
    period: int
    lines: tuple[Line, ...]
    annotations: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text widget."""

    kind: ClassVar = "text"
    title: ClassVar = ""
    markdown: str


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """A widget that is not drawn here, and what it is."""

    kind: ClassVar = "not-drawn"
    title: str
    what: str


@dataclass(frozen=True, slots=True)
class Widget:
    """One widget of a dashboard."""

    place: Place
    content: Graph | Text | NotDrawn


def read(body: str) -> tuple[Widget, ...]:
    """A body's widgets. Raises BodyError."""
    try:
        return tuple(map(_widget, json.loads(body).get("widgets", ())))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BodyError(f"This body is not what CloudWatch documents: {error!r}") from error


def _widget(entry: Document) -> Widget:
    place = Place(
        int(entry.get("x", 0)),
        int(entry.get("y", 0)),
        int(entry.get("width", DEFAULT_SIZE)),
        int(entry.get("height", DEFAULT_SIZE)),
    )
    properties = entry["properties"]
    try:
        return Widget(place, _content(entry["type"], properties))
    except NotDrawnError as error:
        return Widget(place, NotDrawn(properties.get("title", ""), str(error)))


def _content(kind: str, properties: Document) -> Graph | Text:
    if kind == "text":
        _require_known(kind, properties, {"markdown"})
        return Text(properties["markdown"])
    if kind != "metric":
        raise NotDrawnError(kind)
    for name, value in FIXED.items():
        if (other := properties.get(name, value)) != value:
            raise NotDrawnError(f"metric, {name} {json.dumps(other)}")
    _require_known(kind, properties, PROPERTIES)
    annotations = properties.get("annotations", {})
    _require_known("annotations", annotations, {"horizontal"})
    return Graph(
        title=properties.get("title", ""),
        period=int(properties.get("period", DEFAULT_PERIOD)),
        lines=_lines(properties),
        annotations=tuple(map(_annotation, annotations.get("horizontal", ()))),
    )


def _require_known(where: str, document: Document, known: Collection[str]) -> None:
    if unknown := sorted(document.keys() - known):
        raise NotDrawnError(f"{where} with {', '.join(unknown)}")


def _annotation(entry: Document | list[Document]) -> Annotation:
    if isinstance(entry, list):
        raise NotDrawnError("a band between two annotations")
    _require_known("an annotation", entry, ANNOTATION)
    return Annotation(float(entry["value"]), entry.get("label", ""))


def _lines(properties: Document) -> tuple[Line, ...]:
    """The lines of a graph, with the body's shorthands for "as in the line above" written out."""
    lines: list[Line] = []
    above: list[str] = []
    for number, entry in enumerate(properties["metrics"]):
        *fields, options = entry if isinstance(entry[-1], dict) else [*entry, {}]
        _require_known("metrics", options, OPTIONS)
        if fields:
            above = _written_out(fields, above)
        settings = {**properties, **options}
        lines.append(
            Line(
                id=options.get("id") or f"line{number}",
                label=options.get("label"),
                region=settings["region"],
                metric=tuple(above) if fields else (),
                expression=options.get("expression"),
                stat=settings.get("stat", "Average"),
                visible=options.get("visible", True),
                color=options.get("color"),
            )
        )
    return tuple(lines)


def _written_out(fields: list[str], above: Iterable[str]) -> list[str]:
    """`.` is the field above; `...` is all of them up to those that follow."""
    above = list(above)
    if fields[0] == "...":
        own = fields[1:]
        return [*above[: len(above) - len(own)], *own]
    return [above[at] if field == "." else field for at, field in enumerate(fields)]
