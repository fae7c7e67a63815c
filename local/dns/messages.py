"""DNS messages: bytes in, bytes out, whatever the bytes are.

dnspython packs and parses; this module decides what deserves an answer at all and how large it may
be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
from dns.message import Message
from dns.opcode import Opcode
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from local.dns.routing import Answer, Question

_log = logging.getLogger(__name__)

# 512 bytes over UDP, up to 4096 for a resolver that speaks EDNS0 (Developer Guide, DNSBehavior).
PLAIN_UDP_BYTES = 512
EDNS_UDP_BYTES = 4096
TCP_BYTES = 65_535


def respond(packet: bytes, answer: Callable[[Question], Answer], *, over_udp: bool) -> bytes | None:
    """Return the response to a packet, or None when it deserves none.

    Dropped: what has no whole header, and responses (two servers must never talk to each other).
    """
    try:
        query = dns.message.from_wire(packet, continue_on_error=True)
    except dns.message.ShortHeader:
        return None
    if query.flags & dns.flags.QR:
        return None
    found = _found(query, answer)
    response = dns.message.make_response(query, our_payload=EDNS_UDP_BYTES)
    response.want_dnssec(bool(query.ednsflags & dns.flags.DO))
    response.set_rcode(found.rcode)
    response.flags |= dns.flags.AA if found.authoritative else 0
    response.answer, response.authority = list(found.answer), list(found.authority)
    return response.to_wire(max_size=_limit(query, over_udp=over_udp), prefer_truncation=True)


def _found(query: Message, answer: Callable[[Question], Answer]) -> Answer:
    """Answer a query, or say why not.

    Another opcode than QUERY gets NOTIMP; a damaged message, or one without exactly one question,
    FORMERR; a newer version of EDNS BADVERS; a failure of ours SERVFAIL.
    """
    if query.opcode() != Opcode.QUERY:
        return _without_records(Rcode.NOTIMP)
    if query.errors or len(query.question) != 1:
        return _without_records(Rcode.FORMERR)
    if query.edns > 0:
        return _without_records(Rcode.BADVERS)
    (asked,) = query.question
    is_zone_transfer = dns.rdatatype.is_metatype(asked.rdtype) and asked.rdtype != RdataType.ANY
    if asked.rdclass != dns.rdataclass.IN or is_zone_transfer:
        return _without_records(Rcode.REFUSED)
    kind = dns.rdatatype.to_text(asked.rdtype)
    try:
        return answer(Question(asked.name, kind, bool(query.flags & dns.flags.RD)))
    except Exception:
        # One bad record must not take the whole server with it.
        _log.exception("no answer to %s", asked.name)
        return _without_records(Rcode.SERVFAIL)


def _without_records(rcode: Rcode) -> Answer:
    return Answer(rcode, authoritative=False)


def _limit(query: Message, *, over_udp: bool) -> int:
    if not over_udp:
        return TCP_BYTES
    return min(max(PLAIN_UDP_BYTES, query.payload), EDNS_UDP_BYTES)
