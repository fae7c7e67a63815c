"""The client-side resolver: what it asks again, and when."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import dns.message
import dns.query
import dns.resolver
import pytest

from local.dns import messages
from local.dns.resolver import NameLookupError, cached_lookup
from local.dns.routing import Routing
from local.dns.zones import FailoverRole, RecordSet, Zone, name_of

APEX = name_of("landing.localhost.")
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 30"
ADDRESSES = {"east.aws.": ("127.0.0.1",), "west.aws.": ("127.0.0.2",)}
ORIGIN = "origin.landing.localhost"


def region(name: str, target: str) -> RecordSet:
    return RecordSet(name_of(f"{name}.{APEX}"), "A", alias=name_of(target))


def origin(target: str, role: FailoverRole) -> RecordSet:
    values = (f"{target}.{APEX}",)
    return RecordSet(name_of(ORIGIN), "CNAME", 10, values, None, role, role)


RECORDS = (
    RecordSet(APEX, "SOA", 900, (SOA,)),
    region("us-east-1", "east.aws."),
    region("us-west-2", "west.aws."),
    origin("us-east-1", "PRIMARY"),
    origin("us-west-2", "SECONDARY"),
)


class Emulator:
    """A name server without a socket, and a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()
        self.asked: list[str] = []
        self.unhealthy: set[str] = set()
        self.down = False
        self.lookup = cached_lookup("127.0.0.1", 53)

    def time(self) -> float:
        """Return the seconds, as `time.time` does."""
        return self.now

    def exchange(self, query: dns.message.Message, *_: object, **__: object) -> dns.message.Message:
        """Answer as the DNS server would."""
        if self.down:
            raise OSError("nobody there")
        self.asked.append(query.question[0].name.to_text())
        routing = Routing(
            (Zone.of(APEX, RECORDS),),
            healthy=lambda check: check not in self.unhealthy,
            resolve_aws_name=lambda name: ADDRESSES.get(name, ()),
        )
        response = messages.respond(query.to_wire(), routing.answer, over_udp=True)
        assert response is not None
        return dns.message.from_wire(response)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    made = Emulator()
    monkeypatch.setattr(dns.query, "udp", made.exchange)
    monkeypatch.setattr(dns.resolver, "time", SimpleNamespace(time=made.time, sleep=time.sleep))
    return made


def test_nothing_is_asked_again_while_it_holds(emulator: Emulator) -> None:
    assert emulator.lookup(ORIGIN) == "127.0.0.1"
    emulator.now += 9.9
    assert emulator.lookup("Origin.Landing.localhost.") == "127.0.0.1"
    assert len(emulator.asked) == 1


def test_a_failover_is_seen_once_the_cname_has_run_out_though_the_address_still_holds(
    emulator: Emulator,
) -> None:
    assert emulator.lookup(ORIGIN) == "127.0.0.1"
    emulator.unhealthy.add("PRIMARY")
    emulator.now += 9.9
    assert emulator.lookup(ORIGIN) == "127.0.0.1"
    emulator.now += 0.1
    assert emulator.lookup(ORIGIN) == "127.0.0.2"


def test_a_missing_name_is_remembered_for_the_soas_minimum(emulator: Emulator) -> None:
    for moment, asked in ((0.0, 1), (29.9, 1), (0.1, 2)):
        emulator.now += moment
        with pytest.raises(NameLookupError, match="does not exist"):
            emulator.lookup("gone.landing.localhost")
        assert len(emulator.asked) == asked


def test_a_name_without_an_address_is_remembered_too(emulator: Emulator) -> None:
    for _ in range(2):
        with pytest.raises(NameLookupError, match="does not contain an answer"):
            emulator.lookup("landing.localhost")
    assert len(emulator.asked) == 1


def test_a_refusal_is_an_error_that_is_not_remembered(emulator: Emulator) -> None:
    for _ in range(2):
        with pytest.raises(NameLookupError, match="REFUSED"):
            emulator.lookup("example.com")
    assert len(emulator.asked) == 2


def test_a_server_that_is_down_is_an_error_only_once_the_cache_has_run_out(
    emulator: Emulator,
) -> None:
    emulator.lookup(ORIGIN)
    emulator.down = True
    assert emulator.lookup(ORIGIN) == "127.0.0.1"
    emulator.now += 10
    with pytest.raises(NameLookupError, match="nobody there"):
        emulator.lookup(ORIGIN)


def test_many_threads_may_ask_at_once(emulator: Emulator) -> None:
    with ThreadPoolExecutor(16) as threads:
        for _ in range(20):
            assert set(threads.map(emulator.lookup, [ORIGIN] * 50)) == {"127.0.0.1"}
            emulator.now += 10
