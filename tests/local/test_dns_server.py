"""The DNS server over real sockets, asked by dnspython and by nonsense."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from dns.name import Name
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.dns import messages
from local.dns.routing import Answer, Question, Routing
from local.dns.server import IDLE_SECONDS, DnsServer
from local.dns.zones import FailoverRole, RecordSet, Zone, name_of
from tests.support.ports import free_ports

APEX = "landing.localhost."
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
GATEWAY = "d-abc.execute-api.us-east-1.amazonaws.com."


def records(name: str, kind: str, *values: str, ttl: int = 300) -> RecordSet:
    return RecordSet(name_of(name), kind, ttl, values)


def region(name: str) -> RecordSet:
    return RecordSet(name_of(f"{name}.{APEX}"), "A", alias=name_of(GATEWAY))


def half(target: str, role: FailoverRole) -> RecordSet:
    name, values = name_of("origin." + APEX), (f"{target}.landing.localhost",)
    return RecordSet(name, "CNAME", 10, values, None, role, role)


RECORDS = (
    records(APEX, "SOA", SOA, ttl=900),
    records(APEX, "NS", "ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.", ttl=172_800),
    records(APEX, "CAA", '0 issue "amazon.com"', '0 iodef "mailto:a@example.com"'),
    records("txt." + APEX, "TXT", r'"plain" "two; \"quoted\" \101"', '"second"'),
    records("long." + APEX, "TXT", *(f'"{n:03d}{"x" * 200}"' for n in range(30))),
    records("middle." + APEX, "TXT", *(f'"{n:03d}{"x" * 200}"' for n in range(4))),
    records("v6." + APEX, "AAAA", "2001:db8::1"),
    records("broken." + APEX, "A", "not an address"),
    region("us-east-1"),
    region("us-west-2"),
    half("us-east-1", "PRIMARY"),
    half("us-west-2", "SECONDARY"),
)
ZONE = Zone.of(name_of(APEX), RECORDS)


class Running:
    """A server in a thread of its own, and the checks that it believes to be unhealthy."""

    def __init__(self) -> None:
        self.unhealthy: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.host, (self.port,) = "127.0.0.1", free_ports(1)
        self._server = DnsServer(self._answer, self.host, self.port)

    def _answer(self, question: Question) -> Answer:
        return Routing(
            (ZONE,),
            healthy=lambda check: check not in self.unhealthy,
            resolve_aws_name=lambda _name: ("127.0.0.1",),
        ).answer(question)

    def __enter__(self) -> Running:
        """Listen on a free port."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(5)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and its thread."""
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def udp(self, query: dns.message.Message) -> dns.message.Message:
        """Exchange one message over UDP."""
        return dns.query.udp(query, self.host, timeout=5, port=self.port)

    def tcp(self, query: dns.message.Message) -> dns.message.Message:
        """Exchange one message over TCP."""
        return dns.query.tcp(query, self.host, timeout=5, port=self.port)

    def ask(self, name: str, kind: str, *, over: str = "udp") -> dns.message.Message:
        """Ask as a stub does."""
        query = dns.message.make_query(name, kind)
        return self.udp(query) if over == "udp" else self.tcp(query)

    def send_udp(self, packet: bytes) -> bytes:
        """Send a packet and return what comes back before the answer to a sound question."""
        marker = dns.message.make_query("v6." + APEX, "AAAA", id=0xBEEF).to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.connect((self.host, self.port))
            client.send(packet)
            client.send(marker)
            first = client.recv(65_535)
            return b"" if first[:2] == b"\xbe\xef" else first


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with Running() as running:
        yield running


@pytest.fixture(autouse=True)
def _all_healthy(server: Running) -> None:
    server.unhealthy.clear()


@pytest.mark.parametrize("over", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (APEX, "SOA", {SOA}),
        (APEX, "NS", {"ns-1.awsdns-1.com.", "ns-2.awsdns-2.net."}),
        (APEX, "CAA", {'0 issue "amazon.com"', '0 iodef "mailto:a@example.com"'}),
        ("txt." + APEX, "TXT", {r'"plain" "two; \"quoted\" A"', '"second"'}),
        ("v6." + APEX, "AAAA", {"2001:db8::1"}),
        ("us-east-1." + APEX, "A", {"127.0.0.1"}),
        ("origin." + APEX, "CNAME", {"us-east-1.landing.localhost."}),
    ],
)
def test_every_type_of_the_project_is_answered(
    server: Running, over: str, name: str, kind: str, expected: set[str]
) -> None:
    answer = server.ask(name, kind, over=over)
    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA
    assert not answer.flags & dns.flags.RA
    assert {record.to_text() for rrset in answer.answer for record in rrset} == expected


def test_the_failover_pair_follows_the_health_checks(server: Running) -> None:
    def serving() -> list[str]:
        answer = server.ask("origin." + APEX, "A")
        return [record.to_text() for rrset in answer.answer for record in rrset]

    assert serving() == ["us-east-1.landing.localhost.", "127.0.0.1"]
    server.unhealthy.add("PRIMARY")
    assert serving() == ["us-west-2.landing.localhost.", "127.0.0.1"]
    server.unhealthy.add("SECONDARY")
    assert serving() == ["us-east-1.landing.localhost.", "127.0.0.1"]


def test_ttls_are_the_records_own(server: Running) -> None:
    answer = server.ask("origin." + APEX, "A")
    assert [rrset.ttl for rrset in answer.answer] == [10, 60]


def test_a_missing_name(server: Running) -> None:
    answer = server.ask("gone." + APEX, "A")
    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.flags & dns.flags.AA
    assert [(r.rdtype, r.ttl) for r in answer.authority] == [(dns.rdatatype.SOA, 900)]


def test_a_name_of_others_is_refused(server: Running) -> None:
    answer = server.ask("example.com", "A")
    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA


@pytest.mark.parametrize("kind", ["AXFR", "IXFR"])
def test_a_zone_is_not_handed_out(server: Running, kind: str) -> None:
    query = dns.message.make_query(APEX, "A")
    query.question[0].rdtype = dns.rdatatype.from_text(kind)
    assert wire_rcode(server.send_udp(query.to_wire())) == dns.rcode.REFUSED


def test_another_class_is_refused(server: Running) -> None:
    assert server.udp(dns.message.make_query(APEX, "TXT", "CH")).rcode() == dns.rcode.REFUSED


def test_a_record_that_cannot_be_packed_fails_alone(server: Running) -> None:
    assert server.ask("broken." + APEX, "A").rcode() == dns.rcode.SERVFAIL
    assert server.ask("v6." + APEX, "AAAA").rcode() == dns.rcode.NOERROR


def test_the_question_comes_back_as_it_was_asked(server: Running) -> None:
    name = "oRiGin.LanDing.localhost."
    answer = server.ask(name, "A")
    assert answer.question[0].name.to_text() == name
    assert answer.answer[0].name.to_text() == name


def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(server: Running) -> None:
    cut = server.ask("middle." + APEX, "TXT")
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    assert len(server.ask("middle." + APEX, "TXT", over="tcp").answer[0]) == 4


def test_edns_makes_room_over_udp(server: Running) -> None:
    query = dns.message.make_query("middle." + APEX, "TXT", use_edns=0, payload=1232)
    answer = server.udp(query)
    assert len(answer.answer[0]) == 4
    assert (answer.edns, answer.payload) == (0, 4096)


def test_no_udp_answer_is_larger_than_route_53s(server: Running) -> None:
    query = dns.message.make_query("long." + APEX, "TXT", use_edns=0, payload=65_000)
    cut = server.udp(query)
    assert cut.flags & dns.flags.TC
    assert cut.edns == 0


def test_a_newer_edns_version_is_answered_with_badvers(server: Running) -> None:
    answer = server.udp(dns.message.make_query(APEX, "SOA", use_edns=1))
    assert answer.rcode() == dns.rcode.BADVERS


def test_the_dnssec_flag_comes_back(server: Running) -> None:
    answer = server.udp(dns.message.make_query(APEX, "SOA", want_dnssec=True))
    assert answer.ednsflags & dns.flags.DO


def test_a_resolver_is_given_one_link_of_a_chain(server: Running) -> None:
    query = dns.message.make_query("origin." + APEX, "A", flags=0)
    assert [rrset.rdtype for rrset in server.udp(query).answer] == [dns.rdatatype.CNAME]


def test_one_tcp_connection_carries_several_questions(server: Running) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        for kind in ("SOA", "NS", "CAA"):
            query = dns.message.make_query(APEX, kind)
            dns.query.send_tcp(connection, query)
            answer, _ = dns.query.receive_tcp(connection)
            assert answer.answer[0].rdtype == dns.rdatatype.from_text(kind)


def wire_rcode(packet: bytes) -> int:
    return packet[3] & 0x0F


def test_a_response_is_never_answered(server: Running) -> None:
    packet = bytearray(dns.message.make_query(APEX, "SOA").to_wire())
    packet[2] |= 0x80
    assert server.send_udp(bytes(packet)) == b""


def test_half_a_header_is_dropped(server: Running) -> None:
    assert server.send_udp(b"\x00" * 11) == b""


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 15])
def test_other_operations_are_not_implemented(server: Running, opcode: int) -> None:
    packet = bytearray(dns.message.make_query(APEX, "SOA").to_wire())
    packet[2] = (packet[2] & 0x87) | (opcode << 3)
    answer = server.send_udp(bytes(packet))
    assert wire_rcode(answer) == dns.rcode.NOTIMP
    assert answer[2] >> 3 & 0x0F == opcode


@pytest.mark.parametrize("questions", [0, 2])
def test_only_one_question_is_answered(server: Running, questions: int) -> None:
    body = dns.message.make_query(APEX, "SOA").to_wire()[12:]
    packet = struct.pack("!HHHHHH", 7, 0x0100, questions, 0, 0, 0) + body * questions
    assert wire_rcode(server.send_udp(packet)) == dns.rcode.FORMERR


def test_a_cut_question_is_a_format_error(server: Running) -> None:
    packet = dns.message.make_query(APEX, "SOA").to_wire()
    assert wire_rcode(server.send_udp(packet[:-3])) == dns.rcode.FORMERR


def test_a_long_chain_of_pointers_is_a_format_error(server: Running) -> None:
    start = 12 + 5 + 11
    chain = b"\x00\x00" + b"".join(
        struct.pack("!H", 0xC000 | (start + 2 * link)) for link in range(3000)
    )
    holder = b"\x00" + struct.pack("!HHIH", 10, 1, 0, len(chain)) + chain
    owner = struct.pack("!H", 0xC000 | (start + len(chain) - 2))
    header = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 2)
    packet = header + b"\x00\x00\x01\x00\x01" + holder + owner + struct.pack("!HHIH", 1, 1, 0, 0)
    assert wire_rcode(server.send_udp(packet)) == dns.rcode.FORMERR


HOSTILE = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADERS = st.builds(
    lambda words: struct.pack("!HHHHHH", *words),
    st.tuples(
        st.integers(0, 65_535),
        st.sampled_from([0x0000, 0x0100, 0x0120, 0x8180, 0x2000]),
        st.integers(0, 3),
        *[st.integers(0, 2)] * 3,
    ),
)
LABELS = st.binary(min_size=1, max_size=70).map(lambda label: bytes([len(label)]) + label)
BODIES = st.lists(
    st.one_of(
        LABELS,
        st.sampled_from([b"\x00\x00\x01\x00\x01", b"\xc0\x0c", b"\xc0\xff", b"\x00"]),
        st.binary(max_size=40),
    ),
    max_size=8,
).map(b"".join)
PACKETS = st.one_of(st.binary(max_size=600), st.builds(lambda h, b: h + b, HEADERS, BODIES))


@HOSTILE
@given(packet=PACKETS)
def test_no_packet_makes_the_server_fall(packet: bytes) -> None:
    response = messages.respond(packet, Routing((ZONE,)).answer, over_udp=True)
    if response is not None:
        assert response[:2] == packet[:2]
        assert response[2] & 0x80
        assert len(response) <= messages.EDNS_UDP_BYTES
        dns.message.from_wire(response)


@HOSTILE
@given(label=st.binary(min_size=1, max_size=63), upper=st.booleans())
def test_any_label_is_found_where_it_stands(label: bytes, *, upper: bool) -> None:
    found = RecordSet(Name((label, *name_of(APEX).labels)), "A", 300, ("192.0.2.1",))
    routing = Routing((Zone.of(name_of(APEX), (*RECORDS, found)),))
    zone = APEX.upper() if upper else APEX
    tail = b"".join(bytes([len(part)]) + part.encode() for part in zone.split("."))
    question = bytes([len(label)]) + label + tail + b"\x00\x01\x00\x01"
    packet = struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + question
    response = messages.respond(packet, routing.answer, over_udp=True)
    assert response is not None
    assert response[12 : 12 + len(question)] == question
    answer = dns.message.from_wire(response)
    assert answer.answer[0].name.labels == answer.question[0].name.labels


@settings(HOSTILE, max_examples=40)
@given(packets=st.lists(PACKETS, min_size=1, max_size=5))
def test_the_server_answers_after_nonsense_over_udp(server: Running, packets: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for packet in packets:
            client.sendto(packet, (server.host, server.port))
    assert server.ask("v6." + APEX, "AAAA").rcode() == dns.rcode.NOERROR


@settings(HOSTILE, max_examples=40)
@given(packet=PACKETS, whole=st.booleans())
def test_the_server_answers_after_nonsense_over_tcp(
    server: Running, packet: bytes, *, whole: bool
) -> None:
    length = struct.pack("!H", len(packet)) if whole else b""
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(length + packet)
    assert server.ask("v6." + APEX, "AAAA", over="tcp").rcode() == dns.rcode.NOERROR


def free_place() -> tuple[str, int]:
    (port,) = free_ports(1)
    return "127.0.0.1", port


def test_stopping_frees_the_port_and_drops_open_connections() -> None:
    async def life() -> None:
        place = free_place()
        first = DnsServer(Routing((ZONE,)).answer, *place)
        await first.start()
        reader, writer = await asyncio.open_connection(*place)
        await first.stop()
        async with asyncio.timeout(IDLE_SECONDS / 2):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()
        second = DnsServer(Routing((ZONE,)).answer, *place)
        await second.start()
        await second.stop()

    asyncio.run(life())


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_an_error_that_leaves_nothing_open(kind: socket.SocketKind) -> None:
    async def life() -> None:
        place = free_place()
        with socket.socket(type=kind) as taken:
            taken.bind(place)
            with pytest.raises(OSError, match="in use"):
                await DnsServer(Routing((ZONE,)).answer, *place).start()
        server = DnsServer(Routing((ZONE,)).answer, *place)
        await server.start()
        await server.stop()

    asyncio.run(life())
