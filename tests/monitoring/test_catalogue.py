"""What is found wrong with a metric's name, on made-up alarms and dashboards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from costs.arithmetic import read
from tests.monitoring import catalogue
from tests.monitoring.named import Named, by_alarm, by_dashboard

if TYPE_CHECKING:
    from collections.abc import Sequence

KNOWN = catalogue.read("landing-local")
GATEWAY = ["AWS/ApiGateway", "Latency", "ApiName", "landing-local-api", "Stage", "live"]


def alarm(namespace: str, name: str, period: int = 60, **dimensions: str) -> dict[str, Any]:
    return {
        "AlarmName": "some",
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Average",
        "Period": period,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }


def found(document: dict[str, Any], region: str = "us-east-1") -> list[str]:
    named = by_alarm(document, region)
    return [complaint for one in named for complaint in catalogue.complaints(one, KNOWN)]


def dashboard(*metrics: Sequence[object], **properties: object) -> str:
    widget = {"type": "metric", "properties": {"title": "t", "metrics": metrics, **properties}}
    return json.dumps({"widgets": [widget]})


@pytest.mark.parametrize(
    "document",
    [
        alarm("AWS/ApiGateway", "5XXError", ApiName="a", Stage="live"),
        alarm("AWS/DynamoDB", "ReplicationLatency", 300, TableName="t", ReceivingRegion="r"),
        alarm("AWS/CloudFront", "5xxErrorRate", DistributionId="E", Region="Global"),
        alarm("landing-local", "ItemCreated", service="items", region="us-east-1"),
        alarm("landing-local", "ServerErrors", service="items", region="us-east-1", version="7"),
        alarm("AWS/Lambda", "Duration", FunctionName="f", Resource="f:live", ExecutedVersion="7"),
    ],
    ids=lambda document: document["MetricName"],
)
def test_a_metric_that_aws_publishes_is_all_right(document: dict[str, Any]) -> None:
    assert found(document) == []


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (alarm("AWS/ApiGateway", "5xx", ApiName="a", Stage="live"), "no metric"),
        (alarm("application", "ItemCreated", service="items", region="r"), "no metric"),
        (alarm("AWS/ApiGateway", "5XXError", Stage="live"), "not published by Stage"),
        (alarm("AWS/Lambda", "Errors"), "not published by no dimension"),
        (
            alarm(
                "AWS/Lambda", "Throttles", FunctionName="f", Resource="f:live", ExecutedVersion="7"
            ),
            "not published by ExecutedVersion",
        ),
        (alarm("landing-local", "ServerErrors", service="items", region="r"), "not published by"),
        (alarm("AWS/DynamoDB", "SystemErrors", TableName="t"), "not published by TableName"),
        (
            alarm("AWS/DynamoDB", "ReplicationLatency", TableName="t", ReceivingRegion="r"),
            "comes every 300 s",
        ),
        (alarm("AWS/CloudFront", "Requests", DistributionId="E", Region="Global"), "no Average"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_metric_that_would_stay_empty_is_named(document: dict[str, Any], complaint: str) -> None:
    (text,) = found(document)
    assert complaint in text
    assert "alarm some" in text


def test_a_global_services_metric_is_not_looked_for_elsewhere() -> None:
    document = alarm("AWS/Route53", "HealthCheckStatus", HealthCheckId="i")
    assert found(document, "us-east-1") == []
    assert "us-east-1 only" in found(document, "us-west-2")[0]


def test_every_metric_of_an_expression_is_looked_at() -> None:
    stat = {"Metric": {"Namespace": "AWS/Nothing", "MetricName": "N"}, "Period": 60, "Stat": "Sum"}
    queries = [
        {"Id": "watched", "Expression": "m + 1"},
        {"Id": "m", "MetricStat": stat, "ReturnData": False},
    ]
    document = {"AlarmName": "some", "Metrics": queries, "EvaluationPeriods": 1, "Threshold": 1.0}
    assert found({**document, "ComparisonOperator": "GreaterThanThreshold"}) == [
        "alarm some: AWS has no metric AWS/Nothing N"
    ]


def test_a_dashboards_metrics_are_read_with_its_shorthands_and_regions() -> None:
    body = dashboard(
        [*GATEWAY, {"stat": "p99"}],
        ["...", "test", {"region": "us-west-2"}],
        [{"expression": "1 + 1", "id": "e"}],
        region="eu-west-1",
        stat="Sum",
    )
    first, second = by_dashboard("page", body)
    api = ("ApiName", "landing-local-api")
    where = "dashboard page, 't'"
    assert first == Named(
        where, "eu-west-1", "AWS/ApiGateway", "Latency", (api, ("Stage", "live")), "p99"
    )
    assert second == Named(
        where, "us-west-2", "AWS/ApiGateway", "Latency", (api, ("Stage", "test")), "Sum"
    )


def test_a_dashboard_may_be_zoomed_in_further_than_data_comes() -> None:
    metric = ["AWS/DynamoDB", "ReplicationLatency", "TableName", "t", "ReceivingRegion", "r"]
    (named,) = by_dashboard("page", dashboard(metric, period=60, region="us-east-1"))
    assert list(catalogue.complaints(named, KNOWN)) == []


def test_every_namespace_names_the_page_that_it_was_taken_from() -> None:
    written = catalogue.written()
    assert [
        name for name, entry in written.items() if "docs.aws.amazon.com" not in entry["page"]
    ] == []


def test_the_estimate_counts_the_functions_own_metrics() -> None:
    counted = catalogue.written()[catalogue.APPLICATION]["metrics"].values()
    always = [metric for metric in counted if "version" not in str(metric.get("dimensions"))]
    assert len(always) == read().count("own_metrics")
