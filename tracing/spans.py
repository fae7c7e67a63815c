"""A trace as a tree of spans, from the segment documents that X-Ray keeps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work; `depth` is how deep it stands, times are in seconds since the epoch."""

    name: str
    depth: int
    start: float
    end: float | None
    note: str

    @property
    def milliseconds(self) -> float | None:
        """How long it took; None while it is not known to have ended."""
        return None if self.end is None else 1000 * (self.end - self.start)


def tree(documents: Iterable[str]) -> list[Span]:
    """Order segments and subsegments, each below its parent, by when they began.

    A document whose parent is not there stands at the top
    (xray/latest/devguide/xray-api-segmentdocuments).
    """
    segments: list[dict[str, Any]] = [json.loads(each) for each in documents]
    known = {one["id"] for segment in segments for one in _all(segment)}
    below: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for segment in segments:
        parent: str = segment.get("parent_id", "")
        below[parent if parent in known else ""].append(segment)
        for one in _all(segment):
            below[one["id"]] += one.get("subsegments", ())
    return list(_spans("", below, 0))


def _all(segment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield segment
    for one in segment.get("subsegments", ()):
        yield from _all(one)


def _spans(parent: str, below: Mapping[str, list[dict[str, Any]]], depth: int) -> Iterator[Span]:
    for one in sorted(below.get(parent, ()), key=lambda each: float(each["start_time"])):
        yield Span(one["name"], depth, one["start_time"], one.get("end_time"), _note(one))
        yield from _spans(one["id"], below, depth + 1)


def _note(segment: Mapping[str, Any]) -> str:
    aws = segment.get("aws", {})
    status = segment.get("http", {}).get("response", {}).get("status")
    marks = [mark for mark in ("throttle", "error", "fault") if segment.get(mark)]
    kept = {
        name: value
        for name, value in segment.get("annotations", {}).items()
        if not name.startswith("aws:")
    }
    parts = [
        segment.get("origin", ""),
        aws.get("operation", ""),
        str(status or ""),
        *marks,
        *(f"{name}={value}" for name, value in sorted(kept.items())),
    ]
    return " ".join(filter(None, parts))
