"""Route 53 in ministack: what is patched, and its state as typed functions."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import Element

from ministack.core.responses import set_request_region
from ministack.services import cloudwatch, route53

Response = tuple[int, dict[str, str], bytes]
Document = Mapping[str, Any]

# Route 53's metrics are in us-east-1 whatever the Region asked from (Developer Guide,
# monitoring-health-checks).
METRICS_REGION = "us-east-1"

# As Route 53's registrar writes it; in accounts' zones, not in AWS's documentation.
REGISTRARS_COMMENT = "HostedZone created by Route53 Registrar"


def health_check_lists() -> None:
    """A health check's `Regions` and `ChildHealthChecks` are read as lists of empty texts.

    The parser looks for `Region` inside each `Region`. So Terraform sees `[null]`, and a
    calculated check has no children.
    """
    original = route53._parse_health_check_config

    def parse(element: Element) -> dict[str, Any]:
        config: dict[str, Any] = original(element)
        for name in ("ChildHealthChecks", "Regions"):
            if name in config:
                config[name] = [child.text for child in route53._find(element, name)]
        return config

    route53._parse_health_check_config = parse


PATCHES = (health_check_lists,)


@contextmanager
def answered_first(respond: Callable[[str, str, bytes], Response | None]) -> Iterator[None]:
    """While open, `respond` gets each request's method, path and body before ministack.

    ministack has no GetHealthCheckStatus and no GetHealthCheckLastFailureReason, and takes records
    and checks that nothing here answers or runs. None leaves a request to it.
    """
    original = route53.handle_request

    async def handle_request(
        method: str, path: str, headers: Document, body: bytes, query: Document
    ) -> Response:
        found = respond(method, path, body)
        if found is not None:
            return found
        answer: Response = await original(method, path, headers, body, query)
        return answer

    route53.handle_request = handle_request
    try:
        yield
    finally:
        route53.handle_request = original


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A zone and its ResourceRecordSets."""

    name: str
    record_sets: tuple[Document, ...]


def public_zones() -> list[HostedZone]:
    """Return the public hosted zones of the local account."""
    with route53._lock:
        return [
            HostedZone(zone["name"], tuple(route53._records.get(zone["id"], ())))
            for zone in route53._zones.values()
            if not zone.get("private")
        ]


def register_domain(name: str) -> None:
    """Have the public zone that an account has whose domain is registered with Route 53.

    It is made with the registration (Developer Guide, domain-register), and so once: where there is
    a public zone of that name, that one is it, whoever made it.
    """
    if f"{name}." in {zone.name for zone in public_zones()}:
        return
    request = (
        f"<CreateHostedZoneRequest><Name>{name}</Name>"
        f"<CallerReference>RISWorkflow-RD:{uuid4()}</CallerReference>"
        f"<HostedZoneConfig><Comment>{REGISTRARS_COMMENT}</Comment></HostedZoneConfig>"
        "</CreateHostedZoneRequest>"
    )
    route53._create_hosted_zone(request.encode(), {})


def zone_name(zone_id: str) -> str:
    """Return a hosted zone's name; empty when there is no such zone."""
    zone: Document = route53._zones.get(zone_id) or {}
    return str(zone.get("name", ""))


def health_check_configurations() -> dict[str, Document]:
    """Return each health check's HealthCheckConfig, by id."""
    with route53._lock:
        checks = route53._health_checks.values()
        return {str(check["id"]): dict(check["config"]) for check in checks}


def health_check_name(check_id: str) -> str:
    """Return a health check's Name tag, or its id when it has none."""
    tags: Document = route53._tags.get(("healthcheck", check_id)) or {}
    return str(tags.get("Name") or check_id)


def requested_record_sets(body: bytes) -> list[Document]:
    """Return the record sets that a ChangeResourceRecordSets is to leave in a zone.

    Elements that ministack doesn't read stand as empty texts.
    """
    root = route53._parse_body(body)
    kept = [] if root is None else [each for each in root.iter() if _tag(each) == "Change"]
    sets = [
        route53._find(change, "ResourceRecordSet")
        for change in kept
        if route53._text(change, "Action") != "DELETE"
    ]
    return [
        {**{_tag(child): "" for child in each}, **route53._parse_record_set(each)}
        for each in sets
        if each is not None
    ]


def requested_health_check(body: bytes) -> Document:
    """Return the HealthCheckConfig that a CreateHealthCheck or UpdateHealthCheck brings."""
    root = route53._parse_body(body)
    if root is None:
        return {}
    created = route53._find(root, "HealthCheckConfig")
    read: Document = route53._parse_health_check_config(root if created is None else created)
    return read


def store_metric(name: str, health_check_id: str, value: float, unit: str, at: float) -> None:
    """Store a data point of AWS/Route53, `at` in seconds since 1970; its alarms see it."""
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": "HealthCheckId", "Value": health_check_id}],
        "Timestamp": at,
        "Unit": unit,
        "Value": value,
    }
    contextvars.copy_context().run(_store, {"Namespace": "AWS/Route53", "MetricData": [datum]})


def _store(body: Document) -> None:
    set_request_region(METRICS_REGION)
    cloudwatch._put_metric_data({}, body, is_cbor=False, is_json=True)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
