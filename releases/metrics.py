"""What CloudWatch says of two versions under one alias, and of the Region's alarms.

AWS/Lambda has each metric by FunctionName, Resource (`<function>:<alias>`) and ExecutedVersion,
which tells the two versions of a weighted alias apart (monitoring-metrics, "By Executed Version");
whether an alias that leads to one version has it is written nowhere, so there the alias as a whole
counts. Lambda sends them in 1-minute intervals (the same page); how much later they can be read is
written nowhere. So a look says up to which minute it can see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from releases.judgement import Counts
from releases.versions import ALIAS, Kind

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

MINUTE = 60
# The function's own count of its 5XXs, by what POWERTOOLS_SERVICE_NAME calls each.
SERVER_ERRORS = "ServerErrors"
SERVICES: Mapping[Kind, str] = {"api": "items", "health": "health"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A version's counts, and the last minute (epoch seconds) of which CloudWatch has a call."""

    counts: Counts
    until: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """One Region's. Every method raises botocore's errors as they are."""

    client: CloudWatchClient
    prefix: str
    region: str

    def seen(
        self, kind: Kind, version: int, since: float, now: float, *, alone: bool = False
    ) -> Seen:
        """Count what a version did in the minutes from `since` (epoch seconds) on.

        `alone`: the alias led to no other one then.
        """
        executed = None if alone else version
        queries = [
            _query("calls", self._lambda("Invocations", kind, executed), "Sum"),
            _query("errors", self._lambda("Errors", kind, executed), "Sum"),
            _query("median", self._lambda("Duration", kind, executed), "p50"),
            _query("server", self._own(kind, version), "Sum"),
        ]
        found = self._values(queries, since, now)
        return Seen(
            Counts(
                calls=round(sum(found["calls"].values())),
                errors=round(sum(found["errors"].values())),
                server_errors=round(sum(found["server"].values())),
                median_ms=_middle(found["median"], found["calls"]),
            ),
            max((at for at, calls in found["calls"].items() if calls), default=0.0),
        )

    def alarms(self) -> frozenset[str]:
        """Name those of the Region's alarms on its error budget that fire.

        The one that pages, and the short windows of those that it is made of: a long window goes
        on firing for hours after what set it off.
        """
        prefix = f"{self.prefix}-{self.region}-"
        pages = self.client.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="ALARM"
        )
        names = [
            alarm["AlarmName"]
            for page in pages
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
        ]
        return frozenset(name for name in names if _is_about_errors(name.removeprefix(prefix)))

    def mark_release(self) -> None:
        """Draw the moment on the dashboards: one data point of the metric Release."""
        self.client.put_metric_data(
            Namespace=self.prefix,
            MetricData=[
                {
                    "MetricName": "Release",
                    "Dimensions": [{"Name": "region", "Value": self.region}],
                    "Value": 1,
                    "Unit": "Count",
                }
            ],
        )

    def _lambda(self, metric: str, kind: Kind, executed: int | None) -> dict[str, Any]:
        name = f"{self.prefix}-{kind}"
        dimensions = {"FunctionName": name, "Resource": f"{name}:{ALIAS}"}
        if executed is not None:
            dimensions["ExecutedVersion"] = str(executed)
        return _metric("AWS/Lambda", metric, dimensions)

    def _own(self, kind: Kind, version: int) -> dict[str, Any]:
        dimensions = {"region": self.region, "service": SERVICES[kind], "version": str(version)}
        return _metric(self.prefix, SERVER_ERRORS, dimensions)

    def _values(self, queries: Any, since: float, now: float) -> dict[str, dict[float, float]]:  # noqa: ANN401 - botocore's
        found: dict[str, dict[float, float]] = {query["Id"]: {} for query in queries}
        pages = self.client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(since // MINUTE * MINUTE, UTC),
            # EndTime is exclusive, and the minute that runs counts.
            EndTime=datetime.fromtimestamp((now // MINUTE + 1) * MINUTE, UTC),
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                times = [at.timestamp() for at in result["Timestamps"]]
                found[result["Id"]].update(zip(times, result["Values"], strict=True))
        return found


def _is_about_errors(name: str) -> bool:
    return name == "serves-errors" or (name.startswith("availability-") and name.endswith("-short"))


def _metric(namespace: str, name: str, dimensions: Mapping[str, str]) -> dict[str, Any]:
    named = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def _query(name: str, metric: dict[str, Any], stat: str) -> dict[str, Any]:
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": MINUTE, "Stat": stat}}


def _middle(medians: Mapping[float, float], calls: Mapping[float, float]) -> float | None:
    """Put the minutes' medians together, each by the calls that it speaks for."""
    weight = sum(calls.get(at, 0) for at in medians)
    if not weight:
        return None
    return sum(median * calls.get(at, 0) for at, median in medians.items()) / weight
