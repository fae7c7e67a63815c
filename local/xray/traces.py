"""The segments that were put, and the traces that they make.

Kept in memory, the newest of them, and gone with the process: what is worth keeping is in the logs.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.xray.filters import Facts, Service, Value
from local.xray.header import began
from local.xray.segments import Document

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
    def root(self) -> Document:
        """The segment that the request came in with."""
        ids = {part["id"] for segment in self.segments for part in parts(segment)}
        return next(one for one in self.segments if one.get("parent_id") not in ids)

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

    def between(self, scope: Scope, start: float, end: float) -> Iterator[Trace]:
        """The traces whose ids are of this time (seconds since the epoch), the newest first."""
        with self._lock:
            ids = [trace_id for where, trace_id in self._kept if where == scope]
        for trace_id in reversed(ids):
            if int(start) <= began(trace_id) <= end:
                trace = self.get(scope, trace_id)
                if trace:
                    yield trace

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


def summary(trace: Trace) -> dict[str, Any]:
    """A trace as GetTraceSummaries tells it."""
    root = trace.root
    request, status = root.get("http", {}).get("request", {}), _status(root)
    http = {
        "HttpURL": request.get("url"),
        "HttpMethod": request.get("method"),
        "HttpStatus": status,
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
    }
    return {
        "Id": trace.trace_id,
        "StartTime": trace.start,
        "Duration": trace.duration,
        "ResponseTime": _seconds(root),
        **{f"Has{flag.title()}": bool(root.get(flag)) for flag in FLAGS},
        "IsPartial": any(one.get("in_progress") for one in trace.segments),
        "Http": {name: value for name, value in http.items() if value is not None},
        "Annotations": {
            key: [{"AnnotationValue": _annotation(value)} for value in values]
            for key, values in _annotations(trace.segments).items()
        },
        "ServiceIds": [_service_id(one) for one in trace.segments],
        "EntryPoint": _service_id(root),
        "Revision": len(trace.segments),
    }


def facts(trace: Trace) -> Facts:
    """A trace as filter expressions see it: its root's outcome, everybody's annotations."""
    values = dict(_facts(trace.root, trace.segments).values)
    values["duration"] = (trace.duration,)
    values["partial"] = (any(bool(one.get("in_progress")) for one in trace.segments),)
    services = [
        Service(one["name"], one.get("origin", ""), _facts(one, [one])) for one in trace.segments
    ]
    return Facts(values, services)


def _facts(root: Document, annotated: Sequence[Document]) -> Facts:
    request, status = root.get("http", {}).get("request", {}), _status(root)
    values: dict[str, Sequence[Value]] = {
        **{flag: (bool(root.get(flag)),) for flag in FLAGS},
        "ok": (not any(root.get(flag) for flag in FLAGS),),
        "responsetime": (_seconds(root),),
        "http.status": () if status is None else (status,),
        **{f"annotation.{key}": found for key, found in _annotations(annotated).items()},
    }
    for keyword, name in (
        ("http.url", "url"),
        ("http.method", "method"),
        ("http.useragent", "user_agent"),
        ("http.clientip", "client_ip"),
    ):
        values[keyword] = (request[name],) if name in request else ()
    return Facts(values)


def _annotations(segments: Sequence[Document]) -> Mapping[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for segment in segments:
        for part in parts(segment):
            for key, value in part.get("annotations", {}).items():
                if value not in found.setdefault(key, []):
                    found[key].append(value)
    return found


def _annotation(value: Value) -> dict[str, Value]:
    if isinstance(value, bool):
        return {"BooleanValue": value}
    return {"StringValue" if isinstance(value, str) else "NumberValue": value}


def _service_id(segment: Document) -> dict[str, Any]:
    name, origin = segment["name"], segment.get("origin")
    return {"Name": name, "Names": [name], **({"Type": origin} if origin else {})}


def _status(segment: Document) -> int | None:
    status = segment.get("http", {}).get("response", {}).get("status")
    return None if status is None else int(status)


def _seconds(segment: Document) -> float:
    return float(segment.get("end_time", segment["start_time"]) - segment["start_time"])
