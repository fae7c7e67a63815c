"""Which alarms went off while a drill ran, by CloudWatch's own account of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from drills.history import Change
from drills.system import System

# CloudFront's and Route 53's metrics, and so their alarms, are there whichever Region serves.
HOME_OF_THE_EDGE = "us-east-1"


def changes(system: System, began: datetime) -> tuple[Change, ...]:
    """Give every change of an alarm's state since the drill began; none where it can't be asked."""
    found = [
        change
        for region in sorted({*system.regions, HOME_OF_THE_EDGE})
        for change in _in_region(system, region, began)
    ]
    return tuple(sorted(found, key=lambda change: change.at))


def _in_region(system: System, region: str, began: datetime) -> Iterator[Change]:
    client = system.cloudwatch(region)
    prefix = f"{system.account.project}-{system.account.name}-"
    try:
        pages = client.get_paginator("describe_alarm_history").paginate(
            HistoryItemType="StateUpdate",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StartDate=began,
            EndDate=datetime.now(UTC),
        )
        items = [item for page in pages for item in page["AlarmHistoryItems"]]
    except (BotoCoreError, ClientError):
        return
    for item in items:
        if item["AlarmName"].startswith(prefix):
            state = json.loads(item["HistoryData"])["newState"]["stateValue"]
            at = (item["Timestamp"] - began).total_seconds()
            yield Change(at, f"{item['AlarmName'].removeprefix(prefix)} ({region})", state)
