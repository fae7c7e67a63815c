"""AWS/ApiGateway.

docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html. A
request that reaches no stage leaves nothing: a body that is too large, a domain without a mapping,
a regional endpoint that fails (rest-api-monitor lists these cases).
"""

from __future__ import annotations

from collections.abc import Callable

from local.observability.metrics.recorder import Dimensions, Recorder, Sample
from local.patches import api_gateway
from local.records import GatewayRecord

NAMESPACE = "AWS/ApiGateway"


def metrics_into(recorder: Recorder) -> Callable[[GatewayRecord], None]:
    """A listener that records AWS/ApiGateway."""

    def listen(record: GatewayRecord) -> None:
        samples = _samples(record)
        for dimensions in _dimension_sets(record):
            recorder.put(record.scope, NAMESPACE, dimensions, samples, record.end)

    return listen


def _samples(record: GatewayRecord) -> list[Sample]:
    samples = [
        Sample("Count", 1, "Count"),
        Sample("4XXError", float(400 <= record.status < 500), "Count"),
        Sample("5XXError", float(record.status >= 500), "Count"),
        Sample("Latency", record.latency, "Milliseconds"),
    ]
    if record.integration:
        samples.append(Sample("IntegrationLatency", record.integration.latency, "Milliseconds"))
    return samples


def _dimension_sets(record: GatewayRecord) -> list[Dimensions]:
    api = ("ApiName", record.api_name)
    stage = ("Stage", record.stage)
    sets: list[Dimensions] = [(api,), (api, stage)]
    if record.resource and _has_detailed_metrics(record):
        sets.append((api, ("Method", record.method), ("Resource", record.resource), stage))
    return sets


def _has_detailed_metrics(record: GatewayRecord) -> bool:
    """Whether the method's setting, or the stage's (`*/*`), turns metrics by method on."""
    stage = api_gateway.stage_of(record.scope, record.api_id, record.stage)
    setting = api_gateway.method_setting(stage, record.resource or "", record.method)
    return str(setting.get("metricsEnabled")).lower() == "true"
