"""GetHealthCheckStatus and GetHealthCheckLastFailureReason, which ministack lacks.

Shapes are the API Reference's; what they report is the health checkers' record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from xml.etree.ElementTree import Element, SubElement, tostring

from local.route53.checkers import HealthStatus, Observation

_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
_PATH = re.compile(r"/2013-04-01/healthcheck/([^/]+)/(status|lastfailurereason)/?$")
_ROOTS = {
    "status": "GetHealthCheckStatusResponse",
    "lastfailurereason": "GetHealthCheckLastFailureReasonResponse",
}

Response = tuple[int, dict[str, str], bytes]


class Watcher(Protocol):
    """What the answers are made from; `checkers.HealthCheckers` is one."""

    def status(self, check_id: str) -> HealthStatus | None:
        """Return a check's standing, or None."""

    def observations(self, check_id: str) -> tuple[Observation, ...]:
        """Return each checker's last report."""

    def last_failures(self, check_id: str) -> tuple[Observation, ...]:
        """Return each checker's last failure."""


def respond(method: str, path: str, watcher: Watcher) -> Response | None:
    """Answer one of the two operations as (status, headers, body); None for any other request.

    An unknown check is NoSuchHealthCheck. A calculated check has no checkers: "you can't use
    GetHealthCheckStatus to get the status of a calculated health check" (API Reference), so it is
    InvalidInput.
    """
    asked = _PATH.match(path)
    if method != "GET" or asked is None:
        return None
    check_id, operation = asked.groups()
    status = watcher.status(check_id)
    if status is None:
        message = f"No health check exists with the specified ID {check_id}."
        return _error(404, "NoSuchHealthCheck", message)
    if status.type == "CALCULATED":
        message = "The status of a calculated health check can't be got; look at its children."
        return _error(400, "InvalidInput", message)
    report = watcher.observations if operation == "status" else watcher.last_failures
    return 200, {"Content-Type": "text/xml"}, observations_xml(_ROOTS[operation], report(check_id))


def observations_xml(root_tag: str, observations: Sequence[Observation]) -> bytes:
    """Return a response body that lists what the checkers reported."""
    root = Element(root_tag, xmlns=_NAMESPACE)
    listed = SubElement(root, "HealthCheckObservations")
    for observation in observations:
        element = SubElement(listed, "HealthCheckObservation")
        SubElement(element, "Region").text = observation.region
        SubElement(element, "IPAddress").text = observation.ip_address
        report = SubElement(element, "StatusReport")
        SubElement(report, "Status").text = observation.status
        SubElement(report, "CheckedTime").text = _timestamp(observation.checked_at)
    return _document(root)


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(status: int, code: str, message: str) -> Response:
    root = Element("ErrorResponse", xmlns=_NAMESPACE)
    error = SubElement(root, "Error")
    SubElement(error, "Type").text = "Sender"
    SubElement(error, "Code").text = code
    SubElement(error, "Message").text = message
    SubElement(root, "RequestId").text = "local"
    return status, {"Content-Type": "text/xml"}, _document(root)


def _document(root: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root)
