"""Segments and the traces that they make, without an emulator."""

from dataclasses import replace
from typing import Any

import pytest

from local.observability.traces import traces as module
from local.observability.traces.daemon import BATCH_SECONDS, MAX_DOCUMENTS, document, gathered
from local.observability.traces.header import TraceHeader
from local.observability.traces.segments import (
    Call,
    Exchange,
    Invocation,
    Span,
    Stage,
    of_invocation,
    of_stage,
)
from local.observability.traces.traces import Traces, assembled, parts

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
SCOPE = ("000000000000", "us-east-1")
BEGAN = 0x5759E988
STAGE = Stage("000000000000", "us-east-1", "a1b2c3d4e5", "items", "live")
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:items:live"


def exchange() -> Exchange:
    return Exchange(
        url="https://api.example.com/v1/items",
        method="GET",
        client="192.0.2.1",
        user_agent="curl",
        request_id="r-1",
        status=200,
        size=2,
        rule="Default",
    )


def request() -> list[dict[str, Any]]:
    """The documents of one request, as they arrive: the function's own first."""
    header = TraceHeader(ROOT, "aaaaaaaaaaaaaaaa", sampled=True)
    call = Call("bbbbbbbbbbbbbbbb", FUNCTION, Span(BEGAN + 0.1, BEGAN + 0.8))
    invocation = Invocation(header.below(call.segment_id))
    invocation.initialization = Span(BEGAN + 0.2, BEGAN + 0.3)
    handler = {
        "type": "subsegment",
        "id": "dddddddddddddddd",
        "trace_id": ROOT,
        "parent_id": invocation.header_below().parent,
        "name": "## handler",
        "start_time": BEGAN + 0.4,
        "end_time": BEGAN + 0.6,
        "annotations": {"route": "/v1/items"},
    }
    query = {
        **{name: handler[name] for name in ("type", "trace_id")},
        "id": "eeeeeeeeeeeeeeee",
        "parent_id": handler["id"],
        "name": "DynamoDB",
        "namespace": "aws",
        "aws": {"operation": "Query", "table_name": "items"},
        "start_time": BEGAN + 0.45,
        "end_time": BEGAN + 0.5,
    }
    span = Span(BEGAN + 0.15, BEGAN + 0.7)
    of_function = of_invocation(invocation, FUNCTION, "f-1", span, failed=False)
    gateway = of_stage(STAGE, exchange(), header, Span(BEGAN, BEGAN + 0.9), [call])
    return [query, handler, *of_function, gateway]


def tree(document: dict[str, Any]) -> list[Any]:
    return [document["name"], *(tree(below) for below in document.get("subsegments", []))]


def test_subsegments_sent_alone_are_read_where_they_belong() -> None:
    gateway, service, function, table = assembled(request())

    assert tree(gateway) == ["items/live", ["Lambda"]]
    assert service["origin"] == "AWS::Lambda"
    assert service["parent_id"] == gateway["subsegments"][0]["id"]
    assert function["parent_id"] == service["id"]
    invocation = ["Invocation", ["## handler", ["DynamoDB"]]]
    assert tree(function) == ["items", ["Initialization"], invocation]
    assert (table["origin"], table["name"]) == ("AWS::DynamoDB::Table", "items")
    assert table["inferred"]


def test_reading_changes_nothing_that_is_kept() -> None:
    kept = Traces()
    for one in request():
        kept.put(SCOPE, one)
    assert kept.get(SCOPE, ROOT) == kept.get(SCOPE, ROOT)


def test_a_subsegment_waits_for_its_parent() -> None:
    query, handler, _service, _function, gateway = request()
    assert [one["name"] for one in assembled([query, handler, gateway])] == ["items/live"]
    assert assembled([query]) == []


def test_a_finished_segment_takes_the_place_of_its_beginning() -> None:
    kept = Traces()
    begun = {"id": "1", "trace_id": ROOT, "name": "a", "start_time": BEGAN, "in_progress": True}
    kept.put(SCOPE, begun)
    trace = kept.get(SCOPE, ROOT)
    assert trace is not None
    assert trace.segments[0]["in_progress"]
    kept.put(SCOPE, {**begun, "in_progress": False, "end_time": BEGAN + 1})
    trace = kept.get(SCOPE, ROOT)
    assert trace is not None
    assert (len(trace.segments), trace.duration) == (1, 1)


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (200, {}),
        (404, {"error": True}),
        (429, {"error": True, "throttle": True}),
        (503, {"fault": True}),
    ],
)
def test_a_segment_is_flagged_by_its_status(status: int, flags: dict[str, bool]) -> None:
    header = TraceHeader(ROOT, "aaaaaaaaaaaaaaaa", sampled=True)
    segment = of_stage(STAGE, replace(exchange(), status=status), header, Span(BEGAN, BEGAN), [])

    assert {name: segment[name] for name in ("error", "throttle", "fault") if name in segment} == (
        flags
    )


def test_a_function_that_fails_is_a_fault() -> None:
    invocation, span = Invocation(TraceHeader(ROOT)), Span(BEGAN, BEGAN)

    documents = of_invocation(invocation, FUNCTION, "f", span, failed=True)
    assert [one["fault"] for one in documents] == [True, True]


def test_accounts_and_regions_keep_their_own_traces() -> None:
    kept = Traces()
    for one in request():
        kept.put(SCOPE, one)

    assert kept.get(SCOPE, ROOT) is not None
    assert kept.get(("000000000000", "us-west-2"), ROOT) is None
    assert kept.get(("111111111111", "us-east-1"), ROOT) is None


def test_only_the_newest_traces_are_kept() -> None:
    kept = Traces()
    for number in range(module.KEPT_TRACES + 1):
        trace_id = f"1-5759e988-{number:024x}"
        kept.put(SCOPE, {"id": "1", "trace_id": trace_id, "name": "a", "start_time": BEGAN})
    assert kept.get(SCOPE, f"1-5759e988-{0:024x}") is None
    assert kept.get(SCOPE, f"1-5759e988-{module.KEPT_TRACES:024x}") is not None


def test_a_trace_takes_in_only_so_much() -> None:
    kept = Traces()
    for number in range(module.KEPT_DOCUMENTS + 5):
        one = {"id": f"{number:016x}", "trace_id": ROOT, "name": "a", "start_time": BEGAN}
        kept.put(SCOPE, one)
    trace = kept.get(SCOPE, ROOT)
    assert trace is not None
    assert len(trace.segments) == module.KEPT_DOCUMENTS


def test_every_part_of_a_segment_has_an_id_of_its_own() -> None:
    ids = [part["id"] for segment in assembled(request()) for part in parts(segment)]
    assert len(ids) == len(set(ids)) == 9


def test_a_datagram_is_a_header_line_and_a_document() -> None:
    assert document(b'{"format": "json", "version": 1}\n{"id": "1"}') == ['{"id": "1"}']
    assert document(b'{"format":"json","version":1}\n{}') == ["{}"]
    for other in (b"", b"noise", b'{"format": "json", "version": 2}\n{}', b"\xff\n{}"):
        assert document(other) == []


def datagram(text: str) -> bytes:
    return b'{"format": "json", "version": 1}\n' + text.encode()


class Arrivals:
    """Datagrams, each so many seconds after the one before, on a clock of their own."""

    def __init__(self, *gaps: float) -> None:
        self.at = 0.0
        self._gaps = list(gaps)

    def clock(self) -> float:
        return self.at

    def receive(self, seconds: float | None) -> bytes:
        if not self._gaps or (seconds is not None and self._gaps[0] > seconds):
            self.at += seconds or 0.0
            raise TimeoutError
        self.at += self._gaps.pop(0)
        return datagram(f"{self.at:.2f}")


def test_documents_that_come_soon_after_another_go_with_it() -> None:
    arrivals = Arrivals(5.0, 0.2, 0.2, 0.2)

    assert gathered(arrivals.receive, arrivals.clock) == ["5.00", "5.20", "5.40"]
    assert arrivals.at == pytest.approx(5.0 + BATCH_SECONDS)
    assert gathered(arrivals.receive, arrivals.clock) == ["5.70"]


def test_no_more_go_together_than_x_ray_takes() -> None:
    arrivals = Arrivals(*(60 * [0.001]))

    assert len(gathered(arrivals.receive, arrivals.clock)) == MAX_DOCUMENTS
    assert len(gathered(arrivals.receive, arrivals.clock)) == 60 - MAX_DOCUMENTS
