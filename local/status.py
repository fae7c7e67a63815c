"""What the emulator shows of its endpoints, health checks and names, as JSON types."""

from __future__ import annotations

import time
from typing import Any

from local import addressing
from local.dns.data_plane import DataPlane
from local.dns.health.checkers import HealthCheckers, HealthStatus
from local.faults import Faults
from local.gateway import endpoints
from local.patches import cloudfront, custom_domains, dynamodb, route53
from project.switch import Row

Document = dict[str, Any]


def of_endpoints(faults: Faults) -> list[Document]:
    """Each Region's endpoint: its address, and the fault that is set, if any."""
    return [
        {"region": region, "address": addressing.address(region), "fault": _fault(faults, region)}
        for region in sorted(custom_domains.deployed_regions())
    ]


def of_health_checks(checkers: HealthCheckers) -> list[Document]:
    """Each health check: its name tag, its status and what every checker saw last."""
    return sorted(map(_check, checkers.statuses()), key=lambda check: str(check["name"]))


def of_edge(plane: DataPlane) -> list[Document]:
    """Each distribution: its names, and which Region DNS gives for its origin now."""
    return [
        {
            "id": distribution.id,
            "names": list(distribution.names),
            "origins": [_origin(name, plane) for name in cloudfront.origin_names(distribution)],
        }
        for distribution in cloudfront.distributions()
    ]


def of_switches() -> list[Document]:
    """The operator's switch as each Region's replica has it: who may write there."""
    now = int(time.time() * 1000)
    return [
        {"region": arn.split(":")[3], "says": Row.of(rows["takeover"]).sentence(now, standby)}
        for arn, items in sorted(dynamodb.items_by_table().items())
        for owner, rows in items.items()
        if owner.startswith("region#") and "takeover" in rows
        for standby in [owner.removeprefix("region#")]
    ]


def _fault(faults: Faults, region: str) -> str | None:
    fault = faults.at(region)
    return str(fault) if fault else None


def _check(status: HealthStatus) -> Document:
    return {
        "id": status.id,
        "name": route53.health_check_name(status.id),
        "type": status.type,
        "healthy": status.healthy,
        "checkers": [
            {"region": seen.region, "status": seen.status, "at": seen.checked_at.isoformat()}
            for seen in status.observations
        ],
    }


def _origin(name: str, plane: DataPlane) -> Document:
    answer = plane.address_of(name)
    return {
        "name": name,
        "answer": [line for each in answer.answer for line in str(each).splitlines()],
        "rcode": answer.rcode.name,
        "region": endpoints.region_at(answer.addresses[0]) if answer.addresses else None,
    }
