"""The pages of `make dashboard`: read from deployed bodies, drawn from what CloudWatch answers."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
import requests

from local import process
from local.dashboard import bodies, charts, markdown
from local.dashboard.bodies import AlarmList, BodyError, Graph, Row
from local.dashboard.charts import Window
from local.dashboard.client import Line
from local.dashboard.server import Server, open_server
from local.settings import LOOPBACK, REPOSITORY
from tests.local.bench import Bench

ARN = "arn:aws:cloudwatch:us-west-2:000000000000:alarm:"
DIMENSIONS = ("ApiName", "api", "Stage", "live")
BODY: dict[str, Any] = {
    "widgets": [
        {
            "type": "text",
            "x": 0,
            "y": 0,
            "width": 24,
            "height": 2,
            "properties": {"markdown": "# Served?\nSee [the runbook](docs/runbook.md)."},
        },
        {
            "type": "metric",
            "x": 0,
            "y": 2,
            "width": 12,
            "height": 6,
            "properties": {
                "title": "Availability",
                "region": "us-west-2",
                "period": 60,
                "stat": "Sum",
                "metrics": [
                    ["AWS/ApiGateway", "5XXError", *DIMENSIONS, {"id": "bad", "visible": False}],
                    [".", "Count", ".", ".", ".", ".", {"id": "all", "visible": False}],
                    [{"expression": "100 * (1 - bad / all)", "label": "west <live>", "id": "a"}],
                ],
                "annotations": {"horizontal": [{"label": "99.9", "value": 99.9, "fill": "below"}]},
                "yAxis": {"left": {"min": 90, "max": 100, "label": "%"}},
            },
        },
        {
            "type": "metric",
            "x": 12,
            "y": 2,
            "width": 6,
            "height": 3,
            "properties": {
                "title": "Requests",
                "view": "singleValue",
                "region": "us-west-2",
                "setPeriodToTimeRange": True,
                "metrics": [["AWS/ApiGateway", "Count", *DIMENSIONS, {"stat": "Sum"}]],
            },
        },
        {
            "type": "alarm",
            "x": 12,
            "y": 5,
            "width": 6,
            "height": 3,
            "properties": {"title": "Alarms", "alarms": [f"{ARN}page", f"{ARN}gone"]},
        },
        {
            "type": "log",
            "x": 18,
            "y": 2,
            "width": 6,
            "height": 6,
            "properties": {
                "title": "Slowest",
                "region": "us-west-2",
                "query": "SOURCE 'x' | limit 1",
            },
        },
        {
            "type": "metric",
            "x": 0,
            "y": 8,
            "width": 12,
            "height": 6,
            "properties": {
                "title": "Two axes",
                "stacked": True,
                "region": "us-west-2",
                "metrics": [["AWS/ApiGateway", "Nothing", "ApiName", "api"]],
            },
        },
        {
            "type": "metric",
            "x": 12,
            "y": 8,
            "width": 12,
            "height": 6,
            "properties": {
                "title": "Refused",
                "region": "us-west-2",
                "metrics": [[{"expression": "SEARCH('x', 'Sum', 60)", "id": "s"}]],
            },
        },
    ]
}


# -- bodies ----------------------------------------------------------------------------


def rows(*metrics: list[Any], **properties: Any) -> tuple[Row, ...]:
    body = {"widgets": [{"type": "metric", "properties": {"metrics": metrics, **properties}}]}
    (widget,) = bodies.read(json.dumps(body), "us-east-1")
    assert isinstance(widget.content, Graph)
    return widget.content.rows


def test_the_shorthands_of_a_body_are_written_out() -> None:
    first, second, third = rows(
        ["AWS/Lambda", "Errors", "FunctionName", "a", "Resource", "a:live"],
        [".", "Invocations", ".", ".", ".", "a:next", {"label": "all", "stat": "Sum"}],
        ["...", "b", "Resource", "b:live"],
    )

    assert first.metric == ("AWS/Lambda", "Errors", "FunctionName", "a", "Resource", "a:live")
    assert second.metric == (
        *("AWS/Lambda", "Invocations", "FunctionName", "a", "Resource", "a:next"),
    )
    assert third.metric == (
        *("AWS/Lambda", "Invocations", "FunctionName", "b", "Resource", "b:live"),
    )
    assert (second.label, second.stat, third.stat) == ("all", "Sum", "Average")


def test_a_line_says_otherwise_than_its_widget() -> None:
    plain, own = rows(
        ["N", "a"],
        ["N", "b", {"period": 10, "region": "us-west-2", "yAxis": "right", "color": "#fff"}],
        period=60,
        region="eu-west-1",
    )

    assert (plain.period, plain.region, plain.right_axis) == (60, "eu-west-1", False)
    assert (own.period, own.region, own.right_axis, own.color) == (10, "us-west-2", True, "#fff")


def test_every_region_that_a_body_names_is_known() -> None:
    widgets = bodies.read(json.dumps(BODY), "us-east-1")

    assert bodies.regions(widgets) == {"us-west-2"}
    assert [w.content.alarms for w in widgets if isinstance(w.content, AlarmList)] == [
        (f"{ARN}page", f"{ARN}gone")
    ]


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"widgets": [{"type": "text"}]}', '{"widgets": [{"type": "x", "properties": {}}]}'],
)
def test_a_body_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(BodyError):
        bodies.read(body, "us-east-1")


# -- pictures --------------------------------------------------------------------------


def drawn(*values: float, view: Graph | None = None, **more: Any) -> str:
    graph = view or Graph("", "timeSeries", False, False, (), (), bodies.Axis(), bodies.Axis())
    (row,) = rows(["N", "m"], period=60)
    start = 1_000_000_020
    times = tuple(float(start + 60 * at) for at in range(len(values)))
    line = Line(replace(row, **more), "m", times, values)
    end = datetime.fromtimestamp(start + 3600, UTC)
    return charts.draw(
        graph, [line], Window(datetime.fromtimestamp(start, UTC), end, width=600, height=200)
    )


def test_a_picture_is_one_svg_element_in_the_color_that_the_body_says() -> None:
    picture = drawn(1, 2, 3, color="#123456")

    # Made by matplotlib.
    assert fromstring(picture).tag.endswith("svg")  # noqa: S314
    assert "#123456" in picture
    assert "<?xml" not in picture


def test_a_line_breaks_where_data_is_missing() -> None:
    (row,) = rows(["N", "m"], period=60)
    line = Line(row, "m", (0.0, 60.0, 300.0), (1.0, 2.0, 3.0))

    times, values = charts._with_gaps(line)

    assert times == [0, 60, 120, 300]
    assert [math.isnan(value) for value in values] == [False, False, True, False]


@pytest.mark.parametrize("values", [(), (0.0,), (5.0, 5.0), (1e-9, 1e12)])
def test_any_data_can_be_drawn(values: tuple[float, ...]) -> None:
    assert drawn(*values)
    assert drawn(*values, right_axis=True)
    stacked = Graph("", "timeSeries", True, False, (), (), bodies.Axis(), bodies.Axis())
    assert drawn(*values, view=stacked)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0345, "0.0345"),
        (99.953, "99.95"),
        (1200, "1.2k"),
        (-2.5e6, "-2.5M"),
        (1e-5, "1.0e-05"),
    ],
)
def test_a_number_is_short(value: float, text: str) -> None:
    assert charts.number(value) == text


# -- text ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## What", "<h3>What</h3>"),
        ("[x](https://e.org/a?b=1)", '<p><a href="https://e.org/a?b=1" rel="noreferrer">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("a <script> b", "<p>a &lt;script&gt; b</p>"),
    ],
)
def test_markdown_becomes_html_in_which_nothing_runs(text: str, html: str) -> None:
    assert markdown.render(text).strip() == html


def test_a_table_of_a_text_widget_is_a_table() -> None:
    assert "<td>1</td>" in markdown.render("| a | b |\n|---|---|\n| 1 | 2 |")


# -- the pages, on the running bench ---------------------------------------------------


@pytest.fixture(scope="module")
def pages(bench: Bench) -> Iterator[Server]:
    """The pages, over a bench with a dashboard, its metrics and two alarms."""
    _deploy(bench)
    with open_server(replace(bench.settings, dashboard_port=0)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _deploy(bench: Bench) -> None:
    watch = bench.client("cloudwatch", "us-west-2")
    dimensions = [{"Name": "ApiName", "Value": "api"}, {"Name": "Stage", "Value": "live"}]
    for minute in range(2, 20):
        at = datetime.fromtimestamp(time.time() - 60 * minute, UTC)
        watch.put_metric_data(
            Namespace="AWS/ApiGateway",
            MetricData=[
                {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value}
                for name, value in (("Count", 100), ("5XXError", 5))
            ],
        )
    plain = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}
    watch.put_metric_alarm(
        AlarmName="cause", Namespace="N", MetricName="m", Period=60, Statistic="Sum", **plain
    )
    watch.put_metric_alarm(
        AlarmName="zealous",
        Namespace="N",
        MetricName="none",
        Period=60,
        Statistic="Sum",
        TreatMissingData="breaching",
        **plain,
    )
    watch.put_composite_alarm(
        AlarmName="page",
        AlarmDescription="Users <see> errors.",
        AlarmRule="NOT ALARM(cause)",
        AlarmActions=["arn:aws:sns:us-west-2:000000000000:pages"],
    )
    watch.put_dashboard(DashboardName="west", DashboardBody=json.dumps(BODY))


def get(server: Server, path: str, **headers: str) -> requests.Response:
    return requests.get(
        f"http://{LOOPBACK}:{server.server_port}{path}", headers=headers, timeout=30
    )


def test_a_page_places_every_widget_of_the_deployed_body(pages: Server) -> None:
    page = get(pages, "/dashboards/west?range=3h")

    assert page.status_code == 200
    places = re.findall(r"grid-area: ([^\"]+)\"", page.text)
    assert places[:2] == ["1 / 1 / span 2 / span 24", "3 / 1 / span 6 / span 12"]
    assert len(places) == len(BODY["widgets"])
    assert "/dashboards/west/6?range=3h" in page.text


@pytest.mark.parametrize(
    ("widget", "shown"),
    [
        (0, ["<h3>Served?</h3>", '<a href="docs/runbook.md"']),
        (1, ["<svg", "west &lt;live&gt;", "<b>95</b>"]),
        (2, ["<dd>1.8k</dd>", "Count"]),
        (3, ['class="state ALARM"', "page", "there is no such alarm"]),
        (4, ["SOURCE &#39;x&#39; | limit 1", "not run here"]),
        (5, ["<svg", "No data in this range"]),
        (6, ["problem", "SEARCH is not supported"]),
    ],
)
def test_each_widget_shows_what_cloudwatch_answers(
    pages: Server, widget: int, shown: list[str]
) -> None:
    part = get(pages, f"/dashboards/west/{widget}?range=1h")

    assert part.status_code == 200
    assert [text for text in shown if text not in part.text] == []
    assert "<script" not in part.text


def test_the_alarms_that_call_somebody_come_first_and_the_worst_of_each_kind(
    pages: Server, bench: Bench
) -> None:
    bench.client("cloudwatch", "us-west-2").set_alarm_state(
        AlarmName="zealous", StateValue="ALARM", StateReason="as a test"
    )
    text = get(pages, "/alarms").text

    assert text.index("Somebody is called") < text.index("<b>page</b>")
    assert text.index("<b>page</b>") < text.index("For information")
    assert text.index("For information") < text.index("<b>zealous</b>") < text.index("<b>cause</b>")
    assert "Users &lt;see&gt; errors." in text
    assert "Latest changes" in get(pages, "/alarms").text
    assert 'href="/dashboards/west?range=1h"' in get(pages, "/").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/dashboards/none", 404), ("/dashboards/west/99", 404), ("/x", 404), ("/page.css", 200)],
)
def test_there_is_nothing_else(pages: Server, path: str, status: int) -> None:
    assert get(pages, path).status_code == status


def test_no_other_site_can_read_a_page(pages: Server) -> None:
    rebound = get(pages, "/alarms", Host=f"evil.example:{pages.server_port}")
    other = get(pages, "/alarms", Origin="https://evil.example")

    assert rebound.status_code == 403
    assert "page" not in rebound.text.removeprefix("Open this page")
    assert "Access-Control-Allow-Origin" not in other.headers
    assert other.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]
    assert pages.server_address[0] == LOOPBACK


def test_without_the_embedded_aws_a_page_says_what_to_do(bench: Bench) -> None:
    with socket.socket() as nobody:
        nobody.bind((LOOPBACK, 0))
        nowhere = replace(bench.settings, dashboard_port=0, aws_port=nobody.getsockname()[1])
        with open_server(nowhere) as server:
            Thread(target=server.handle_request).start()
            answer = get(server, "/")

    assert answer.status_code == 502
    assert "make start" in answer.text


def test_a_port_in_use_is_named_with_its_holder(pages: Server, bench: Bench) -> None:
    taken = replace(bench.settings, dashboard_port=pages.server_port)

    with pytest.raises(process.ProcessError, match="LOCAL_DASHBOARD_PORT") as refused:
        open_server(taken)
    assert f"process {os.getpid()}" in str(refused.value)


def test_the_command_says_where_it_is_and_ends_by_ctrl_c(bench: Bench) -> None:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "toolchain", "local", "dashboard"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "LOCAL_DASHBOARD_PORT": str(port),
            "LOCAL_AWS_PORT": str(bench.settings.aws_port),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    assert f"http://{LOOPBACK}:{port}/" in running.stdout.readline()

    # As a terminal does: to make, the toolchain and the server alike.
    os.killpg(running.pid, signal.SIGINT)
    told, complaints = running.communicate(timeout=15)
    assert (running.returncode, told.strip(), complaints) == (0, "", "")
