"""What is asked of CloudWatch, and how its answers are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from releases.judgement import Counts
from releases.metrics import Metrics, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
SINCE, NOW = 1_800_000_030.0, 1_800_000_130.0
FIRST, SECOND = 1_800_000_000.0, 1_800_000_060.0


@pytest.fixture
def stubbed(mocked: None) -> Iterator[tuple[Metrics, Stubber]]:
    del mocked
    client = boto3.session.Session().client("cloudwatch", region_name=REGION)
    with Stubber(client) as stubber:
        yield Metrics(client, "landing-dev", REGION), stubber


def query(name: str, namespace: str, metric: str, stat: str, **dimensions: str) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
            },
            "Period": 60,
            "Stat": stat,
        },
    }


def asked(**executed: str) -> dict[str, Any]:
    function = {"FunctionName": "landing-dev-api", "Resource": "landing-dev-api:live", **executed}
    own = {"region": REGION, "service": "items", "version": "7"}
    return {
        "MetricDataQueries": [
            query("calls", "AWS/Lambda", "Invocations", "Sum", **function),
            query("errors", "AWS/Lambda", "Errors", "Sum", **function),
            query("median", "AWS/Lambda", "Duration", "p50", **function),
            query("server", "landing-dev", "ServerErrors", "Sum", **own),
        ],
        "StartTime": datetime.fromtimestamp(FIRST, UTC),
        "EndTime": datetime.fromtimestamp(SECOND + 120, UTC),
    }


def result(name: str, points: dict[float, float]) -> dict[str, Any]:
    return {
        "Id": name,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in points],
        "Values": list(points.values()),
    }


ANSWER = {
    "MetricDataResults": [
        result("calls", {FIRST: 30, SECOND: 10}),
        result("errors", {FIRST: 2}),
        result("median", {FIRST: 20, SECOND: 40}),
        result("server", {SECOND: 3}),
    ]
}


def test_a_version_of_a_weighted_alias_is_counted_by_itself(
    stubbed: tuple[Metrics, Stubber],
) -> None:
    metrics, stubber = stubbed
    stubber.add_response("get_metric_data", ANSWER, asked(ExecutedVersion="7"))
    # The minutes' medians, each by its calls.
    assert metrics.seen("api", 7, SINCE, NOW) == Seen(Counts(40, 2, 3, 25.0), SECOND)


def test_an_alias_that_leads_to_one_version_is_counted_as_a_whole(
    stubbed: tuple[Metrics, Stubber],
) -> None:
    metrics, stubber = stubbed
    stubber.add_response("get_metric_data", ANSWER, asked())
    assert metrics.seen("api", 7, SINCE, NOW, alone=True).counts.calls == 40


def test_nothing_called_is_nothing_seen(stubbed: tuple[Metrics, Stubber]) -> None:
    metrics, stubber = stubbed
    nothing = {"MetricDataResults": [result(name, {}) for name in ("calls", "median")]}
    stubber.add_response("get_metric_data", nothing)
    assert metrics.seen("api", 7, SINCE, NOW) == Seen(Counts(), 0.0)


def test_an_answer_on_several_pages_is_one(stubbed: tuple[Metrics, Stubber]) -> None:
    metrics, stubber = stubbed
    first = {"MetricDataResults": [result("calls", {FIRST: 30})], "NextToken": "more"}
    stubber.add_response("get_metric_data", first)
    stubber.add_response("get_metric_data", {"MetricDataResults": [result("calls", {SECOND: 10})]})
    assert metrics.seen("api", 7, SINCE, NOW).counts.calls == 40


def test_only_alarms_on_the_error_budget_count(stubbed: tuple[Metrics, Stubber]) -> None:
    metrics, stubber = stubbed
    prefix = "landing-dev-us-east-1-"
    answer = {
        "MetricAlarms": [
            {"AlarmName": f"{prefix}{name}"}
            for name in (
                "availability-fast-short",
                "availability-fast-long",
                "latency-get-v1-items",
                "replication-lag",
            )
        ],
        "CompositeAlarms": [{"AlarmName": f"{prefix}serves-errors"}],
    }
    stubber.add_response(
        "describe_alarms",
        answer,
        {
            "AlarmNamePrefix": prefix,
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "StateValue": "ALARM",
        },
    )
    assert metrics.alarms() == {f"{prefix}availability-fast-short", f"{prefix}serves-errors"}


def test_a_release_is_one_data_point(stubbed: tuple[Metrics, Stubber]) -> None:
    metrics, stubber = stubbed
    point = {
        "MetricName": "Release",
        "Dimensions": [{"Name": "region", "Value": REGION}],
        "Value": 1,
        "Unit": "Count",
    }
    stubber.add_response("put_metric_data", {}, {"Namespace": "landing-dev", "MetricData": [point]})
    metrics.mark_release()
    stubber.assert_no_pending_responses()
