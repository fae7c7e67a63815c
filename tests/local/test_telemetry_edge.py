"""What the edge leaves of each request, and a table that fails leaves of each."""

import json
import time
from collections.abc import Iterator

import pytest

from local.observability.logs.access_logs import DEFAULT_FIELDS
from tests.local.global_layer import API, GlobalLayer
from tests.local.measured import Measured
from tests.support.emulator import REGIONS, TABLE

GROUP = "/measured/edge"
REGION = REGIONS[0]


@pytest.fixture(scope="module")
def edge(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The distribution with additional metrics and a delivered access log."""
    emulator = layer.emulator
    arn = f"arn:aws:cloudfront::000000000000:distribution/{layer.distribution}"
    emulator.client("cloudfront").create_monitoring_subscription(
        DistributionId=layer.distribution,
        MonitoringSubscription={
            "RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}
        },
    )
    logs = emulator.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.put_delivery_source(name="edge", resourceArn=arn, logType="ACCESS_LOGS")
    group = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
    destination = logs.put_delivery_destination(
        name="edge",
        outputFormat="json",
        deliveryDestinationConfiguration={"destinationResourceArn": group},
    )["deliveryDestination"]
    delivery = logs.create_delivery(
        deliverySourceName="edge", deliveryDestinationArn=destination["arn"]
    )["delivery"]
    yield layer
    logs.delete_delivery(id=delivery["id"])
    logs.delete_log_group(logGroupName=GROUP)
    emulator.client("cloudfront").delete_monitoring_subscription(DistributionId=layer.distribution)


@pytest.fixture
def asked(edge: GlobalLayer) -> Measured:
    """Questions to CloudWatch about the emulator."""
    return Measured(edge.emulator, "", "", "")


def _edge_metric(asked: Measured, edge: GlobalLayer, name: str, stat: str = "Sum") -> float:
    return asked.total(
        "AWS/CloudFront", name, stat, DistributionId=edge.distribution, Region="Global"
    )


def _line(asked: Measured, request_id: str) -> dict[str, str]:
    found = [json.loads(line) for line in asked.lines(GROUP)]
    (line,) = [line for line in found if line["x-edge-request-id"] == request_id]
    return dict(line)


def test_requests_are_counted_and_rates_are_percent(edge: GlobalLayer, asked: Measured) -> None:
    names = ("Requests", "4xxErrorRate", "5xxErrorRate", "TotalErrorRate", "404ErrorRate")
    before = {name: _edge_metric(asked, edge, name) for name in names}

    for status in (200, 404, 404, 500):
        edge.get(f"/counted?status={status}")

    after = {name: _edge_metric(asked, edge, name) for name in names}
    assert {name: after[name] - before[name] for name in names} == {
        "Requests": 4,
        "4xxErrorRate": 200,
        "5xxErrorRate": 100,
        "TotalErrorRate": 300,
        "404ErrorRate": 200,
    }
    assert _edge_metric(asked, edge, "TotalErrorRate", "Maximum") == 100


def test_bytes_go_down_with_a_get_and_up_with_a_post(edge: GlobalLayer, asked: Measured) -> None:
    names = ("BytesDownloaded", "BytesUploaded")
    before = {name: _edge_metric(asked, edge, name) for name in names}

    answer = edge.get("/bytes")
    down = _edge_metric(asked, edge, "BytesDownloaded") - before["BytesDownloaded"]
    assert down > len(answer.content)
    assert _edge_metric(asked, edge, "BytesUploaded") == before["BytesUploaded"]

    edge.get("/bytes", method="POST", data=b"x" * 5000)
    up = _edge_metric(asked, edge, "BytesUploaded") - before["BytesUploaded"]
    assert up > 5000


def test_the_origins_latency_is_that_of_the_region(edge: GlobalLayer, asked: Measured) -> None:
    before = _edge_metric(asked, edge, "OriginLatency")
    with edge.fault(REGION, "slow", milliseconds=400):
        edge.get("/slowed")

    assert 400 <= _edge_metric(asked, edge, "OriginLatency") - before < 10_000


def test_a_request_leaves_one_line_with_the_default_fields(
    edge: GlobalLayer, asked: Measured
) -> None:
    answer = edge.get("/logged/here?a=b", headers={"user-agent": 'quo"te d'})

    line = _line(asked, answer.headers["x-amz-cf-id"])
    assert tuple(line) == DEFAULT_FIELDS
    expected = {
        "cs-method": "GET",
        "cs-uri-stem": "/logged/here",
        "cs-uri-query": "a=b",
        "sc-status": "200",
        "x-host-header": API,
        "x-edge-result-type": "Miss",
        "cs(User-Agent)": "quo%22te%20d",
        "cs(Referer)": "-",
        "sc-content-len": str(len(answer.content)),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    assert {name: line[name] for name in expected} == expected
    assert 0 < float(line["time-taken"]) < 30


@pytest.mark.parametrize("status", [299, 520, 599])
def test_a_status_that_no_standard_names_is_passed_on_and_logged(
    edge: GlobalLayer, asked: Measured, status: int
) -> None:
    answer = edge.get(f"/odd?status={status}")

    assert answer.status_code == status
    line = _line(asked, answer.headers["x-amz-cf-id"])
    assert (line["sc-status"], int(line["sc-bytes"]) > len(answer.content)) == (str(status), True)


def test_a_region_that_is_gone_is_named_as_the_reason(edge: GlobalLayer, asked: Measured) -> None:
    before = _edge_metric(asked, edge, "502ErrorRate")
    with edge.fault(REGION, "refuse"):
        answer = edge.get("/lost")

    assert _edge_metric(asked, edge, "502ErrorRate") == before + 100
    line = _line(asked, answer.headers["x-amz-cf-id"])
    assert (line["sc-status"], line["x-edge-detailed-result-type"]) == ("502", "OriginConnectError")


def test_an_endpoint_that_fails_leaves_nothing_of_its_stage(
    edge: GlobalLayer, asked: Measured
) -> None:
    stage = {"ApiName": "things", "Stage": "live"}
    before = asked.total("AWS/ApiGateway", "Count", **stage)
    with edge.fault(REGION, "error"):
        assert edge.get("/failing").status_code == 503

    assert asked.total("AWS/ApiGateway", "Count", **stage) == before


def test_a_table_that_fails_has_system_errors(edge: GlobalLayer, asked: Measured) -> None:
    written = {"TableName": TABLE, "Operation": "PutItem"}
    before = asked.total("AWS/DynamoDB", "SystemErrors", **written)
    with edge.fault(REGION, "table"):
        edge.get("/write")

    assert asked.total("AWS/DynamoDB", "SystemErrors", **written) == before + 1
    assert not asked.points("AWS/DynamoDB", "SystemErrors", "Sum", of=REGIONS[1], **written)
