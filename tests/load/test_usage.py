"""What is asked of CloudWatch, and when it has all of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from load import usage as module
from load.usage import await_usage, series_of
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import system

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

BEGAN = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)


class CloudWatch:
    """A Region's metrics; each look finds one call more than the one before."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, _name: str) -> CloudWatch:
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(asked)
        values = {"Invocations": float(self.calls), "ReadThrottleEvents": 2.0}
        yield {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "Values": [values.get(query["MetricStat"]["Metric"]["MetricName"], 0.5)],
                }
                for query in asked["MetricDataQueries"]
            ]
        }
        self.calls += 1


class Watched:
    """A system whose CloudWatch is the test's; its table has one global index."""

    def __init__(self) -> None:
        self.deployment = system().deployment
        self.regions = (PRIMARY, STANDBY)
        self.metrics = {PRIMARY: CloudWatch(1), STANDBY: CloudWatch(0)}

    def cloudwatch(self, region: str) -> CloudWatch:
        return self.metrics[region]

    def dynamodb(self, _region: str) -> Any:
        table = {"Table": {"GlobalSecondaryIndexes": [{"IndexName": "by_status"}]}}
        return SimpleNamespace(describe_table=lambda **_: table)


def test_a_run_is_read_once_every_answered_request_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    watched = Watched()
    said: list[str] = []

    found = await_usage(watched, BEGAN, 5, said.append)  # type: ignore[arg-type]

    assert {region: each.invocations for region, each in found.items()} == {PRIMARY: 3, STANDBY: 2}
    assert said == ["CloudWatch has 1 of 5 calls yet", "CloudWatch has 3 of 5 calls yet"]
    # Of the table, and of its index.
    assert found[PRIMARY].read_units == 1.0
    assert found[PRIMARY].throttles["reads throttled by DynamoDB"] == 4.0


def test_what_never_comes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATE_SECONDS", -1.0)

    found = await_usage(Watched(), BEGAN, 1000, lambda _: None)  # type: ignore[arg-type]

    assert found[PRIMARY].invocations == 1


def test_a_run_is_read_from_the_beginning_of_its_minute_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LATE_SECONDS", -1.0)
    watched = Watched()

    await_usage(watched, BEGAN, 1, lambda _: None)  # type: ignore[arg-type]

    (asked,) = watched.metrics[PRIMARY].asked
    assert asked["StartTime"] == BEGAN.replace(second=0)


def test_global_indexes_are_asked_for_by_themselves() -> None:
    asked = series_of("items", ["by_status"], "api")

    writes = [each.dimensions for each in asked if each.metric == "ConsumedWriteCapacityUnits"]
    assert writes == [
        (("TableName", "items"),),
        (("TableName", "items"), ("GlobalSecondaryIndexName", "by_status")),
    ]
