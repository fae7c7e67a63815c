"""An account's CloudWatch without an account: what the pages' tests put in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from dashboards.cloudwatch import Alarm, Change, CloudWatch
from dashboards.series import Query, Result, Window

NAME = "landing-dev-us-west-2"
MARKUP = "<img src=x onerror=alert(1)>"
BODY = {
    "widgets": [
        {
            "type": "text",
            "x": 0,
            "y": 0,
            "width": 24,
            "height": 3,
            "properties": {"markdown": f"# Served? {MARKUP}"},
        },
        {
            "type": "metric",
            "x": 0,
            "y": 3,
            "width": 12,
            "height": 6,
            "properties": {
                "title": f"Errors {MARKUP}",
                "region": "us-west-2",
                "period": 60,
                "metrics": [
                    ["N", "errors", {"stat": "Sum", "label": MARKUP}],
                    ["N", "errors", {"stat": "Sum", "region": "us-east-1"}],
                ],
                "annotations": {"horizontal": [{"value": 5, "label": "objective"}]},
            },
        },
        {"type": "log", "x": 12, "y": 3, "properties": {"title": "Slowest", "query": "limit 1"}},
    ]
}


def refused(operation: str, code: str, message: str = "no") -> ClientError:
    """What boto3 raises for an error of CloudWatch."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeCloudWatch(CloudWatch):
    """Answers from what it is given; a Region of `down` raises instead."""

    bodies: dict[str, str] = field(default_factory=lambda: {NAME: json.dumps(BODY)})
    down: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__("landing-dev-", ("us-east-1", "us-west-2"))

    def dashboards(self) -> list[str]:
        if error := self.down.get("everywhere"):
            raise error
        return list(self.bodies)

    def body(self, name: str) -> str:
        return self.bodies[name]

    def results(self, region: str, queries: Sequence[Query], shown: Window) -> list[Result]:
        self._require(region)
        at = datetime.fromtimestamp(shown.start, UTC)
        return [
            {
                "Id": query["Id"],
                "Label": query.get("Label", query["Id"]),
                "StatusCode": "Complete",
                "Timestamps": [at],
                "Values": [1.5],
            }
            for query in queries
        ]

    def alarms(self, region: str) -> list[Alarm]:
        self._require(region)
        since = datetime.now(UTC) - timedelta(minutes=5)

        def alarm(name: str, state: str, *, pages: bool = False, description: str = "") -> Alarm:
            return Alarm(name, region, state, "why", description, since, pages)

        return [
            alarm(f"landing-dev-{region}-quiet", "OK"),
            alarm(f"landing-dev-{region}-loud", "ALARM"),
            alarm(f"landing-dev-{region}-page", "OK", pages=True, description=f"See {MARKUP}"),
        ]

    def changes(self, region: str) -> list[Change]:
        self._require(region)
        name = f"landing-dev-{region}-loud"
        return [
            Change(datetime.now(UTC), name, region, "Alarm updated from OK to ALARM"),
            Change(
                *(datetime.now(UTC), name, region),
                "Alarm updated from INSUFFICIENT_DATA to INSUFFICIENT_DATA",
            ),
        ]

    def _require(self, region: str) -> None:
        if error := self.down.get(region):
            raise error
