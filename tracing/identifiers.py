"""The ids of a request: what a caller has of it, and what its log lines say of each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from project.console import ToolchainError

# What stands in an answer's headers and may stand in a query: a UUID, CloudFront's opaque id,
# X-Ray's "1-" and two hexadecimal numbers. Nothing that could end a text or a pattern.
WELL_FORMED = re.compile(r"[A-Za-z0-9_=-]{8,128}")
ROOT = re.compile(r"\bRoot=([^;\s]+)", re.IGNORECASE)
TRACE = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
# Each layer's name for the same thing. The gateway's request id is not among them, though a request
# is found by it: who comes round the edge can choose it (API Gateway's set-up-logging), and with it
# whose lines stand beside his own. The extended one is always AWS's.
GATEWAY_FIELDS = ("extendedRequestId", "extended_request_id")
TRACE_FIELDS = ("xrayTraceId", "xray_trace_id")
EDGE_FIELDS = ("x-edge-request-id", "edge_request_id")


@dataclass(frozen=True, slots=True)
class Line:
    """One log line: the layer and Region that wrote it, when, and the fields that a query gave."""

    layer: str
    region: str
    at: str
    fields: Mapping[str, str]

    def first(self, *names: str) -> str:
        """Return the first of these fields that says something; empty when none does."""
        values = (self.fields.get(name, "") for name in names)
        return next((text for text in values if text and text != "-"), "")


def read(text: str) -> str:
    """Return the id in what a person copied, a whole trace header included.

    The header is `Root=…;Parent=…;Sampled=…` (xray/latest/devguide/xray-concepts, Tracing header).
    Raises ToolchainError when it is no id.
    """
    root = ROOT.search(text)
    found = (root[1] if root else text).strip()
    if not WELL_FORMED.fullmatch(found):
        raise ToolchainError(
            f"{text!r} is no id of a request. Every answer has some in its headers, and any of "
            "them will do: make trace ID=<x-amz-apigw-id, x-amzn-requestid, x-amz-cf-id or "
            "x-amzn-trace-id>."
        )
    return found


def named_by(lines: Iterable[Line]) -> set[str]:
    """Give every id in some lines by which further lines can be found."""
    fields = (GATEWAY_FIELDS, TRACE_FIELDS, EDGE_FIELDS)
    return {found for line in lines for names in fields if (found := line.first(*names))}


def traces(ids: Iterable[str]) -> list[str]:
    """Give those ids that are X-Ray's."""
    return sorted(each for each in ids if TRACE.fullmatch(each))
