"""ChangeResourceRecordSets, as far as it is refused here."""

from __future__ import annotations

import re

from dns.exception import DNSException

from local.dns.xml_responses import Response, error
from local.dns.xml_responses import not_emulated as refusal
from local.dns.zones import name_of, not_emulated
from local.patches import route53

_PATH = re.compile(r"/2013-04-01/hostedzone/([^/]+)/rrset/?$")


def respond(method: str, path: str, body: bytes) -> Response | None:
    """Refuse record sets that AWS refuses or answers otherwise; None for the rest.

    A record that names a health check that isn't there is NoSuchHealthCheck (API Reference,
    ChangeResourceRecordSets).
    """
    found = _PATH.match(path)
    if method != "POST" or found is None:
        return None
    apex = route53.zone_name(found[1])
    checks = route53.health_check_configurations()
    for document in route53.requested_record_sets(body) if apex else ():
        try:
            what = not_emulated(document, name_of(apex))
        except DNSException as problem:
            return error(400, "InvalidInput", f"{document['Name']} {document['Type']}: {problem}")
        if what:
            return refusal(f"{document['Name']} {document['Type']}: {what}")
        check_id = document.get("HealthCheckId")
        if check_id and check_id not in checks:
            message = f"No health check exists with the specified ID {check_id}."
            return error(404, "NoSuchHealthCheck", message)
    return None
