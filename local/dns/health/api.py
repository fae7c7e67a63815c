"""Health checks' API: GetHealthCheckStatus, GetHealthCheckLastFailureReason, and what is refused.

Shapes are the API Reference's; what they report is the health checkers' record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

from local.dns.health.checkers import HealthCheckers, Observation
from local.dns.health.checks import not_emulated
from local.dns.xml_responses import NAMESPACE, Response, error, response
from local.dns.xml_responses import not_emulated as refusal
from local.patches import route53

_REPORT = re.compile(r"/2013-04-01/healthcheck/([^/]+)/(status|lastfailurereason)/?$")
_CONFIGURATION = re.compile(r"/2013-04-01/healthcheck(/[^/]+)?/?$")
_ROOTS = {
    "status": "GetHealthCheckStatusResponse",
    "lastfailurereason": "GetHealthCheckLastFailureReasonResponse",
}


def respond(method: str, path: str, body: bytes, checkers: HealthCheckers) -> Response | None:
    """Answer what is asked of the checkers, refuse what they can't check and what AWS refuses.

    None for the rest.
    """
    asked = _REPORT.match(path)
    if method == "GET" and asked is not None:
        return _report(asked[1], asked[2], checkers)
    if method == "POST" and _CONFIGURATION.match(path):
        what = not_emulated(route53.requested_health_check(body))
        return refusal(what) if what else None
    if method == "DELETE" and (deleted := _CONFIGURATION.match(path)):
        return _still_named((deleted[1] or "").strip("/"))
    return None


def _still_named(check_id: str) -> Response | None:
    """Refuse to delete a check that calculated ones name; None when none does.

    The API Reference is silent (DeleteHealthCheck: HealthCheckInUse "is not in use"); that, and in
    these words, is what people met: hashicorp/terraform#22171 among them.
    """
    parents = [
        parent
        for parent, document in route53.health_check_configurations().items()
        if check_id in document.get("ChildHealthChecks", ())
    ]
    if not parents:
        return None
    named = ", ".join(sorted(parents))
    message = f"Health check {check_id} is still referenced from parent health check(s): {named}"
    return error(400, "InvalidInput", message)


def _report(check_id: str, operation: str, checkers: HealthCheckers) -> Response:
    """Return the checkers' reports.

    An unknown check is NoSuchHealthCheck. A calculated check has no checkers: "you can't use
    GetHealthCheckStatus to get the status of a calculated health check" (API Reference), so it is
    InvalidInput.
    """
    status = checkers.status(check_id)
    if status is None:
        message = f"No health check exists with the specified ID {check_id}."
        return error(404, "NoSuchHealthCheck", message)
    if status.type == "CALCULATED":
        message = "The status of a calculated health check can't be got; look at its children."
        return error(400, "InvalidInput", message)
    report = checkers.observations if operation == "status" else checkers.last_failures
    return response(200, _document(_ROOTS[operation], report(check_id)))


def _document(root_tag: str, observations: Sequence[Observation]) -> Element:
    root = Element(root_tag, xmlns=NAMESPACE)
    listed = SubElement(root, "HealthCheckObservations")
    for observation in observations:
        element = SubElement(listed, "HealthCheckObservation")
        SubElement(element, "Region").text = observation.region
        SubElement(element, "IPAddress").text = observation.ip_address
        report = SubElement(element, "StatusReport")
        SubElement(report, "Status").text = observation.status
        SubElement(report, "CheckedTime").text = _timestamp(observation.checked_at)
    return root


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
