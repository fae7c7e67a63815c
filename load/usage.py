"""What a run took of AWS, as CloudWatch has it: calls, their time, capacity units, throttles.

It is the whole deployment's: whoever else uses it meanwhile is counted, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drills.system import System

# The metrics of DynamoDB and Lambda come within minutes.
LATE_SECONDS = 240.0
LOOK_AGAIN_SECONDS = 10.0
MINUTE = 60
# GetMetricData takes so many at once.
MAX_QUERIES = 500


@dataclass(frozen=True, slots=True)
class Series:
    """A metric whose sum is asked for. `what` is how it is called here."""

    what: str
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RegionUsage:
    """Sums over a run in one Region; units of the table and its indexes together.

    `duration_ms` is the function's own time, of all calls.
    """

    invocations: float
    duration_ms: float
    read_units: float
    write_units: float
    throttles: Mapping[str, float]


Usage = Mapping[str, RegionUsage]


def series_of(table: str, indexes: Sequence[str], function: str) -> tuple[Series, ...]:
    """Name what is asked for in a Region.

    A table's own figures hold its local indexes', and not those of its global ones
    (amazondynamodb/latest/developerguide: metrics-dimensions).
    """
    places = [
        (("TableName", table),),
        *((("TableName", table), ("GlobalSecondaryIndexName", index)) for index in indexes),
    ]
    of_function = (("FunctionName", function),)
    return (
        *(
            Series(what, "AWS/DynamoDB", metric, dimensions)
            for dimensions in places
            for what, metric in (
                ("read_units", "ConsumedReadCapacityUnits"),
                ("write_units", "ConsumedWriteCapacityUnits"),
                ("reads throttled by DynamoDB", "ReadThrottleEvents"),
                ("writes throttled by DynamoDB", "WriteThrottleEvents"),
            )
        ),
        Series("invocations", "AWS/Lambda", "Invocations", of_function),
        Series("duration_ms", "AWS/Lambda", "Duration", of_function),
        Series("calls throttled by Lambda", "AWS/Lambda", "Throttles", of_function),
    )


def await_usage(
    system: System, began: datetime, requests: int, show: Callable[[str], None]
) -> Usage:
    """Read a run's usage once CloudWatch has all of it, or isn't going to.

    `requests` are those that a Region answered: each is a call of the function.
    """
    deadline = time.monotonic() + LATE_SECONDS
    ended = datetime.now(UTC)
    while True:
        found = {region: _read(system, region, began, ended) for region in system.regions}
        seen = sum(each.invocations for each in found.values())
        if seen >= requests or time.monotonic() > deadline:
            return found
        show(f"CloudWatch has {seen:,.0f} of {requests:,} calls yet")
        time.sleep(LOOK_AGAIN_SECONDS)


def _read(system: System, region: str, began: datetime, ended: datetime) -> RegionUsage:
    deployment = system.deployment
    stack = next(each for each in deployment.regions if each.region == region)
    description = system.dynamodb(region).describe_table(TableName=deployment.table_name)
    indexes = [
        str(each["IndexName"]) for each in description["Table"].get("GlobalSecondaryIndexes", [])
    ]
    asked = series_of(deployment.table_name, indexes, stack.function_name)
    sums: dict[str, float] = {each.what: 0.0 for each in asked}
    for what, value in _sums(system, region, asked, began, ended):
        sums[what] += value
    return RegionUsage(
        **{name: sums.pop(name) for name in ("invocations", "duration_ms")},
        **{name: sums.pop(name) for name in ("read_units", "write_units")},
        throttles=sums,
    )


def _sums(
    system: System, region: str, asked: Sequence[Series], began: datetime, ended: datetime
) -> Iterator[tuple[str, float]]:
    start = began.replace(second=0, microsecond=0)
    queries: Any = [_query(f"m{index}", each) for index, each in enumerate(asked)]
    pages = (
        system.cloudwatch(region)
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=queries,
            StartTime=start,
            EndTime=ended + timedelta(seconds=MINUTE),
        )
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            yield asked[int(result["Id"][1:])].what, sum(result["Values"])


def _query(name: str, series: Series) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": series.namespace,
                "MetricName": series.metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in series.dimensions],
            },
            "Period": MINUTE,
            "Stat": "Sum",
        },
    }
