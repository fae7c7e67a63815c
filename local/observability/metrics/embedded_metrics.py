"""Metrics embedded in a log event: CloudWatch's embedded metric format, as a pure function.

AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.observability.metrics.recorder import MINUTE, Dimensions, Sample

# Limits of the specification.
MAX_METRICS, MAX_VALUES, MAX_DIMENSIONS = 100, 100, 30
# PutMetricData: values are from -2^360 to 2^360, and neither NaN nor infinite.
MAX_NUMBER = 2**360
# What AWS/Logs counts of documents that can't be used.
NO_JSON, INVALID = "EMFParsingErrors", "EMFValidationErrors"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Points:
    """Values of metrics that share a namespace and dimensions."""

    namespace: str
    dimensions: Dimensions
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a log event holds: points of a moment (seconds since the epoch), or an error's name."""

    at: float = 0.0
    points: tuple[Points, ...] = ()
    error: str | None = None


NOTHING = Embedded()


class _InvalidError(Exception):
    """The document breaks the specification."""


def read(message: str, now: float) -> Embedded:
    """The metrics in a log event's message; most messages have none."""
    if '"_aws"' not in message or not message.lstrip().startswith("{"):
        return NOTHING
    try:
        document = json.loads(message)
    except ValueError:
        return Embedded(error=NO_JSON)
    metadata = document.get("_aws")
    if not isinstance(metadata, dict) or "CloudWatchMetrics" not in metadata:
        return NOTHING
    try:
        points = tuple(_points(document, metadata["CloudWatchMetrics"]))
        return Embedded(_number(metadata.get("Timestamp", now * 1000)) / 1000, points)
    except (_InvalidError, KeyError, OverflowError, TypeError, ValueError):
        return Embedded(error=INVALID)


def _points(document: Document, directives: list[Document]) -> Iterator[Points]:
    for directive in directives:
        definitions = directive["Metrics"]
        if len(definitions) > MAX_METRICS:
            raise _InvalidError
        samples = tuple(
            each for definition in definitions for each in _samples(document, definition)
        )
        for names in directive["Dimensions"] or [[]]:
            yield Points(_text(directive["Namespace"]), _dimensions(document, names), samples)


def _dimensions(document: Document, names: list[str]) -> Dimensions:
    if len(names) > MAX_DIMENSIONS:
        raise _InvalidError
    found = tuple((name, document[name]) for name in names)
    if not all(isinstance(value, str) and value for _, value in found):
        raise _InvalidError
    return found


def _samples(document: Document, definition: Document) -> Iterator[Sample]:
    """A metric's values: a number, or a list of them."""
    content = document[definition["Name"]]
    values = content if isinstance(content, list) else [content]
    if len(values) > MAX_VALUES:
        raise _InvalidError
    # Which resolution it is doesn't matter here: every metric is kept by the minute.
    if int(definition.get("StorageResolution", MINUTE)) not in (1, MINUTE):
        raise _InvalidError
    unit = _text(definition.get("Unit", "None"))
    return (Sample(definition["Name"], _number(value), unit) for value in values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _InvalidError
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _InvalidError
    if not abs(value) <= MAX_NUMBER:
        raise _InvalidError
    return float(value)
