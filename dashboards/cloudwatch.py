"""The calls to CloudWatch: everything that the pages ask an account for, and reading alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError

from dashboards.series import Query, Result, Window
from project.account import Account

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

Found = TypeVar("Found")

# CloudFront's and Route 53's metrics, and the alarms on them, are there alone.
EDGE_REGION = "us-east-1"
# The order in which people want to see them.
STATES = ("ALARM", "INSUFFICIENT_DATA", "OK")
MAX_CHANGES = 12
# DescribeAlarmHistory, MaxRecords: no call gives more.
MAX_RECORDS = 100
# A Region may be gone: nothing waits for it for long.
QUICK = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands. `pages` is true of a composite alarm that calls somebody."""

    name: str
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
    """CloudWatch in an account, as far as names begin with `prefix`; the first Region is home."""

    def __init__(self, prefix: str, regions: Sequence[str]) -> None:
        self.regions = tuple(regions)
        self.prefix = prefix
        self._clients: dict[str, CloudWatchClient] = {}
        self._making = Lock()

    def dashboards(self) -> list[str]:
        """The names of all dashboards."""

        def names(client: CloudWatchClient) -> list[str]:
            pages = client.get_paginator("list_dashboards").paginate(
                DashboardNamePrefix=self.prefix
            )
            return sorted(e["DashboardName"] for page in pages for e in page["DashboardEntries"])

        return self._anywhere(names)

    def body(self, name: str) -> str:
        """A dashboard's body. Raises ClientError when there is none."""
        return self._anywhere(
            lambda client: client.get_dashboard(DashboardName=name)["DashboardBody"]
        )

    def results(self, region: str, queries: Sequence[Query], shown: Window) -> list[Result]:
        """Metric data, all pages of it. Raises ClientError."""
        asked: Any = queries
        pages = (
            self._in(region)
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=asked,
                StartTime=datetime.fromtimestamp(shown.start, UTC),
                EndTime=datetime.fromtimestamp(shown.end, UTC),
                ScanBy="TimestampAscending",
            )
        )
        return [result for page in pages for result in page["MetricDataResults"]]

    def alarms(self, region: str) -> list[Alarm]:
        """Every alarm of a Region."""
        pages = (
            self._in(region)
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=self.prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        )
        return [
            _alarm(found, region)
            for page in pages
            for found in (*page["MetricAlarms"], *page["CompositeAlarms"])
        ]

    def changes(self, region: str) -> list[Change]:
        """The latest changes of state in a Region."""
        items = self._in(region).describe_alarm_history(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            HistoryItemType="StateUpdate",
            ScanBy="TimestampDescending",
            MaxRecords=MAX_RECORDS,
        )["AlarmHistoryItems"]
        return [
            Change(item["Timestamp"], item["AlarmName"], region, item["HistorySummary"])
            for item in items
            if item["AlarmName"].startswith(self.prefix)
        ]

    def _anywhere(self, ask: Callable[[CloudWatchClient], Found]) -> Found:
        """Ask the first Region that answers: every one knows the account's dashboards."""
        for region in self.regions[:-1]:
            try:
                return ask(self._in(region))
            except (NoConnectionError, HTTPClientError):
                continue
        return ask(self._in(self.regions[-1]))

    def _in(self, region: str) -> CloudWatchClient:
        # A session, which makes clients, is not for several threads; a client is.
        with self._making:
            if region not in self._clients:
                self._clients[region] = boto3.Session().client(
                    "cloudwatch", region_name=region, config=QUICK
                )
            return self._clients[region]


def of_account(account: Account) -> CloudWatch:
    """CloudWatch as far as an account's deployment goes, by the caller's credentials."""
    regions = dict.fromkeys((account.primary_region, account.standby_region, EDGE_REGION))
    return CloudWatch(f"{account.project}-{account.name}-", list(regions))


def worst_first(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Put alarms in the order in which somebody should look at them."""
    return sorted(alarms, key=lambda one: (STATES.index(one.state), one.name, one.region))


def latest(changes: Sequence[Change]) -> list[Change]:
    """Give the latest changes, newest first, without the first entry of an alarm: it was made."""
    moved = [one for one in changes if not one.summary.endswith("DATA to INSUFFICIENT_DATA")]
    return sorted(moved, key=lambda one: one.at, reverse=True)[:MAX_CHANGES]


def _alarm(document: Any, region: str) -> Alarm:  # noqa: ANN401 - one of two TypedDicts
    since = document.get("StateTransitionedTimestamp") or document["StateUpdatedTimestamp"]
    return Alarm(
        name=document["AlarmName"],
        region=region,
        state=document["StateValue"],
        reason=document.get("StateReason", ""),
        description=document.get("AlarmDescription", ""),
        since=since.astimezone(UTC),
        pages="AlarmRule" in document and bool(document.get("AlarmActions")),
    )
