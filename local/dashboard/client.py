"""The calls to CloudWatch; a client of the embedded AWS like any other."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.dashboard.bodies import Row, region_of
from local.settings import ACCESS_KEY_ID, HOME_REGION, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# The order in which people want to see them.
STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")
LATEST_CHANGES = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A drawn line: its row, what it is called, times in Unix seconds, and values."""

    row: Row
    label: str
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm as it stands. `pages` is said of composite alarms that call somebody."""

    name: str
    arn: str
    region: str
    state: str
    reason: str
    description: str
    since: datetime
    pages: bool


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm that changed its state."""

    at: datetime
    name: str
    region: str
    summary: str


class CloudWatch:
    """CloudWatch at one endpoint, in any Region."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def dashboards(self) -> list[str]:
        """The names of all dashboards."""
        pages = self._in(HOME_REGION).get_paginator("list_dashboards").paginate()
        return sorted(e["DashboardName"] for page in pages for e in page["DashboardEntries"])

    def body(self, name: str) -> str:
        """A dashboard's body. Raises ClientError when there is none."""
        body: str = self._in(HOME_REGION).get_dashboard(DashboardName=name)["DashboardBody"]
        return body

    def lines(self, rows: Iterable[Row], start: datetime, end: datetime) -> list[Line]:
        """The visible rows' data, in their order. Raises ClientError."""
        asked = list(rows)
        found: dict[str, Line] = {}
        for region in {row.region for row in asked}:
            here = {row.id: row for row in asked if row.region == region}
            for result in self._results(region, here, start, end):
                line = _line(here[result["Id"]], result)
                found[line.row.id] = line
        return [found[row.id] for row in asked if row.id in found]

    def _results(
        self, region: str, rows: dict[str, Row], start: datetime, end: datetime
    ) -> list[Any]:
        pages = (
            self._in(region)
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=[_query(row) for row in rows.values()],
                StartTime=start,
                EndTime=end,
                ScanBy="TimestampAscending",
            )
        )
        return [result for page in pages for result in page["MetricDataResults"]]

    def alarms(self, regions: Iterable[str]) -> list[AlarmState]:
        """Every alarm of these Regions, the worst first."""
        found = [alarm for region in regions for alarm in self._alarms(region)]
        return sorted(found, key=lambda a: (STATES.index(a.state), a.name, a.region))

    def _alarms(self, region: str) -> list[AlarmState]:
        pages = self._in(region).get_paginator("describe_alarms")
        found: list[AlarmState] = []
        for page in pages.paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"]):
            found += [_alarm(document, pages=False) for document in page["MetricAlarms"]]
            found += [
                _alarm(document, pages=bool(document.get("AlarmActions")))
                for document in page["CompositeAlarms"]
            ]
        return found

    def changes(self, regions: Iterable[str]) -> list[Change]:
        """The latest changes of state in these Regions, newest first."""
        found = [
            Change(item["Timestamp"], item["AlarmName"], region, item["HistorySummary"])
            for region in regions
            for item in self._in(region).describe_alarm_history(
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                HistoryItemType="StateUpdate",
                MaxRecords=2 * LATEST_CHANGES,
            )["AlarmHistoryItems"]
        ]
        # The first entry of an alarm is that it was made.
        moved = [
            change for change in found if not change.summary.endswith("DATA to INSUFFICIENT_DATA")
        ]
        return sorted(moved, key=lambda change: change.at, reverse=True)[:LATEST_CHANGES]

    def _in(self, region: str) -> CloudWatchClient:
        return _client(self._endpoint, region)


@functools.cache
def _client(endpoint: str, region: str) -> CloudWatchClient:
    return boto3.session.Session().client(
        "cloudwatch",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        # It is on this machine: it answers, or it is not there.
        config=Config(retries={"max_attempts": 0}),
    )


def _query(row: Row) -> Any:  # noqa: ANN401 - one of two shapes of the stubs' TypedDict
    query: dict[str, Any] = {"Id": row.id, "ReturnData": row.visible}
    if row.label:
        query["Label"] = row.label
    if row.expression:
        return {**query, "Expression": row.expression, "Period": row.period}
    namespace, name, *pairs = row.metric
    dimensions = [
        {"Name": key, "Value": value} for key, value in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    return {**query, "MetricStat": {"Metric": metric, "Period": row.period, "Stat": row.stat}}


def _line(row: Row, result: Any) -> Line:  # noqa: ANN401 - MetricDataResult
    times = tuple(at.timestamp() for at in result["Timestamps"])
    return Line(row, row.label or result["Label"], times, tuple(result["Values"]))


def _alarm(document: Any, *, pages: bool) -> AlarmState:  # noqa: ANN401 - one of two TypedDicts
    since = document.get("StateTransitionedTimestamp") or document["StateUpdatedTimestamp"]
    return AlarmState(
        name=document["AlarmName"],
        arn=document["AlarmArn"],
        region=region_of(document["AlarmArn"]),
        state=document["StateValue"],
        reason=document.get("StateReason", ""),
        description=document.get("AlarmDescription", ""),
        since=since.astimezone(UTC),
        pages=pages,
    )
