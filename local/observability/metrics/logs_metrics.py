"""AWS/Logs, and the metrics that are embedded in log events.

AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from local.observability.metrics import embedded_metrics
from local.observability.metrics.recorder import Recorder, Sample
from local.patches import logs
from local.patches.scope import here
from local.records import Scope

NAMESPACE = "AWS/Logs"


def install(recorder: Recorder) -> None:
    """Count what arrives, and take out embedded metrics."""

    def count(group: str, events: Sequence[logs.Event]) -> None:
        _count(recorder, here(), group, events)

    logs.on_events(count)


def _count(recorder: Recorder, scope: Scope, group: str, events: Sequence[logs.Event]) -> None:
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
