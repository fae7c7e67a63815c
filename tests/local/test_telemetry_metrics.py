"""Data points by minute and value, what a restart leaves of them, and those in log events."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, cloudwatch_logs, cognito, dynamodb, lambda_svc

from local import process
from local.observability.metrics import embedded_metrics
from local.observability.metrics.embedded_metrics import INVALID, NO_JSON
from local.observability.metrics.recorder import Recorder, Sample
from local.settings import Settings
from tests.local.math_alarm import DEFINITION
from tests.support.emulator import Emulator

SCOPE = ("111111111111", "eu-west-1")
DIMENSIONS = (("Api", "a"),)
KEY = ("N", "Latency", "Api=a")


class Clock:
    """A clock that a test moves."""

    now = 600.0

    def __call__(self) -> float:
        return self.now


def _stored() -> list[tuple[float, float, float]]:
    with request_scope(*SCOPE):
        points = cloudwatch._metrics.get(KEY, [])
        return [(each["Timestamp"], each["Value"], each["Count"]) for each in points]


@pytest.fixture
def clock() -> Any:
    yield Clock()
    cloudwatch._metrics.pop_scoped(*SCOPE, KEY, None)


def test_points_of_one_minute_and_value_are_stored_as_one(clock: Clock) -> None:
    recorder = Recorder(clock)
    for value in (5, 7, 5, 5):
        sample = Sample("Latency", value, "Milliseconds")
        recorder.put(SCOPE, "N", DIMENSIONS, [sample], clock.now)
        clock.now += 1

    recorder.flush()

    assert _stored() == [(600, 5, 3), (600, 7, 1)]


def test_a_minute_is_stored_once_it_is_over(clock: Clock) -> None:
    recorder = Recorder(clock)
    recorder.put(SCOPE, "N", DIMENSIONS, [Sample("Latency", 5, "Milliseconds")], 659.9)
    clock.now = 659.95
    recorder.flush_complete()
    assert _stored() == []

    clock.now = 660
    recorder.flush_complete()
    recorder.flush()
    assert _stored() == [(600, 5, 1)]


def test_a_restart_keeps_log_events_and_alarms_states_and_no_data_points(
    own_settings: Settings,
) -> None:
    rarely = replace(own_settings, alarm_interval=3600)
    process.start(rarely)
    emulator = Emulator(rarely)
    watch, logs = emulator.client("cloudwatch"), emulator.client("logs")
    watch.put_metric_data(Namespace="kept", MetricData=[{"MetricName": "m", "Value": 1}])
    watch.put_metric_alarm(**DEFINITION, Namespace="kept", MetricName="m", Period=60)
    watch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    logs.create_log_group(logGroupName="kept")
    logs.create_log_stream(logGroupName="kept", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "kept"}
    logs.put_log_events(logGroupName="kept", logStreamName="s", logEvents=[event])

    assert process.stop(rarely)
    process.start(rarely)

    (kept,) = logs.filter_log_events(logGroupName="kept")["events"]
    assert kept["message"] == "kept"
    (alarm,) = watch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert watch.list_metrics(Namespace="kept")["Metrics"] == []


def _document(**changed: Any) -> str:
    directive = {
        "Namespace": "app",
        "Dimensions": [["service"], ["service", "region"]],
        "Metrics": [{"Name": "Created", "Unit": "Count"}, {"Name": "Sizes"}],
        **changed.pop("directive", {}),
    }
    at = changed.pop("at", 5000)
    members = {"service": "api", "region": "here", "Created": 2, "Sizes": [1, 2.5], **changed}
    metadata = {"Timestamp": at, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, **members})


def test_each_dimension_set_gets_each_metric() -> None:
    found = embedded_metrics.read(_document(), 9.0)

    assert (found.at, found.error) == (5.0, None)
    samples = (
        Sample("Created", 2, "Count"),
        Sample("Sizes", 1, "None"),
        Sample("Sizes", 2.5, "None"),
    )
    assert [(each.namespace, each.dimensions, each.samples) for each in found.points] == [
        ("app", (("service", "api"),), samples),
        ("app", (("service", "api"), ("region", "here")), samples),
    ]


@pytest.mark.parametrize(
    "message",
    ["START RequestId: 1", '{"message": "hello"}', '"_aws"', '{"_aws": {"Timestamp": 1}}', ""],
)
def test_other_events_have_none(message: str) -> None:
    assert embedded_metrics.read(message, 0.0) == embedded_metrics.NOTHING


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ('{"_aws": ', NO_JSON),
        (_document(Created="two"), INVALID),
        (_document(Created=True), INVALID),
        (_document(service=3), INVALID),
        (_document(Sizes=[1] * 101), INVALID),
        (_document(directive={"Metrics": [{"Name": "Missing"}]}), INVALID),
        (_document(directive={"Metrics": [{"Name": "Created", "StorageResolution": 5}]}), INVALID),
        (_document(Created=10**400), INVALID),
        (_document(Sizes=[1, 2.0**361]), INVALID),
        (_document(Created=float("nan")), INVALID),
        (_document(directive={"Metrics": [{"Name": "Created", "Unit": ["Count"]}]}), INVALID),
        (_document(directive={"Metrics": [{"Name": "Created", "Unit": 3}]}), INVALID),
        (_document(directive={"Namespace": {"name": "app"}}), INVALID),
        (_document(directive={"Namespace": ["app"]}), INVALID),
        (_document(directive={"Namespace": 3}), INVALID),
        (
            _document(directive={"Metrics": [{"Name": "Created", "StorageResolution": 1e999}]}),
            INVALID,
        ),
        (_document(at=10**400), INVALID),
        (_document(at=float("nan")), INVALID),
        (_document(at=float("inf")), INVALID),
        ('{"_aws": {"Timestamp": 1, "CloudWatchMetrics": 1}}', INVALID),
    ],
)
def test_a_document_that_breaks_the_specification_is_an_error(message: str, error: str) -> None:
    found = embedded_metrics.read(message, 0.0)

    assert (found.error, found.points) == (error, ())


def test_ministack_still_measures_neither_tables_nor_logs_nor_sign_ins() -> None:
    table = {"TableName": "unmeasured", "Key": {"id": {"S": "1"}}}
    headers = {"x-amz-target": "AWSCognitoIdentityProviderService.SignUp"}
    sign_up = json.dumps({"ClientId": "none", "Username": "a", "Password": "b"}).encode()
    with request_scope(*SCOPE):
        dynamodb._create_table(
            {
                "TableName": "unmeasured",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            }
        )
        assert dynamodb._get_item(table)[0] == 200
        cloudwatch_logs._fanout_to_subscription_filters("unmeasured", "s", [{"message": "m"}])
        asyncio.run(cognito.handle_request("POST", "/", headers, sign_up, {}))

        assert not [name for name in cloudwatch._metrics if name[0].startswith("AWS/")]


def test_ministack_still_measures_functions_by_name_alone() -> None:
    with request_scope("222222222222", SCOPE[1]):
        lambda_svc._emit_lambda_metrics("f", 5.0, error=False, throttle=False)

        measured = {dimensions for _, _, dimensions in cloudwatch._metrics}
        assert measured == {"FunctionName=f"}, "and nothing of the alias that is called"
