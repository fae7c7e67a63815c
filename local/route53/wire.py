"""DNS messages: bytes in, bytes out, whatever the bytes are.

dnslib packs and parses; this module decides what deserves an answer at all and how large it may be.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

from dnslib import (
    CLASS,
    EDNS0,
    HTTPS,
    OPCODE,
    QTYPE,
    RD,
    RDMAP,
    RR,
    TXT,
    DNSBuffer,
    DNSHeader,
    DNSLabel,
    DNSRecord,
)

from local.route53.routing import Answer, Question, Rcode, ResourceRecord

_log = logging.getLogger(__name__)

HEADER_BYTES = 12
# 512 bytes over UDP, up to 4096 for a resolver that speaks EDNS0 (Developer Guide, DNSBehavior).
PLAIN_UDP_BYTES = 512
EDNS_UDP_BYTES = 4096
TCP_BYTES = 65_535
# The upper eight bits of BADVERS, 16, travel in the OPT record (RFC 6891, 6.1.3).
_BADVERS_EXTENDED = 1
_REFUSED_TYPES = frozenset({"AXFR", "IXFR", "OPT"})
_NAME_TYPES = frozenset({"CNAME", "NS", "PTR"})
_TOKENS = re.compile(rb'"((?:\\.|[^"\\])*)"|(\S+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{3})|\\(.)", re.DOTALL)
_LABEL = re.compile(rb"((?:\\.|[^.\\])+)", re.DOTALL)


def respond(packet: bytes, answer: Callable[[Question], Answer], *, over_udp: bool) -> bytes | None:
    """Return the response to a packet, or None when it deserves none.

    Dropped: what has no whole header, and responses (two servers must never talk to each other).
    Another opcode than QUERY gets NOTIMP; a damaged message, or one without exactly one question,
    FORMERR; a failure of ours SERVFAIL.
    """
    if len(packet) < HEADER_BYTES:
        return None
    header = DNSHeader.parse(DNSBuffer(packet))
    if header.qr:
        return None
    if header.opcode != OPCODE.QUERY:
        return _bare(header, Rcode.NOTIMP)
    query = _parsed(packet)
    if query is None or len(query.questions) != 1:
        return _bare(header, Rcode.FORMERR)
    try:
        return _answered(query, answer, over_udp=over_udp)
    except Exception:
        # One bad record must not take the whole server with it.
        _log.exception("no answer to %s", query.q.qname)
        return _bare(header, Rcode.SERVFAIL)


def _parsed(packet: bytes) -> DNSRecord | None:
    try:
        return DNSRecord.parse(packet)
    except Exception:
        # dnslib lets more than its own errors through: ValueError from an odd record,
        # RecursionError from a long chain of compression pointers. All mean: not a message.
        _log.debug("damaged message", exc_info=True)
        return None


def _answered(
    query: DNSRecord, answer: Callable[[Question], Answer], *, over_udp: bool
) -> bytes | None:
    asked = query.q
    options = next((extra for extra in query.ar if extra.rtype == QTYPE.OPT), None)
    if options is not None and options.edns_ver > 0:
        return _packed(_reply(query, options, extended=_BADVERS_EXTENDED))
    found = _refused()
    question = Question(_text_of(asked.qname), str(QTYPE.get(asked.qtype)), bool(query.header.rd))
    if asked.qclass == CLASS.IN and question.type not in _REFUSED_TYPES:
        found = answer(question)
    reply = _reply(query, options)
    reply.header.rcode = found.rcode.value
    reply.header.aa = int(found.authoritative)
    reply.rr = [_wire_record(record) for record in found.answers]
    reply.auth = [_wire_record(record) for record in found.authority]
    reply.ar = [_wire_record(record) for record in found.additional] + reply.ar
    packed = _packed(reply)
    if len(packed) <= _limit(options, over_udp=over_udp):
        return packed
    cut = _reply(query, options)
    cut.header.bitmap = reply.header.bitmap
    cut.header.tc = 1
    return _packed(cut)


def _refused() -> Answer:
    return Answer(Rcode.REFUSED, authoritative=False)


def _limit(options: RR | None, *, over_udp: bool) -> int:
    if not over_udp:
        return TCP_BYTES
    if options is None:
        return PLAIN_UDP_BYTES
    return min(max(PLAIN_UDP_BYTES, int(options.edns_len)), EDNS_UDP_BYTES)


def _reply(query: DNSRecord, options: RR | None, extended: int = 0) -> DNSRecord:
    header = _reply_header(query.header)
    reply = DNSRecord(header, questions=list(query.questions))
    if options is not None:
        flags = "do" if options.edns_do else ""
        reply.ar = [EDNS0(flags=flags, udp_len=EDNS_UDP_BYTES, ext_rcode=extended)]
    return reply


def _reply_header(header: DNSHeader) -> DNSHeader:
    return DNSHeader(id=header.id, bitmap=0, qr=1, opcode=header.opcode, rd=header.rd, cd=header.cd)


def _bare(header: DNSHeader, rcode: Rcode) -> bytes:
    reply = DNSRecord(_reply_header(header))
    reply.header.rcode = rcode.value
    return _packed(reply)


def _packed(record: DNSRecord) -> bytes:
    return bytes(record.pack())


def _wire_record(record: ResourceRecord) -> RR:
    code = getattr(QTYPE, record.type)
    owner = _label_of(record.name)
    return RR(owner, code, CLASS.IN, record.ttl, _rdata(record.type, record.value))


def _rdata(kind: str, value: str) -> RD:
    """Return a value's data from Route 53's notation (Developer Guide, ResourceRecordTypes)."""
    if kind in _NAME_TYPES:
        return RDMAP[kind](_label_of(value))
    tokens = list(_value_tokens(value))
    if kind in ("TXT", "SPF"):
        return TXT(tokens)
    form = HTTPS if kind == "SVCB" else RDMAP[kind]
    return form.fromZone([token.decode("latin-1") for token in tokens])


def _value_tokens(value: str) -> Iterator[bytes]:
    for token in _TOKENS.finditer(value.encode()):
        quoted, plain = token.groups()
        yield _unescaped(quoted) if quoted is not None else plain


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(_escaped_byte, text)


def _escaped_byte(escape: re.Match[bytes]) -> bytes:
    octal, literal = escape.groups()
    return bytes([int(octal, 8) & 0xFF]) if octal is not None else literal


def _label_of(name: str) -> DNSLabel:
    return DNSLabel([_unescaped(label) for label in _LABEL.findall(name.encode())])


def _text_of(label: DNSLabel) -> str:
    return "".join("".join(map(_character, bytes(part))) + "." for part in label.label) or "."


def _character(byte: int) -> str:
    plain = 0x21 <= byte <= 0x7E and byte not in b".\\"
    return chr(byte) if plain else f"\\{byte:03o}"
