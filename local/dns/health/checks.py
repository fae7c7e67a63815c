"""The rules of Route 53's health checks, as pure functions.

Pages are the Developer Guide's (see `routing`), or HealthCheckConfig of the API Reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# "Route 53 must be able to establish a TCP connection with the endpoint within four seconds. In
# addition, the endpoint must respond with an HTTP status code of 2xx or 3xx within two seconds
# after connecting" (dns-failover-determining-health-of-endpoints). A TLS handshake comes after
# connecting, so it counts against the two seconds, not the four.
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 2.0
# "If more than 18% of health checkers report that an endpoint is healthy, Route 53 considers it
# healthy" (same page).
HEALTHY_SHARE = 0.18

EMULATED_TYPES = ("HTTPS", "CALCULATED")
# Where checkers stand when a check names no Regions (API Reference).
CHECKER_REGIONS = (
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "us-west-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "sa-east-1",
)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check's configuration; `interval` in seconds, names as in the API Reference."""

    id: str
    type: str
    fqdn: str = ""
    port: int = 443
    path: str = "/"
    interval: int = 30
    failure_threshold: int = 3
    enable_sni: bool = True
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    health_threshold: int = 0
    regions: tuple[str, ...] = ()

    @property
    def probes(self) -> bool:
        """Whether checkers send requests for it: endpoint checks that are not disabled."""
        return self.type == "HTTPS" and not self.disabled

    @property
    def request_path(self) -> str:
        """The path to ask for; Route 53 adds a missing slash (health-checks-creating-values)."""
        return self.path if self.path.startswith("/") else "/" + self.path

    @property
    def host_header(self) -> str:
        """The Host header, with a port that isn't the protocol's own.

        From the API Reference, FullyQualifiedDomainName.
        """
        return self.fqdn if self.port == 443 else f"{self.fqdn}:{self.port}"

    def same_endpoint(self, other: HealthCheck) -> bool:
        """Whether both ask the same thing of the same place at the same pace."""
        return _endpoint(self) == _endpoint(other)


def _endpoint(check: HealthCheck) -> tuple[object, ...]:
    asked = check.type, check.host_header, check.request_path, check.enable_sni
    return (*asked, check.interval, check.regions)


def health_check(check_id: str, document: Mapping[str, Any]) -> HealthCheck:
    """Read a HealthCheckConfig, with AWS's defaults (API Reference, HealthCheckConfig)."""
    return HealthCheck(
        id=check_id,
        type=document["Type"],
        fqdn=document.get("FullyQualifiedDomainName") or "",
        port=document.get("Port") or 443,
        path=document.get("ResourcePath") or "/",
        interval=document.get("RequestInterval") or 30,
        failure_threshold=document.get("FailureThreshold") or 3,
        enable_sni=document.get("EnableSNI", True),
        inverted=document.get("Inverted", False),
        disabled=document.get("Disabled", False),
        # An empty element may stand as a None child.
        children=tuple(child for child in document.get("ChildHealthChecks", ()) if child),
        health_threshold=document.get("HealthThreshold", 0),
        regions=tuple(region for region in document.get("Regions", ()) if region),
    )


def not_emulated(document: Mapping[str, Any]) -> str:
    """Name what of a HealthCheckConfig is not emulated, if anything.

    An update's has no Type, which can't be changed.
    """
    kind = document.get("Type", EMULATED_TYPES[0])
    if kind not in EMULATED_TYPES:
        return f"health checks of type {kind}"
    elements = ("IPAddress", "SearchString", "MeasureLatency", "AlarmIdentifier")
    given = (f"{element} of a health check" for element in elements if document.get(element))
    return next(given, "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One health check request: passed or not, in AWS's words; `answered` if a response came."""

    passed: bool
    status: str
    answered: bool = True


@dataclass(frozen=True, slots=True)
class CheckerState:
    """What one checker thinks: its verdict, and how many results in a row speak against it."""

    healthy: bool = True
    contrary: int = 0


def observe(state: CheckerState, *, passed: bool, threshold: int) -> CheckerState:
    """Return a checker's state after one more result.

    The verdict turns after `threshold` consecutive results the other way, in both directions
    (health-checks-creating-values, Failure threshold). A new checker starts as healthy: "Route 53
    considers a new health check to be healthy until there's enough data to determine the actual
    status" (dns-failover-determining-health-of-endpoints).
    """
    if passed == state.healthy:
        return CheckerState(state.healthy)
    contrary = state.contrary + 1
    if contrary >= threshold:
        return CheckerState(passed)
    return CheckerState(state.healthy, contrary)


def percentage_healthy(states: Sequence[CheckerState]) -> float:
    """Return the share of checkers that think the endpoint is healthy, 0 to 100.

    Without any checker there is no data yet, and the check counts as new: 100.
    """
    if not states:
        return 100.0
    return 100.0 * sum(state.healthy for state in states) / len(states)


def endpoint_healthy(states: Sequence[CheckerState]) -> bool:
    """Apply the 18 % rule (dns-failover-determining-health-of-endpoints)."""
    return percentage_healthy(states) > 100.0 * HEALTHY_SHARE


def calculated_healthy(children: Sequence[bool], threshold: int) -> bool:
    """A calculated check's status before inversion.

    A threshold above the number of children is never met, zero always
    (health-checks-creating-values, Report healthy when).
    """
    return sum(children) >= threshold


def status_passes(code: int) -> bool:
    """Tell whether an HTTP status code means healthy: 2xx or 3xx (API Reference, Type)."""
    return 200 <= code < 400


def is_healthy(
    check_id: str,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
) -> bool:
    """A health check's status as records and other checks see it.

    Disabled: "Route 53 considers the status of the health check to always be healthy. [...] If you
    want to stop routing traffic to a resource, change the value of Inverted" (API Reference), so
    inversion comes last. A check that doesn't exist counts as healthy, which is a choice: AWS calls
    the status of a deleted check that is still in use unpredictable (DeleteHealthCheck).
    """
    return _healthy(check_id, checks, states, frozenset())


def _healthy(
    check_id: str,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
    above: frozenset[str],
) -> bool:
    check = checks.get(check_id)
    # A check above itself would never end; AWS allows no such circle.
    if check is None or check_id in above:
        return True
    if check.disabled:
        raw = True
    elif check.type == "CALCULATED":
        inside = above | {check_id}
        children = [_healthy(child, checks, states, inside) for child in check.children]
        raw = calculated_healthy(children, check.health_threshold)
    else:
        raw = endpoint_healthy(states(check_id))
    return raw is not check.inverted


def next_request(sent_at: float, answered_at: float | None, interval: int) -> float:
    """Return when a checker asks again, on the clock of the other times.

    The interval lies "between the time that each Route 53 health checker gets a response from your
    endpoint and the time that it sends the next health check request", and each checker "will send
    your endpoint a health check request every 30 seconds" (health-checks-creating-values). Where no
    response came, only the second sentence speaks: the interval runs from the request.
    """
    return (sent_at if answered_at is None else answered_at) + interval


def first_request(position: int, checkers: int, interval: int) -> float:
    """Return a checker's delay before its first request, in seconds.

    AWS's checkers "don't coordinate with one another"; even spacing stands for their usual spread
    and keeps a run repeatable.
    """
    return interval * position / checkers


@dataclass(frozen=True, slots=True)
class Metric:
    """A data point of AWS/Route53 (Developer Guide, monitoring-health-checks)."""

    name: str
    health_check_id: str
    value: float
    unit: str
    at: datetime


def metrics_of(
    check: HealthCheck,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
    at: datetime,
) -> tuple[Metric, ...]:
    """Return a check's data points.

    HealthCheckStatus is 1 or 0; HealthCheckPercentageHealthy is for endpoints alone and not there
    while a check is disabled (monitoring-health-checks).
    """
    status = float(is_healthy(check.id, checks, states))
    points = [Metric("HealthCheckStatus", check.id, status, "None", at)]
    if check.probes:
        share = percentage_healthy(states(check.id))
        points.append(Metric("HealthCheckPercentageHealthy", check.id, share, "Percent", at))
    return tuple(points)
