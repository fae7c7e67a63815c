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
    """Refuse record sets that would not be answered as AWS answers them; None for the rest."""
    found = _PATH.match(path)
    if method != "POST" or found is None:
        return None
    apex = route53.zone_name(found[1])
    for document in route53.requested_record_sets(body) if apex else ():
        try:
            what = not_emulated(document, name_of(apex))
        except DNSException as problem:
            return error(400, "InvalidInput", f"{document['Name']} {document['Type']}: {problem}")
        if what:
            return refusal(f"{document['Name']} {document['Type']}: {what}")
    return None
