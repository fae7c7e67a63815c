"""From a graph to CloudWatch's queries, and from its answers to what the page draws."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboards import series
from dashboards.body import Annotation, Graph, Line
from dashboards.series import PALETTE, Window

SHOWN = Window(600, 900, 60)


def line(name: str, **more: Any) -> Line:
    properties: dict[str, Any] = {
        "id": name,
        "label": None,
        "region": "us-east-1",
        "metric": ("N", name, "Stage", "live"),
        "expression": None,
        "stat": "Sum",
        "visible": True,
        "color": None,
    }
    return Line(**{**properties, **more})


def graph(*lines: Line) -> Graph:
    return Graph("Errors", 60, lines, (Annotation(5, "objective"),))


def result(name: str, points: dict[int, float], **more: Any) -> dict[str, Any]:
    return {
        "Id": name,
        "Label": name.upper(),
        "StatusCode": "Complete",
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in points],
        "Values": list(points.values()),
        **more,
    }


def drawn(one: Graph, *results: dict[str, Any]) -> dict[str, Any]:
    return series.document(one, SHOWN, results)


@pytest.mark.parametrize(
    ("span", "period", "now", "start", "end"),
    [
        (3600, 60, 7210.5, 3660, 7260),
        (3600, 60, 7200.0, 3660, 7260),
        (3600, 300, 7210.5, 3900, 7500),
        (3600, 86400, 90000.0, 86400, 172800),
    ],
)
def test_a_window_is_whole_periods_up_to_the_one_that_has_begun(
    span: int, period: int, now: float, start: int, end: int
) -> None:
    assert series.window(span, period, now) == Window(start, end, period)


def test_a_graph_asks_each_region_for_its_own_metrics_in_its_period() -> None:
    asked = series.queries(
        graph(
            line("bad", visible=False),
            line("share", metric=(), expression="100 * bad", label="share, %"),
            line("far", region="us-west-2", stat="p99"),
        )
    )

    metric = {
        "Namespace": "N",
        "MetricName": "bad",
        "Dimensions": [{"Name": "Stage", "Value": "live"}],
    }
    assert asked["us-east-1"] == [
        {
            "Id": "bad",
            "ReturnData": False,
            "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
        },
        {
            "Id": "share",
            "ReturnData": True,
            "Label": "share, %",
            "Expression": "100 * bad",
            "Period": 60,
        },
    ]
    (far,) = asked["us-west-2"]
    assert far["MetricStat"]["Stat"] == "p99"


def test_missing_data_is_a_gap() -> None:
    document = drawn(graph(line("a")), result("a", {600: 1, 720: 2.5, 840: 0}))

    assert document["times"] == [600, 660, 720, 780, 840]
    assert document["series"][0]["values"] == (1, None, 2.5, None, 0)
    assert document["annotations"] == [{"value": 5, "label": "objective"}]


def test_what_json_has_no_number_for_is_a_gap() -> None:
    document = drawn(graph(line("a")), result("a", {600: math.inf, 660: math.nan, 720: 1}))

    assert json.loads(json.dumps(document, allow_nan=False))["series"][0]["values"] == [
        *(None, None, 1, None, None),
    ]


def test_an_answer_on_several_pages_is_one_line() -> None:
    """GetMetricData, NextToken: a result with PartialData goes on with the next page."""
    first = result("a", {600: 1, 660: 2}, StatusCode="PartialData")
    document = drawn(graph(line("a")), first, result("a", {720: 3}))

    (one,) = document["series"]
    assert one["values"] == (1, 2, 3, None, None)


def test_lines_come_in_the_order_of_the_body_and_hidden_ones_not_at_all() -> None:
    one = graph(line("a", visible=False), line("b"), line("c", label="never there"))
    document = drawn(one, result("b", {600: 1}))

    assert [each["label"] for each in document["series"]] == ["B", "never there"]


def test_a_color_is_one_or_the_next_of_the_palette() -> None:
    lines = [line("a"), line("b", color="#123456"), line("c", color="url(//example.com)")]
    document = drawn(graph(*lines))

    assert [each["color"] for each in document["series"]] == [PALETTE[0], "#123456", PALETTE[2]]


def test_what_cloudwatch_could_not_compute_is_shown_with_its_reason() -> None:
    messages = [{"Code": "ArithmeticError", "Value": "Division by zero"}]
    failed = result("a", {}, StatusCode="InternalError", Messages=messages)

    assert series.problems([failed, result("b", {})]) == ["A: Division by zero"]


def test_a_release_is_a_line_across_the_graph_and_no_series() -> None:
    release = line("r", metric=("landing-dev", "Release", "region", "us-east-1"))
    another = line("other", metric=("AWS/Own", "Release", "region", "us-east-1"))
    one = graph(line("a"), release, another)
    document = drawn(
        one, result("a", {600: 1}), result("r", {660: 1, 720: 0, 840: 2}), result("other", {600: 1})
    )

    assert document["releases"] == [660, 840]
    assert [each["label"] for each in document["series"]] == ["A", "OTHER"]


def test_without_releases_there_is_no_line() -> None:
    release = line("r", metric=("landing-dev", "Release", "region", "us-east-1"))
    assert drawn(graph(line("a"), release), result("a", {600: 1}))["releases"] == []
