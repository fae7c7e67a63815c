"""Reads the embedded AWS's Route 53, and writes the metrics that Route 53 would write.

The one place that knows how ministack keeps its state (`services.route53`, `services.cloudwatch`),
imported lazily, because ministack reads its settings from the environment when it is imported.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Mapping
from typing import Any

from local.route53.health_checks import HealthCheck, Metric
from local.route53.records import (
    AliasTarget,
    Failover,
    Latency,
    MultiValue,
    Policy,
    Record,
    Simple,
    Weighted,
    Zone,
)

_log = logging.getLogger(__name__)
_warned: set[str] = set()

# Route 53's metrics are in us-east-1 whatever the Region asked from (Developer Guide,
# monitoring-health-checks).
METRICS_REGION = "us-east-1"


def zones_from_ministack() -> tuple[Zone, ...]:
    """Return the public hosted zones of the local account."""
    from ministack.services import route53  # noqa: PLC0415

    with route53._lock:
        held = [
            (zone["id"], zone["name"], tuple(route53._records.get(zone["id"], ())))
            for zone in route53._zones.values()
            if not zone.get("private")
        ]
    return tuple(Zone.of(zone_id, name, _records(sets)) for zone_id, name, sets in held)


def health_checks_from_ministack() -> tuple[HealthCheck, ...]:
    """Return the health checks of the local account."""
    from ministack.services import route53  # noqa: PLC0415

    with route53._lock:
        held = [(check["id"], dict(check["config"])) for check in route53._health_checks.values()]
    return tuple(health_check(check_id, config) for check_id, config in held)


def publish_to_ministack(metric: Metric) -> None:
    """Store a data point as CloudWatch of us-east-1 would, and let its alarms see it."""
    contextvars.copy_context().run(_store, metric)


def _store(metric: Metric) -> None:
    from ministack.core.responses import set_request_region  # noqa: PLC0415
    from ministack.services import cloudwatch  # noqa: PLC0415

    set_request_region(METRICS_REGION)
    datum = {
        "MetricName": metric.name,
        "Dimensions": [{"Name": "HealthCheckId", "Value": metric.health_check_id}],
        "Timestamp": metric.at.timestamp(),
        "Unit": metric.unit,
        "Value": metric.value,
    }
    body = {"Namespace": metric.namespace, "MetricData": [datum]}
    cloudwatch._put_metric_data({}, body, is_cbor=False, is_json=True)


def health_check(check_id: str, config: Mapping[str, Any]) -> HealthCheck:
    """Read a HealthCheckConfig, with AWS's defaults (API Reference, HealthCheckConfig)."""
    kind = config["Type"]
    return HealthCheck(
        id=check_id,
        type=kind,
        fqdn=config.get("FullyQualifiedDomainName") or None,
        ip_address=config.get("IPAddress") or None,
        port=config.get("Port") or (443 if kind.startswith("HTTPS") else 80),
        path=config.get("ResourcePath") or "/",
        search_string=config.get("SearchString", ""),
        interval=config.get("RequestInterval") or 30,
        failure_threshold=config.get("FailureThreshold") or 3,
        enable_sni=config.get("EnableSNI", kind.startswith("HTTPS")),
        inverted=config.get("Inverted", False),
        disabled=config.get("Disabled", False),
        # ministack may hold an empty element as a None child.
        children=tuple(child for child in config.get("ChildHealthChecks", ()) if child),
        health_threshold=config.get("HealthThreshold", 0),
        regions=tuple(region for region in config.get("Regions", ()) if region),
        insufficient_data=config.get("InsufficientDataHealthStatus") or "LastKnownStatus",
    )


def _records(sets: tuple[Mapping[str, Any], ...]) -> list[Record]:
    return [record for record in map(_record, sets) if record is not None]


def _record(held: Mapping[str, Any]) -> Record | None:
    if held.get("GeoLocation") or held.get("CidrRoutingConfig"):
        _warn_once(f"{held['Name']} {held['Type']}: this routing policy is not played here")
        return None
    alias = held.get("AliasTarget")
    return Record(
        name=held["Name"],
        type=held["Type"],
        ttl=int(held.get("TTL") or 0),
        values=tuple(held.get("ResourceRecords", ())),
        alias=alias
        and AliasTarget(
            alias["DNSName"],
            alias.get("HostedZoneId", ""),
            alias.get("EvaluateTargetHealth", False),
        ),
        set_identifier=held.get("SetIdentifier", ""),
        policy=_policy(held),
        health_check_id=held.get("HealthCheckId") or None,
    )


def _policy(held: Mapping[str, Any]) -> Policy:
    if held.get("Failover"):
        return Failover(held["Failover"])
    if held.get("Weight") is not None:
        return Weighted(held["Weight"])
    if held.get("Region"):
        return Latency(held["Region"])
    return MultiValue() if held.get("MultiValueAnswer") else Simple()


def _warn_once(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        _log.warning(message)
