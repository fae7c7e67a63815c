"""The segments that were put, and the traces that they make.

Kept in memory, the newest of them, and gone with the process: what is worth keeping is in the logs.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from local.observability.traces.segments import Document

KEPT_TRACES = 5_000
# A trace's documents are 500 kB at most (docs.aws.amazon.com/general/latest/gr/xray.html); here
# they are counted instead.
KEPT_DOCUMENTS = 500
FLAGS = ("error", "fault", "throttle")

Scope = tuple[str, str]  # account, Region


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace as it is read: whole segments, the earliest first, subsegments in their places."""

    trace_id: str
    segments: Sequence[Document]

    @property
    def start(self) -> float:
        """When it began, in seconds since the epoch."""
        return float(min(segment["start_time"] for segment in self.segments))

    @property
    def duration(self) -> float:
        """From the first segment's start to the end of the last that has ended, in seconds."""
        ends = [segment["end_time"] for segment in self.segments if "end_time" in segment]
        return max(ends, default=self.start) - self.start


@dataclass(slots=True)
class Traces:
    """Every account's and Region's traces."""

    _kept: OrderedDict[tuple[Scope, str], dict[str, Document]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, scope: Scope, document: Document) -> None:
        """Keep a segment or subsegment; a finished one takes the place of its beginning."""
        key = (scope, document["trace_id"])
        with self._lock:
            documents = self._kept.setdefault(key, {})
            if document["id"] in documents or len(documents) < KEPT_DOCUMENTS:
                documents[document["id"]] = document
            while len(self._kept) > KEPT_TRACES:
                self._kept.popitem(last=False)

    def get(self, scope: Scope, trace_id: str) -> Trace | None:
        """One trace, or None where there is none yet."""
        with self._lock:
            documents = list(self._kept.get((scope, trace_id), {}).values())
        segments = assembled(documents)
        return Trace(trace_id, segments) if segments else None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


def assembled(documents: Sequence[Document]) -> list[Document]:
    """Whole segments out of what was sent: subsegments sent alone go where they belong.

    A subsegment whose parent hasn't arrived is left out. A call of an AWS service that sends
    nothing itself is a segment of that service, too, inferred from the caller's subsegment.
    """
    whole = copy.deepcopy(list(documents))
    segments = [one for one in whole if one.get("type") != "subsegment"]
    by_id = {part["id"]: part for one in whole for part in parts(one)}
    for one in whole:
        parent = by_id.get(one.get("parent_id", ""))
        if one.get("type") == "subsegment" and parent is not None:
            parent.setdefault("subsegments", []).append(one)
    for segment in segments:
        for part in parts(segment):
            part.get("subsegments", []).sort(key=lambda below: below["start_time"])
    inferred = [found for one in segments for part in parts(one) if (found := _inferred(one, part))]
    return sorted([*segments, *inferred], key=lambda one: one["start_time"])


def parts(document: Document) -> Iterator[Document]:
    """A segment and everything below it."""
    yield document
    for below in document.get("subsegments", []):
        yield from parts(below)


def _inferred(segment: Document, part: Document) -> Document | None:
    table = part.get("aws", {}).get("table_name")
    if part.get("namespace") != "aws" or not table:
        return None
    digest = hashlib.blake2b(part["id"].encode(), digest_size=8)
    shared = {
        name: part[name] for name in ("start_time", "end_time", "http", *FLAGS) if name in part
    }
    return {
        "id": digest.hexdigest(),
        "trace_id": segment["trace_id"],
        "parent_id": part["id"],
        "name": table,
        "origin": "AWS::DynamoDB::Table",
        "inferred": True,
        "aws": part["aws"],
        **shared,
    }
