"""A dashboard's body as it is read, and what of one is not drawn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboards import body
from dashboards.body import Annotation, BodyError, Graph, Line, NotDrawn, Place, Text, Widget

METRIC = ["AWS/Lambda", "Errors", "FunctionName", "a"]


def read(kind: str, properties: dict[str, Any], **place: int) -> Widget:
    entry = {"type": kind, "properties": properties, **place}
    (widget,) = body.read(json.dumps({"widgets": [entry]}))
    return widget


def graph(*metrics: list[Any], **properties: Any) -> Graph:
    widget = read("metric", {"region": "us-east-1", "metrics": metrics, **properties})
    assert isinstance(widget.content, Graph)
    return widget.content


def lines(*metrics: list[Any], **properties: Any) -> tuple[Line, ...]:
    return graph(*metrics, **properties).lines


def test_a_widget_stands_where_its_body_says() -> None:
    widget = read("text", {"markdown": "# Served?"}, x=12, y=2, width=24, height=3)

    assert widget == Widget(Place(12, 2, 24, 3), Text("# Served?"))
    assert read("text", {"markdown": ""}).place == Place(0, 0, 6, 6)


def test_a_graph_has_its_properties() -> None:
    drawn = graph(
        METRIC,
        title="Errors",
        period=60,
        annotations={"horizontal": [{"value": 99.9, "label": "objective"}]},
    )

    assert (drawn.title, drawn.period) == ("Errors", 60)
    assert drawn.annotations == (Annotation(99.9, "objective"),)
    assert graph(METRIC).period == 300


def test_the_shorthands_of_a_body_are_written_out() -> None:
    first, second, third = lines(
        ["AWS/Lambda", "Errors", "FunctionName", "a", "Resource", "a:live"],
        [".", "Invocations", ".", ".", ".", "a:next", {"label": "all", "stat": "Sum"}],
        ["...", "b", "Resource", "b:live"],
    )

    assert first.metric == ("AWS/Lambda", "Errors", "FunctionName", "a", "Resource", "a:live")
    assert second.metric[1:] == ("Invocations", "FunctionName", "a", "Resource", "a:next")
    assert third.metric[1:] == ("Invocations", "FunctionName", "b", "Resource", "b:live")
    assert (second.label, second.stat, third.stat) == ("all", "Sum", "Average")


def test_a_line_says_otherwise_than_its_widget() -> None:
    plain, own, expression = lines(
        ["N", "a"],
        ["N", "b", {"region": "us-west-2", "color": "#123456", "id": "b", "visible": False}],
        [{"expression": "100 * b", "id": "share"}],
        region="eu-west-1",
        stat="p99",
    )

    assert (plain.id, plain.region, plain.stat, plain.visible) == (
        *("line0", "eu-west-1", "p99", True),
    )
    assert (own.id, own.region, own.color, own.visible) == ("b", "us-west-2", "#123456", False)
    assert (expression.metric, expression.expression) == ((), "100 * b")


@pytest.mark.parametrize(
    ("kind", "properties", "what"),
    [
        ("log", {"query": "SOURCE 'x'", "region": "us-east-1"}, "log"),
        ("alarm", {"alarms": ["arn"]}, "alarm"),
        ("text", {"markdown": "x", "background": "transparent"}, "text with background"),
        ("metric", {"view": "singleValue"}, 'metric, view "singleValue"'),
        ("metric", {"stacked": True}, "metric, stacked true"),
        ("metric", {"yAxis": {"left": {"min": 0}}}, "metric with yAxis"),
        ("metric", {"metrics": [["N", "a", {"yAxis": "right"}]]}, "metrics with yAxis"),
        ("metric", {"annotations": {"vertical": []}}, "annotations with vertical"),
        (
            *("metric", {"annotations": {"horizontal": [{"value": 1, "fill": "above"}]}}),
            "an annotation with fill",
        ),
        (
            *("metric", {"annotations": {"horizontal": [[{"value": 1}, {"value": 2}]]}}),
            "a band between two annotations",
        ),
    ],
)
def test_what_is_not_drawn_is_named(kind: str, properties: dict[str, Any], what: str) -> None:
    required = {"region": "us-east-1", "metrics": [METRIC]} if kind == "metric" else {}
    widget = read(kind, {**required, **properties})

    assert widget.content == NotDrawn("", what)


def test_one_widget_that_is_not_drawn_leaves_the_others() -> None:
    entries = [
        {"type": "explorer", "properties": {"title": "Hosts"}},
        {"type": "text", "properties": {"markdown": "a"}},
    ]
    first, second = body.read(json.dumps({"widgets": entries}))

    assert (first.content, second.content) == (NotDrawn("Hosts", "explorer"), Text("a"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"widgets": [{"type": "text"}]}'),
        '{"widgets": [{"type": "metric", "properties": {"metrics": [["N", "a"]]}}]}',
        '{"widgets": [{"type": "metric", "properties": {"region": "r", "metrics": [[]]}}]}',
    ],
)
def test_a_body_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BodyError, match="not what CloudWatch documents"):
        body.read(text)
