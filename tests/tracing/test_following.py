"""How one request is distinguished from all others, and what a person reads of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.console import ToolchainError
from tracing import identifiers
from tracing.identifiers import Line
from tracing.search import Found
from tracing.spans import tree
from tracing.text import described

TRACE = "1-6b0831c6-ccb1310ae3c4fae60a2bbdc9"
REQUEST = "f0a8c61e-514b-4fce-9028-821cb108f0de"
EXTENDED = "DeSKvE3CIAMFdNw="
EDGE = "jIgi4Q6DAPe9xYOBK3lRYaph_r4svkDKkXhD5dalSUty23sR1JHNvg=="


@pytest.mark.parametrize(
    ("copied", "read"),
    [
        (REQUEST, REQUEST),
        (f" {EDGE}\n", EDGE),
        (EXTENDED, EXTENDED),
        (TRACE, TRACE),
        (f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=1", TRACE),
        (f"x-amzn-trace-id: root={TRACE}", TRACE),
    ],
)
def test_an_id_is_read_as_it_is_copied(copied: str, read: str) -> None:
    assert identifiers.read(copied) == read


FORBIDDEN = "\"'/\\|`# \n"


@given(st.text(max_size=40))
def test_no_id_can_end_a_text_or_a_pattern_of_a_query(copied: str) -> None:
    try:
        read = identifiers.read(copied)
    except ToolchainError:
        return
    assert not set(read) & set(FORBIDDEN)


@pytest.mark.parametrize("character", FORBIDDEN)
def test_nor_can_one_that_is_an_id_but_for_a_character(character: str) -> None:
    """A text of any characters is hardly ever long enough and so well formed."""
    for identifier in (REQUEST, EXTENDED, TRACE, EDGE):
        with pytest.raises(ToolchainError):
            identifiers.read(f"{identifier[:9]}{character}{identifier[9:]}")


@pytest.mark.parametrize("copied", ["", "abc", '" or true', "a/b/c/d/e/f/g/h", "Root=;"])
def test_what_is_no_id_is_refused_with_what_would_do(copied: str) -> None:
    with pytest.raises(ToolchainError, match="x-amzn-requestid"):
        identifiers.read(copied)


def line(layer: str, **fields: str) -> Line:
    return Line(layer, "us-east-1", "2026-11-26 13:20:01.000", fields)


def test_each_layer_names_the_others() -> None:
    gateway = line("gateway", extendedRequestId=EXTENDED, xrayTraceId=TRACE, status="201")
    function = line("function", edge_request_id=EDGE, xray_trace_id="-")

    assert identifiers.named_by([gateway, function]) == {EXTENDED, TRACE, EDGE}
    assert identifiers.traces([REQUEST, TRACE, EDGE]) == [TRACE]


def test_an_id_that_a_caller_can_choose_leads_to_nobody_elses_lines() -> None:
    gateway = line("gateway", requestId=REQUEST, extendedRequestId=EXTENDED)
    function = line("function", request_id=REQUEST, extended_request_id=EXTENDED)

    assert identifiers.named_by([gateway, function]) == {EXTENDED}


def document(name: str, identifier: str, start: float, **more: Any) -> str:
    return json.dumps({"name": name, "id": identifier, "start_time": start, **more})


FUNCTION = document(
    "function", "f", 2.0, end_time=4.0, parent_id="lambda", origin="AWS::Lambda",
    subsegments=[
        {"name": "DynamoDB", "id": "d", "start_time": 3.0, "end_time": 3.5,
         "aws": {"operation": "PutItem"}},
        {"name": "Initialization", "id": "i", "start_time": 2.5, "end_time": 2.6},
    ],
)  # fmt: skip
GATEWAY = document(
    "api/live", "g", 1.0, end_time=5.0,
    subsegments=[{"name": "Lambda", "id": "lambda", "start_time": 1.5}],
)  # fmt: skip


def test_every_span_stands_below_what_called_it_whatever_order_they_came_in() -> None:
    spans = tree([FUNCTION, GATEWAY])

    assert [(span.name, span.depth) for span in spans] == [
        ("api/live", 0),
        ("Lambda", 1),
        ("function", 2),
        ("Initialization", 3),
        ("DynamoDB", 3),
    ]
    assert spans[1].milliseconds is None
    assert spans[4].milliseconds == 500
    assert spans[4].note == "PutItem"


def test_a_span_whose_caller_is_not_there_stands_at_the_top() -> None:
    assert tree([FUNCTION])[0].depth == 0


def test_layers_are_listed_in_the_order_that_a_request_comes_through_them() -> None:
    found = Found(
        {REQUEST},
        [
            line("function", message="request", route="/v1/items", status="201"),
            line("gateway", httpMethod="POST", status="201", responseLatency="22"),
            line("edge", **{"cs-method": "POST", "sc-status": "201"}),
        ],
        {TRACE: tree([GATEWAY])},
        ["landing/us-west-2/one request: no answer"],
    )

    text = described(found)

    assert text.index("edge") < text.index("gateway") < text.index("function")
    assert "POST 201, 22 ms" in text
    assert "unfinished" in text
    assert "Not asked: landing/us-west-2" in text
