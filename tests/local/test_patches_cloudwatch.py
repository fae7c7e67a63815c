"""The patches of CloudWatch: what ministack by itself gets wrong, and what the emulator answers.

A `..._still_needs_...` test calls ministack as it comes. When one fails, ministack has learnt
it: take that patch away, and its tests.
"""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.session import get_session
from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local import process
from local.patches.cloudwatch import SAVED
from local.settings import Settings
from tests.local.math_alarm import DEFINITION, MATH, RATE
from tests.support.emulator import Emulator

ACCOUNT = "111122223333"


def call(name: str, data: dict[str, Any]) -> Any:
    """Call one of ministack's own operations, unpatched."""
    with request_scope(ACCOUNT, "us-east-1"):
        return json.loads(getattr(cloudwatch, name)({}, data, False, is_json=True)[2])


def query(form: str) -> str:
    with request_scope(ACCOUNT, "us-east-1"):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = asyncio.run(cloudwatch.handle_request("POST", "/", headers, form.encode(), {}))
    return str(answer[2].decode())


def test_ministack_still_needs_metric_math_in_alarms() -> None:
    call("_put_metric_alarm", {**DEFINITION, "Metrics": [*MATH, RATE]})

    (found,) = call("_describe_alarms", {"AlarmNames": ["errors"]})["MetricAlarms"]
    assert "Metrics" not in found
    assert found["Statistic"] == "Average"


def test_ministack_still_needs_expressions_in_metric_data() -> None:
    data = {"MetricDataQueries": [{"Id": "e1", "Expression": "m1 * 2"}]}

    (result,) = call("_get_metric_data", data)["MetricDataResults"]
    assert result["StatusCode"] == "InternalError"


def test_ministack_still_needs_alarms_by_the_clock() -> None:
    single = {**DEFINITION, "AlarmName": "single", "Namespace": "S", "MetricName": "E"}
    call("_put_metric_alarm", {**single, "Dimensions": [{"Name": "A", "Value": "1"}]})
    other = {"MetricName": "E", "Value": 5, "Dimensions": [{"Name": "A", "Value": "2"}]}
    call("_put_metric_data", {"Namespace": "S", "MetricData": [other]})

    (found,) = call("_describe_alarms", {"AlarmNames": ["single"]})["MetricAlarms"]
    assert found["StateValue"] == "ALARM", "evaluated at the write, on another metric's data"


def test_ministack_still_needs_the_query_protocol() -> None:
    call("_put_metric_alarm", {**DEFINITION, "AlarmName": "q", "AlarmDescription": "what to do"})

    assert "what to do" not in query("Action=DescribeAlarms&AlarmNames.member.1=q")


def test_ministack_still_needs_dashboards_that_are_global() -> None:
    call("_put_dashboard", {"DashboardName": "d", "DashboardBody": "{}"})

    with request_scope(ACCOUNT, "us-west-2"):
        assert "d" not in cloudwatch._dashboards


def test_ministack_still_needs_to_be_spared_the_eviction() -> None:
    call("_put_metric_data", {"Namespace": "T", "MetricData": [{"MetricName": "A", "Value": 1}]})
    with request_scope(ACCOUNT, "us-east-1"):
        before = cloudwatch._metrics["T", "A", ""]
        cloudwatch._evict_old_metrics()
        assert cloudwatch._metrics["T", "A", ""] is not before, "every list is copied"


def test_ministack_still_needs_to_be_saved_without_copies() -> None:
    state = cloudwatch.get_state()

    assert set(state) == {*SAVED, "metrics"}
    assert state["metrics"] is not cloudwatch._metrics


def test_metric_data_with_an_expression_comes_newest_first(emulator: Emulator) -> None:
    watch = emulator.client("cloudwatch")
    now = time.time()
    for ago, value in ((180, 1), (120, 2)):
        datum = {
            "MetricName": "m",
            "Value": value,
            "Timestamp": datetime.fromtimestamp(now - ago, UTC),
        }
        watch.put_metric_data(Namespace="Q", MetricData=[datum])
    stat = {"Metric": {"Namespace": "Q", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}
    queries: list[Any] = [
        {"Id": "m1", "MetricStat": stat, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 10", "Label": "tenfold"},
    ]
    window = {"StartTime": now - 600, "EndTime": now}

    (found,) = watch.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    assert (found["Id"], found["Label"], found["Values"]) == ("e1", "tenfold", [20.0, 10.0])
    assert found["Timestamps"] == sorted(found["Timestamps"], reverse=True)

    queries[1]["Expression"] = "m1 *"
    with pytest.raises(ClientError, match="Error in expression 'e1'") as refused:
        watch.get_metric_data(MetricDataQueries=queries, **window)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_period_of_metric_data_begins_with_the_start_time_and_not_with_the_clock_hour(
    emulator: Emulator,
) -> None:
    watch = emulator.client("cloudwatch")
    start = 960 + time.time() // 3600 * 3600 - 3 * 3600
    for second in (0, 1800, 3599):
        at = datetime.fromtimestamp(start + second, UTC)
        watch.put_metric_data(
            Namespace="H", MetricData=[{"MetricName": "m", "Value": 1, "Timestamp": at}]
        )
    stat = {"Metric": {"Namespace": "H", "MetricName": "m"}, "Period": 3600, "Stat": "Sum"}

    (found,) = watch.get_metric_data(
        MetricDataQueries=[{"Id": "m1", "MetricStat": stat}], StartTime=start, EndTime=start + 3600
    )["MetricDataResults"]

    assert found["Values"] == [3.0]


def test_an_alarm_whose_expression_is_wrong_is_refused(emulator: Emulator) -> None:
    wrong = {**RATE, "Expression": "errors // requests"}

    with pytest.raises(ClientError, match="Error in expression 'rate'"):
        emulator.client("cloudwatch").put_metric_alarm(**DEFINITION, Metrics=[*MATH, wrong])


def test_a_dashboard_is_seen_from_every_region(emulator: Emulator) -> None:
    emulator.client("cloudwatch", "us-west-2").put_dashboard(
        DashboardName="everywhere", DashboardBody='{"widgets": []}'
    )

    listed = emulator.client("cloudwatch").list_dashboards(DashboardNamePrefix="everywhere")
    assert [entry["DashboardName"] for entry in listed["DashboardEntries"]] == ["everywhere"]


def _operation(name: str) -> OperationModel:
    return get_session().get_service_model("cloudwatch").operation_model(name)


def by_query(emulator: Emulator, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """One call in the protocol that Terraform's provider speaks."""
    operation = _operation(action)
    request = create_serializer("query").serialize_to_request(arguments, operation)
    answer = emulator.signed(
        "monitoring",
        "/",
        urlencode(request["body"]).encode(),
        content_type="application/x-www-form-urlencoded",
    )
    response = {
        "body": answer.content,
        "headers": answer.headers,
        "status_code": answer.status_code,
    }
    shape: Any = operation.output_shape
    parsed: dict[str, Any] = create_parser("query").parse(response, shape)
    return parsed


def test_an_alarm_put_by_the_query_protocol_reads_back_whole(emulator: Emulator) -> None:
    definition = {
        **DEFINITION,
        "AlarmName": "by-query",
        "AlarmDescription": "users <see> errors & more",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:pages"],
        "InsufficientDataActions": ["arn:aws:sns:us-east-1:000000000000:pages"],
        "Metrics": [*MATH, RATE],
    }
    by_query(emulator, "PutMetricAlarm", definition)

    (found,) = by_query(emulator, "DescribeAlarms", {"AlarmNames": ["by-query"]})["MetricAlarms"]
    assert {name: found[name] for name in definition if name != "Metrics"} == {
        name: value for name, value in definition.items() if name != "Metrics"
    }
    assert [each["Id"] for each in found["Metrics"]] == ["errors", "requests", "rate"]
    assert found["Metrics"][0] == MATH[0]
    assert found["OKActions"] == []
    assert "Period" not in found
    assert isinstance(found["StateUpdatedTimestamp"], datetime)

    refused = by_query(emulator, "PutMetricAlarm", {**definition, "Metrics": MATH})
    assert refused["Error"]["Code"] == "ValidationError"


def test_a_percentile_alarm_reads_back_without_a_plain_statistic(emulator: Emulator) -> None:
    definition = {
        **DEFINITION,
        "AlarmName": "slow",
        "Namespace": "AWS/ApiGateway",
        "MetricName": "Latency",
        "Period": 60,
        "ExtendedStatistic": "p99",
    }
    watch = emulator.client("cloudwatch")
    watch.put_metric_alarm(**definition)

    (found,) = watch.describe_alarms(AlarmNames=["slow"])["MetricAlarms"]
    assert found["ExtendedStatistic"] == "p99"
    assert "Statistic" not in found


def test_alarms_and_dashboards_survive_a_restart(own_settings: Settings) -> None:
    process.start(own_settings)
    watch = Emulator(own_settings).client("cloudwatch")
    watch.put_metric_alarm(**DEFINITION, Metrics=[*MATH, RATE])
    watch.put_dashboard(DashboardName="kept", DashboardBody='{"widgets": []}')
    process.stop(own_settings)
    process.start(own_settings)

    (found,) = watch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert [each["Id"] for each in found["Metrics"]] == ["errors", "requests", "rate"]
    assert watch.get_dashboard(DashboardName="kept")["DashboardName"] == "kept"
