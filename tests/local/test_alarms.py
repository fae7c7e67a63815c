"""When an alarm goes off: the rules, by AWS's own tables, and one on the running emulator."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local import process
from local.observability.alarms import evaluation as alarms
from local.observability.alarms.evaluation import Alarm, Verdict, evaluate, read
from local.observability.alarms.runner import Runner
from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import MetricStat, Query, QueryError
from local.observability.metrics.store import Store
from local.patches.cloudwatch import evictor
from local.settings import Settings
from tests.local.math_alarm import DEFINITION, MATH, RATE
from tests.support.emulator import Emulator, eventually

ACCOUNT = "111122223333"
NOW = 1_000_000_000
RETAIN = "retain"
GOOD, BAD = 0.0, 9.0


def alarm(**more: Any) -> Alarm:
    document = {
        "Namespace": "N",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }
    return read(document)


def points(pattern: str, period: int = 60) -> Callable[[MetricStat, Grid], Series]:
    """`0 - X`: oldest first, 0 is within the threshold, X is not, - is missing."""

    def fetch(_metric: MetricStat, grid: Grid) -> Series:
        newest_first = zip(reversed(grid.times), reversed(pattern.split()), strict=False)
        return {at: BAD if mark == "X" else GOOD for at, mark in newest_first if mark != "-"}

    return fetch


def states(pattern: str, **more: Any) -> list[str]:
    """The state for each way to treat missing data; `retain` where it follows the present one."""
    found = []
    for treatment in alarms.TREATMENTS:
        watched = alarm(TreatMissingData=treatment, **more)
        following = {
            evaluate(watched, points(pattern), NOW, state).state
            for state in ("OK", "ALARM", "INSUFFICIENT_DATA")
        }
        found.append(following.pop() if len(following) == 1 else RETAIN)
    return found


# Both tables of AmazonCloudWatch/latest/monitoring/alarms-and-missing-data; the columns are
# missing, ignore, breaching, notBreaching.
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("0 - X - X", "OK OK OK OK"),
        ("0 - - - -", "OK OK OK OK"),
        ("- - - - -", "INSUFFICIENT_DATA retain ALARM OK"),
        ("0 X X - X", "ALARM ALARM ALARM ALARM"),
        ("- - X - -", "ALARM retain ALARM OK"),
        # Not of the tables: what is older than they look at plays no part.
        ("X - - - - -", "INSUFFICIENT_DATA retain ALARM OK"),
    ],
)
def test_three_out_of_three_with_missing_data(pattern: str, expected: str) -> None:
    assert states(pattern) == expected.split()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("0 - X - X", "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", "OK OK ALARM OK"),
        ("- - - - 0", "OK OK ALARM OK"),
        ("- - - X -", "ALARM retain ALARM OK"),
    ],
)
def test_two_out_of_three_with_missing_data(pattern: str, expected: str) -> None:
    assert states(pattern, DatapointsToAlarm=2) == expected.split()


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("GreaterThanThreshold", "OK", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "OK", "ALARM", "ALARM"),
        ("LessThanThreshold", "ALARM", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
    ],
)
def test_each_comparison(operator: str, below: str, at: str, above: str) -> None:
    watched = alarm(ComparisonOperator=operator, EvaluationPeriods=1)

    def state(value: float) -> str:
        return evaluate(watched, lambda _m, grid: {grid.times[-1]: value}, NOW, "OK").state

    assert (state(4.9), state(5), state(5.1)) == (below, at, above)


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        ("GreaterThanThreshold", "greater than"),
        ("GreaterThanOrEqualToThreshold", "greater than or equal to"),
        ("LessThanThreshold", "less than"),
        ("LessThanOrEqualToThreshold", "less than or equal to"),
    ],
)
def test_each_comparison_in_words(operator: str, words: str) -> None:
    watched = alarm(ComparisonOperator=operator, EvaluationPeriods=1)
    reason = evaluate(watched, lambda _m, grid: {grid.times[-1]: 7}, NOW, "OK").reason
    assert f"] was {'not ' if 'less' in words else ''}{words} the threshold (5)." in reason


def test_older_breaches_do_not_count_when_the_last_periods_are_complete() -> None:
    assert states("X X 0 X X") == ["OK"] * 4


def test_an_alarm_on_dynamodb_ignores_missing_data_whatever_it_says() -> None:
    assert states("- - - - -", Namespace="AWS/DynamoDB") == [RETAIN] * 4


@pytest.mark.parametrize(
    ("period", "now", "end"),
    [
        (3600, NOW + 65, NOW + 65 - (NOW + 65) % 60),
        (300, NOW + 7, NOW + 7 - (NOW + 7) % 60),
        (60, NOW + 27, NOW + 27 - (NOW + 27) % 60),
    ],
)
def test_the_window_slides_with_the_minute_whatever_the_period(
    period: int, now: int, end: int
) -> None:
    asked: list[Grid] = []

    def fetch(_metric: MetricStat, grid: Grid) -> Series:
        asked.append(grid)
        return {}

    evaluate(alarm(Period=period, EvaluationPeriods=1), fetch, now, "OK")

    assert asked[0].times[-1] == end - period
    assert asked[0].times[-2] == end - 2 * period


@pytest.mark.parametrize(
    ("pattern", "missing", "reason"),
    [
        ("- - -", "missing", "Insufficient Data: 3 datapoints were unknown."),
        ("- - -", "ignore", "Insufficient Data: 3 datapoints were unknown."),
        (
            "- - -",
            "breaching",
            "Threshold Crossed: no datapoints were received for 3 periods and missing datapoints "
            "were treated as [breaching].",
        ),
        (
            "0 0 0",
            "missing",
            "Threshold Crossed: 3 out of the last 3 datapoints [0 (09/09/01 01:45:00), "
            "0 (09/09/01 01:44:00), 0 (09/09/01 01:43:00)] was not greater than the threshold (5).",
        ),
        (
            "X -",
            "notBreaching",
            "Threshold Crossed: 1 out of the last 3 datapoints [9 (09/09/01 01:44:00)] was greater "
            "than the threshold (5). 2 datapoints were unknown, treated as [notBreaching].",
        ),
    ],
)
def test_the_reason_is_worded_as_awss(pattern: str, missing: str, reason: str) -> None:
    verdict = evaluate(alarm(TreatMissingData=missing), points(pattern), NOW, "OK")
    assert verdict.reason == reason


def test_the_data_points_are_listed_from_the_oldest() -> None:
    verdict = evaluate(alarm(), points("0 0 X"), NOW, "OK")
    assert verdict.recent == (GOOD, GOOD, BAD)


def test_an_alarm_is_read_with_awss_defaults() -> None:
    """PutMetricAlarm."""
    watched = read({"Namespace": "N", "MetricName": "m", "ComparisonOperator": "LessThanThreshold"})
    stat = MetricStat("N", "m", (), "Average", 60)
    assert watched == Alarm(
        queries=(Query("m1", "m", stat, None, returned=True),),
        watched="m1",
        period=60,
        periods=1,
        needed=1,
        comparison="LessThanThreshold",
        threshold=0.0,
        missing="missing",
    )
    assert alarm().needed == 3


def test_an_extended_statistic_comes_before_a_plain_one() -> None:
    (query,) = alarm(ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="evaluate").queries
    assert query.metric is not None
    assert query.metric.statistic == "p99"


def alarm_in(region: str, name: str, **more: object) -> dict[str, Any]:
    document = {
        **DEFINITION,
        "AlarmName": name,
        "Namespace": "M",
        "MetricName": name,
        "Period": 60,
        "StateValue": "INSUFFICIENT_DATA",
        **more,
    }
    with request_scope(ACCOUNT, region):
        cloudwatch._alarms[name] = document
    return document


@pytest.fixture
def no_alarms() -> Iterator[None]:
    """No alarm and no metric but the test's own."""
    cloudwatch.reset()
    yield
    cloudwatch.reset()


@pytest.mark.usefixtures("no_alarms")
def test_a_round_moves_each_alarm_in_its_own_region_and_keeps_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    east = alarm_in("us-east-1", "errors")
    west = alarm_in("us-west-2", "errors")
    put("errors", (NOW - 61, 0.5))
    settled: list[int] = []
    runner = Runner(10, Store(lambda: settled.append(1)), clock=lambda: NOW + 0.5)

    with caplog.at_level("INFO", "local.alarms"):
        assert runner.round() == 2

    assert settled == [1]
    assert (east["StateValue"], west["StateValue"]) == ("ALARM", "OK")
    assert east["StateUpdatedTimestamp"] == east["StateTransitionedTimestamp"] == NOW
    assert json.loads(east["StateReasonData"]) == {
        "version": "1.0",
        "queryDate": "2001-09-09T01:46:40.000+0000",
        "recentDatapoints": [0.5],
        "threshold": 0.1,
    }
    assert east["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [0.5")
    assert "alarm errors: INSUFFICIENT_DATA → ALARM: Threshold" in caplog.messages[0]
    assert runner.round() == 0


@pytest.mark.usefixtures("no_alarms")
def test_an_alarm_that_cannot_be_evaluated_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alarm_in("us-east-1", "a", ComparisonOperator="GreaterThanUpperThreshold")
    after = alarm_in("us-east-1", "b")

    assert Runner(10, Store(), clock=lambda: float(NOW)).round() == 1

    assert after["StateValue"] == "OK"
    assert "alarm a can't be evaluated: The comparison operator" in caplog.messages[0]


@pytest.mark.usefixtures("no_alarms")
def test_an_alarm_that_is_deleted_or_set_anew_meanwhile_is_left_alone() -> None:
    alarm_in("us-east-1", "a")
    before = alarm_in("us-east-1", "b")
    deleted = alarm_in("us-east-1", "c")
    steps = Runner(10, Store(), clock=lambda: float(NOW))._steps()

    assert next(steps) is True
    alarm_in("us-east-1", "b")
    with request_scope(ACCOUNT, "us-east-1"):
        del cloudwatch._alarms["c"]

    assert list(steps) == []
    assert before["StateValue"] == deleted["StateValue"] == "INSUFFICIENT_DATA"


@pytest.mark.usefixtures("no_alarms")
def test_rounds_go_on_after_one_that_failed_and_tell_of_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alarm_in("us-east-1", "a")
    failures = iter([RuntimeError("a bug")])

    def settle() -> None:
        if failure := next(failures, None):
            raise failure

    async def story() -> None:
        changed = asyncio.Event()
        work = asyncio.create_task(
            Runner(0, Store(settle), clock=lambda: float(NOW)).run(changed.set)
        )
        await asyncio.wait_for(changed.wait(), 30)
        work.cancel()

    asyncio.run(story())
    assert "a round of alarms failed" in caplog.messages


def test_the_reason_names_the_data_points() -> None:
    verdict = evaluate(alarm(DatapointsToAlarm=2), points("X X"), NOW, "OK")

    assert verdict.reason.startswith("Threshold Crossed: 2 out of the last 3 datapoints [9 (")
    assert "was greater than the threshold (5)" in verdict.reason
    assert verdict == Verdict("ALARM", verdict.reason, (9.0, 9.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "not emulated"),
        ({"DatapointsToAlarm": 4}, "must not be more"),
        ({"TreatMissingData": "panic"}, "must be one of"),
        ({"Metrics": MATH}, "should return data"),
        ({"Metrics": [*MATH, {**RATE, "Expression": "errors /"}]}, "Error in expression 'rate'"),
        ({"Statistic": "p101"}, "statistic"),
        ({"Period": 45}, "Period 45"),
        ({"Period": 10}, "high resolution is not emulated"),
        ({"ExtendedStatistic": "TM(1%:99%)"}, "is not emulated"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "is not emulated"),
    ],
)
def test_an_alarm_that_aws_refuses_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        alarm(**change)


def test_an_alarm_watches_the_one_query_that_returns_data() -> None:
    assert alarm(Metrics=[*MATH, RATE]).watched == RATE["Id"]
    with pytest.raises(QueryError, match="Exactly one"):
        alarm(Metrics=[*MATH, RATE, {**RATE, "Id": "again"}])


def put(name: str, *points: tuple[float, float]) -> list[Any]:
    stored: list[Any] = [
        {"Timestamp": at, "Value": value, "Unit": "None", "Dimensions": {}} for at, value in points
    ]
    with request_scope(ACCOUNT, "us-east-1"):
        cloudwatch._metrics["M", name, ""] = stored
    return stored


def fetched(store: Store, name: str, statistic: str, period: int = 60) -> list[float]:
    grid = Grid(tuple(range(NOW - NOW % 60, NOW - NOW % 60 + 120, period)), period)
    with request_scope(ACCOUNT, "us-east-1"):
        return list(store.fetch(MetricStat("M", name, (), statistic, period), grid).values())


def test_a_round_of_sixty_alarms_reads_only_the_points_that_came_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = put("E", *[(NOW - second, 1.0) for second in range(3600)])
    with request_scope(ACCOUNT, "us-east-1"):
        for number in range(60):
            name = f"alarm-{number}"
            document = {**DEFINITION, "Namespace": "M", "MetricName": "E", "Period": 3600}
            cloudwatch._alarms[name] = {**document, "AlarmName": name, "StateValue": "OK"}
    runner = Runner(10, Store(), clock=lambda: float(NOW))
    assert runner.round() >= 60
    read: list[Any] = []
    stats = cloudwatch._point_stats

    def noted(point: Any) -> Any:
        read.append(point)
        return stats(point)

    monkeypatch.setattr(cloudwatch, "_point_stats", noted)

    stored.append({"Timestamp": NOW - 1, "Value": 1.0, "Unit": "None", "Dimensions": {}})

    assert runner.round() == 0, "nothing changed its state"
    assert read == stored[-1:]


def test_points_of_one_minute_and_value_become_one_and_no_statistic_changes() -> None:
    minute = float(NOW - NOW % 60)
    stored = put("long", *[(minute + at % 120, float(at % 3)) for at in range(3000)])
    store = Store()
    names = ("Sum", "SampleCount", "Average", "Minimum", "Maximum", "p90")
    before = {name: fetched(store, "long", name) for name in names}

    store.settle()
    assert len(stored) == 6
    assert {name: fetched(store, "long", name) for name in names} == before
    # Also for one that has not seen what was merged.
    assert {name: fetched(Store(), "long", name) for name in names} == before


def test_a_point_that_comes_after_a_merge_is_seen() -> None:
    minute = float(NOW - NOW % 60)
    stored = put("later", *[(minute, 1.0)] * 1000)
    store = Store()
    store.settle()

    stored.append({"Timestamp": minute, "Value": 7.0, "Unit": "None", "Dimensions": {}})

    assert fetched(store, "later", "SampleCount") == [1001]
    assert fetched(store, "later", "Maximum") == [7]


def test_points_of_the_day_before_are_dropped_now_and_then() -> None:
    day = 24 * 3600.0
    clock = [float(NOW)]
    evict = evictor(lambda: clock[0])
    put("old", (NOW - 2 * day, 1.0), (NOW - 10, 2.0))
    put("gone", (NOW - 2 * day, 1.0))
    evict()
    with request_scope(ACCOUNT, "us-east-1"):
        assert [point["Value"] for point in cloudwatch._metrics["M", "old", ""]] == [2.0]
        assert ("M", "gone", "") not in cloudwatch._metrics
        put("old", (NOW - 2 * day, 1.0))
        evict()
        assert ("M", "old", "") in cloudwatch._metrics, "not at every request"
        clock[0] += 601
        evict()
        assert ("M", "old", "") not in cloudwatch._metrics


@pytest.fixture
def quick(own_settings: Settings) -> Emulator:
    """A emulator of its own that evaluates alarms five times a second."""
    often = replace(own_settings, alarm_interval=0.2)
    process.start(often)
    return Emulator(often)


def queue_of(emulator: Emulator, topic: str) -> str:
    """The URL of a queue that receives what is published to a topic."""
    client = emulator.client("sqs")
    url: str = client.create_queue(QueueName="pager")["QueueUrl"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = found["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    emulator.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def traffic(emulator: Emulator, errors: int, count: int) -> None:
    """Requests of the last full minute."""
    at = datetime.fromtimestamp(time.time() - 60, UTC)
    data = [
        {"MetricName": name, "Value": value, "Timestamp": at}
        for name, value in (("errors", errors), ("requests", count))
    ]
    emulator.client("cloudwatch").put_metric_data(Namespace="N", MetricData=data)


def test_an_alarm_with_metric_math_and_its_composite_go_off_and_back(quick: Emulator) -> None:
    watch = quick.client("cloudwatch")
    arn = quick.client("sns").create_topic(Name="pages")["TopicArn"]
    queue, url = quick.client("sqs"), queue_of(quick, arn)
    watch.put_metric_alarm(**DEFINITION, Metrics=[*MATH, RATE])
    watch.put_composite_alarm(
        AlarmName="users", AlarmRule="ALARM(errors)", AlarmActions=[arn], OKActions=[arn]
    )

    def state(*expected: str) -> bool:
        found = watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        both = [*found["MetricAlarms"], *found["CompositeAlarms"]]
        return [each["StateValue"] for each in both] == list(expected)

    eventually(lambda: state("OK", "OK"))
    traffic(quick, errors=5, count=10)
    traffic(quick, errors=10, count=20)
    eventually(lambda: state("ALARM", "ALARM"))
    traffic(quick, errors=0, count=500)
    eventually(lambda: state("OK", "OK"))

    for name, kind in (("errors", "MetricAlarm"), ("users", "CompositeAlarm")):
        items = watch.describe_alarm_history(
            AlarmName=name, AlarmTypes=[kind], HistoryItemType="StateUpdate"
        )["AlarmHistoryItems"]
        summaries = [item["HistorySummary"] for item in items]
        assert summaries[:2] == ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"]
    received: list[str] = []

    def paged() -> bool:
        for message in queue.receive_message(QueueUrl=url).get("Messages", []):
            page = json.loads(json.loads(message["Body"])["Message"])
            received.append(page["NewStateValue"])
            queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return received == ["OK", "ALARM", "OK"]

    eventually(paged)


def test_an_alarm_is_about_its_own_dimensions(quick: Emulator) -> None:
    watch = quick.client("cloudwatch")
    for name in ("east", "west"):
        watch.put_metric_alarm(
            **{**DEFINITION, "AlarmName": name, "Period": 300, "Statistic": "Sum"},
            Namespace="N",
            MetricName="m",
            Dimensions=[{"Name": "Side", "Value": name}],
        )

    def state(**expected: str) -> bool:
        found = watch.describe_alarms()["MetricAlarms"]
        return {each["AlarmName"]: each["StateValue"] for each in found} == expected

    eventually(lambda: state(east="OK", west="OK"))
    at = datetime.fromtimestamp(time.time() - 60, UTC)
    datum = {"MetricName": "m", "Value": 1, "Timestamp": at}
    dimensions = [{"Name": "Side", "Value": "west"}]
    watch.put_metric_data(Namespace="N", MetricData=[{**datum, "Dimensions": dimensions}])

    eventually(lambda: state(east="OK", west="ALARM"))
    history = watch.describe_alarm_history(AlarmName="east")["AlarmHistoryItems"]
    assert [item for item in history if "to ALARM" in item["HistorySummary"]] == []
