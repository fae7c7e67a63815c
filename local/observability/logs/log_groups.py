"""Log events of AWS's own services, and what CloudWatch Logs makes of everybody's.

AWS/Logs: AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs as logs

from local.observability.metrics import embedded_metrics
from local.observability.metrics.recorder import Recorder, Sample
from local.observability.records import Scope

NAMESPACE = "AWS/Logs"

Group = dict[str, Any]
Event = Mapping[str, Any]


def write(scope: Scope, group: str, stream: str, message: str, at: float) -> None:
    """Add one event of this moment (seconds since the epoch) to a group; to none if it is gone."""
    with request_scope(*scope):
        found: Group | None = logs._log_groups.get(group)
        if found is None:
            return
        event = {
            "timestamp": int(at * 1000),
            "message": message,
            "ingestionTime": int(time.time() * 1000),
        }
        logs._append_log_events(_stream(found, stream), [event])
        logs._fanout_to_subscription_filters(group, stream, [event])


def _stream(group: Group, name: str) -> dict[str, Any]:
    stream: dict[str, Any] = group["streams"].setdefault(
        name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": int(time.time() * 1000),
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    return stream


def install(recorder: Recorder) -> None:
    """Count what arrives, and take out embedded metrics.

    Every event passes ministack's subscription filters, whoever wrote it.
    """
    fan_out: Callable[[str, str, list[Event]], None] = logs._fanout_to_subscription_filters

    def fan_out_and_count(group: str, stream: str, events: list[Event]) -> None:
        scope = (get_account_id(), get_region())
        _count(recorder, scope, group, events)
        fan_out(group, stream, events)

    logs._fanout_to_subscription_filters = fan_out_and_count


def _count(recorder: Recorder, scope: Scope, group: str, events: list[Event]) -> None:
    now, dimensions = time.time(), (("LogGroupName", group),)
    for event in events:
        message = str(event["message"])
        samples = [
            Sample("IncomingBytes", len(message.encode()), "Bytes"),
            Sample("IncomingLogEvents", 1, "Count"),
        ]
        found = embedded_metrics.read(message, now)
        if found.error:
            samples.append(Sample(found.error, 1, "Count"))
        recorder.put(scope, NAMESPACE, dimensions, samples, now)
        for point in found.points:
            recorder.put(scope, point.namespace, point.dimensions, point.samples, found.at)
