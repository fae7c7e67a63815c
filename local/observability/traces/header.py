"""The tracing header: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.

xray-concepts, "Tracing header".
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, replace

NAME = "x-amzn-trace-id"
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SEGMENT_ID = re.compile(r"[0-9a-f]{16}")
_DECISIONS = {"0": False, "1": True}


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """A request's trace, the segment that it comes from, and whether it is to be traced."""

    root: str
    parent: str | None = None
    sampled: bool | None = None

    def __str__(self) -> str:
        """The header as it is sent."""
        parts = [f"Root={self.root}"]
        if self.parent:
            parts.append(f"Parent={self.parent}")
        if self.sampled is not None:
            parts.append(f"Sampled={int(self.sampled)}")
        return ";".join(parts)

    def below(self, segment_id: str) -> TraceHeader:
        """What the segment's own calls carry."""
        return replace(self, parent=segment_id)


def read(text: str | None) -> TraceHeader:
    """The header as a service takes it up: what it can't read it does without.

    A service that gets no trace begins one, and whoever sends no decision (`Sampled=?`, or
    nothing) leaves it to the service.
    """
    fields = dict(part.strip().partition("=")[::2] for part in (text or "").split(";"))
    root, parent = fields.get("Root", ""), fields.get("Parent", "")
    if not _TRACE_ID.fullmatch(root):
        root, parent = new_trace_id(time.time()), ""
    known = parent if _SEGMENT_ID.fullmatch(parent) else None
    return TraceHeader(root, known, _DECISIONS.get(fields.get("Sampled", "")))


def new_trace_id(now: float) -> str:
    """A trace id of this moment, in seconds since the epoch."""
    return f"1-{int(now):08x}-{secrets.token_hex(12)}"


def new_segment_id() -> str:
    """A segment's or subsegment's id."""
    return secrets.token_hex(8)
