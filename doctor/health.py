"""Whether Route 53's health checks are green: those that failover follows, and the canary.

By their metric: GetHealthCheckStatus has none for a calculated check, and an inverted one's
before it is inverted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from doctor.aws import UNANSWERED, Aws, unanswered
from doctor.expected import Expected
from doctor.finding import Finding, not_known, not_yet, ok, wrong

SUBJECT = "health checks"
# A data point a minute, and minutes until a new check has its first.
RECENT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check by its id, and what it looks at."""

    id: str
    watches: str
    inverted: bool

    @property
    def subject(self) -> str:
        """What a person knows it by."""
        return f"health: {self.watches}"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at every health check below the domain, and at those calculated from them."""
    try:
        checks = _health_checks(aws, expected)
        values = _newest(aws, checks) if checks else {}
    except UNANSWERED as error:
        yield unanswered(SUBJECT, error, on_emulator=aws.on_emulator)
        return
    if not checks:
        yield not_yet(SUBJECT, "global/edge")
    for each in checks:
        yield judge(each, values.get(each.id))


def _health_checks(aws: Aws, expected: Expected) -> list[HealthCheck]:
    pages = aws.client("route53").get_paginator("list_health_checks").paginate()
    return below(expected.account.domain_name, [each for p in pages for each in p["HealthChecks"]])


def below(domain: str, documents: list[Any]) -> list[HealthCheck]:
    """Choose the checks of a domain's names out of Route 53's documents."""
    configs = {each["Id"]: each["HealthCheckConfig"] for each in documents}
    ours = {
        identifier
        for identifier, config in configs.items()
        if config.get("FullyQualifiedDomainName", "").endswith(f".{domain}")
    }
    ours |= {
        identifier
        for identifier, config in configs.items()
        if ours & set(config.get("ChildHealthChecks", ()))
    }
    return [_health_check(each, configs[each], domain) for each in configs if each in ours]


def _health_check(identifier: str, config: Any, domain: str) -> HealthCheck:  # noqa: ANN401 - a TypedDict
    host = config.get("FullyQualifiedDomainName", "").removesuffix(f".{domain}")
    watches = f"{host} {config.get('ResourcePath', '')}".strip()
    return HealthCheck(identifier, watches or "the primary serves", bool(config.get("Inverted")))


def _newest(aws: Aws, checks: list[HealthCheck]) -> Mapping[str, float]:
    """Give the last value of each check's HealthCheckStatus, where there is one."""
    now = datetime.now(UTC)
    pages = (
        aws.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[_query(f"c{n}", each) for n, each in enumerate(checks)],
            StartTime=now - RECENT,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
    )
    found: dict[str, float] = {}
    for result in (result for page in pages for result in page["MetricDataResults"]):
        if result["Values"]:
            found.setdefault(checks[int(result["Id"][1:])].id, result["Values"][0])
    return found


def _query(identifier: str, each: HealthCheck) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/Route53",
        "MetricName": "HealthCheckStatus",
        "Dimensions": [{"Name": "HealthCheckId", "Value": each.id}],
    }
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}


def judge(each: HealthCheck, value: float | None) -> Finding:
    """Judge a check by its newest value, 1 for healthy."""
    if value is None:
        return not_known(each.subject, "no data in ten minutes", "a new check needs some minutes")
    if value >= 1:
        return ok(each.subject, "healthy")
    if each.inverted:
        return wrong(each.subject, "takeover is active: the standby serves", "make failback")
    return wrong(each.subject, "unhealthy", "docs/runbooks/region-serves-errors.md")
