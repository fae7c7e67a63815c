"""The rules of Route 53's health checks, as pure functions.

Pages are the Developer Guide's (see `routing`), or HealthCheckConfig of the API Reference.

Left out, and saying so: CLOUDWATCH_METRIC and RECOVERY_CONTROL checks are not evaluated. They stand
as checks whose data never suffices: `InsufficientDataHealthStatus` decides, where LastKnownStatus
of a check that never had a status is healthy (API Reference).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

# "Route 53 must be able to establish a TCP connection with the endpoint within four seconds. In
# addition, the endpoint must respond with an HTTP status code of 2xx or 3xx within two seconds
# after connecting"; string matching "must receive the response body from the endpoint within the
# next two seconds"; TCP checks have ten (dns-failover-determining-health-of-endpoints). A TLS
# handshake comes after connecting, so it counts against the two seconds, not the four.
HTTP_CONNECT_SECONDS = 4.0
TCP_CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 2.0
BODY_SECONDS = 2.0
# "The string must appear entirely in the first 5,120 bytes of the response body" (same page).
SEARCHED_BYTES = 5120
# "If more than 18% of health checkers report that an endpoint is healthy, Route 53 considers it
# healthy" (same page).
HEALTHY_SHARE = 0.18

ENDPOINT_TYPES = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})
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
    fqdn: str | None = None
    ip_address: str | None = None
    port: int = 80
    path: str = "/"
    search_string: str = ""
    interval: int = 30
    failure_threshold: int = 3
    enable_sni: bool = False
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    health_threshold: int = 0
    regions: tuple[str, ...] = ()
    insufficient_data: str = "LastKnownStatus"

    @property
    def probes(self) -> bool:
        """Whether checkers send requests for it: endpoint checks that are not disabled."""
        return self.type in ENDPOINT_TYPES and not self.disabled

    @property
    def over_tls(self) -> bool:
        """Whether the endpoint is asked over TLS."""
        return self.type.startswith("HTTPS")

    @property
    def matches_string(self) -> bool:
        """Whether the body is searched."""
        return self.type.endswith("_STR_MATCH")

    @property
    def request_path(self) -> str:
        """The path to ask for; Route 53 adds a missing slash (health-checks-creating-values)."""
        return self.path if self.path.startswith("/") else "/" + self.path

    @property
    def host_header(self) -> str:
        """The Host header, with a port that isn't the protocol's own.

        From the API Reference, FullyQualifiedDomainName.
        """
        host = self.fqdn or self.ip_address or ""
        return host if self.port == (443 if self.over_tls else 80) else f"{host}:{self.port}"

    def same_endpoint(self, other: HealthCheck) -> bool:
        """Whether both ask the same thing of the same place at the same pace."""
        return _endpoint(self) == _endpoint(other)


def _endpoint(check: HealthCheck) -> tuple[object, ...]:
    asked = (check.type, check.host_header, check.ip_address, check.port, check.request_path)
    return (*asked, check.search_string, check.enable_sni, check.interval, check.regions)


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
    """Tell a calculated check's status before inversion.

    A threshold above the number of children is never met, zero always
    (health-checks-creating-values, Report healthy when).
    """
    return sum(children) >= threshold


def status_passes(code: int) -> bool:
    """Tell whether an HTTP status code means healthy: 2xx or 3xx (API Reference, Type)."""
    return 200 <= code < 400


def body_matches(body: bytes, search_string: str) -> bool:
    """Tell whether the string stands entirely in the searched part of the body; case matters."""
    return search_string.encode() in body[:SEARCHED_BYTES]


def is_healthy(
    check_id: str,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
) -> bool:
    """Tell a health check's status as records and other checks see it.

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
    elif check.type in ENDPOINT_TYPES:
        raw = endpoint_healthy(states(check_id))
    else:
        raw = check.insufficient_data != "Unhealthy"
    return raw is not check.inverted


def healthy_children(
    check: HealthCheck,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
) -> int:
    """Count a calculated check's healthy children."""
    return sum(is_healthy(child, checks, states) for child in check.children)


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
    namespace: str = "AWS/Route53"


def metrics_of(
    check: HealthCheck,
    checks: Mapping[str, HealthCheck],
    states: Callable[[str], Sequence[CheckerState]],
    at: datetime,
) -> tuple[Metric, ...]:
    """Return a check's data points.

    HealthCheckStatus is 1 or 0; HealthCheckPercentageHealthy is for endpoints alone and not there
    while a check is disabled; ChildHealthCheckHealthyCount is a calculated check's
    (monitoring-health-checks).
    """
    status = float(is_healthy(check.id, checks, states))
    points = [Metric("HealthCheckStatus", check.id, status, "None", at)]
    if check.probes:
        share = percentage_healthy(states(check.id))
        points.append(Metric("HealthCheckPercentageHealthy", check.id, share, "Percent", at))
    if check.type == "CALCULATED":
        count = float(healthy_children(check, checks, states))
        points.append(Metric("ChildHealthCheckHealthyCount", check.id, count, "Count", at))
    return tuple(points)
