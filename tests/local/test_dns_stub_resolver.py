"""The client-side resolver: what it asks again, and when."""

from __future__ import annotations

from collections.abc import Callable

import dns.message
import dns.rcode
import dns.rrset
import pytest

from local.route53 import wire
from local.route53.records import AliasTarget, Failover, Record, Zone
from local.route53.routing import Answer, Question, Routing
from local.route53.stub_resolver import NameLookupError, StubResolver

APEX = "landing.localhost."
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 30"
ADDRESSES = {"east.aws.": ("127.0.0.1",), "west.aws.": ("127.0.0.2",)}


def region(name: str, target: str) -> Record:
    return Record(f"{name}.{APEX}", "A", alias=AliasTarget(target, "Z2"))


def origin(name: str, role: Failover, check: str) -> Record:
    return Record(f"origin.{APEX}", "CNAME", 10, (f"{name}.{APEX}",), None, name, role, check)


RECORDS = (
    Record(APEX, "SOA", 900, (SOA,)),
    region("us-east-1", "east.aws."),
    region("us-west-2", "west.aws."),
    origin("us-east-1", Failover("PRIMARY"), "primary"),
    origin("us-west-2", Failover("SECONDARY"), "secondary"),
)


class Bench:
    """A name server without a socket, and a clock that stands until it is moved."""

    def __init__(self, *, chases: bool = True) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.unhealthy: set[str] = set()
        self.down = False
        self._chases = chases
        self.resolver = StubResolver(self.exchange, clock=lambda: self.now)

    def exchange(self, query: dns.message.Message) -> dns.message.Message:
        """Answer as the DNS server would."""
        if self.down:
            raise OSError("nobody there")
        self.asked.append(query.question[0].name.to_text())
        response = wire.respond(query.to_wire(), self._answer(), over_udp=False)
        assert response is not None
        return dns.message.from_wire(response)

    def _answer(self) -> Callable[[Question], Answer]:
        routing = Routing(
            (Zone.of("Z1", APEX, RECORDS),),
            healthy=lambda check: check not in self.unhealthy,
            resolve_aws_name=lambda name: ADDRESSES.get(name, ()),
        )

        def answer(question: Question) -> Answer:
            return routing.answer(Question(question.name, question.type, self._chases))

        return answer

    def address(self) -> str:
        """Resolve the failover name."""
        return self.resolver.resolve("origin.landing.localhost").addresses[0]


@pytest.mark.parametrize("chases", [True, False])
def test_a_chain_is_followed_whether_or_not_the_server_follows_it(*, chases: bool) -> None:
    bench = Bench(chases=chases)
    found = bench.resolver.resolve("Origin.Landing.localhost")
    assert found.addresses == ("127.0.0.1",)
    assert found.chain == ("origin.landing.localhost.", "us-east-1.landing.localhost.")
    assert found.ttl == 10
    assert len(bench.asked) == (1 if chases else 2)


def test_nothing_is_asked_again_while_it_holds() -> None:
    bench = Bench()
    bench.address()
    bench.now += 9.9
    assert bench.resolver.resolve("origin.landing.localhost").ttl == pytest.approx(0.1)
    assert len(bench.asked) == 1


def test_a_failover_is_seen_once_the_cname_has_run_out_though_the_address_still_holds() -> None:
    bench = Bench()
    assert bench.address() == "127.0.0.1"
    bench.unhealthy.add("primary")
    bench.now += 9.9
    assert bench.address() == "127.0.0.1"
    bench.now += 0.1
    assert bench.address() == "127.0.0.2"


def test_each_record_holds_for_its_own_ttl() -> None:
    bench = Bench(chases=False)
    bench.address()
    bench.now += 10
    bench.address()
    assert bench.asked == [
        "origin.landing.localhost.",
        "us-east-1.landing.localhost.",
        "origin.landing.localhost.",
    ]


def test_a_missing_name_is_remembered_for_the_soas_minimum() -> None:
    bench = Bench()
    for _ in range(2):
        with pytest.raises(NameLookupError, match="doesn't exist"):
            bench.resolver.resolve("gone.landing.localhost")
    assert len(bench.asked) == 1
    bench.now += 30
    assert bench.resolver.address("gone.landing.localhost") is None
    assert len(bench.asked) == 2


@pytest.mark.parametrize(("ttl", "minimum"), [(900, 30), (30, 900)])
def test_a_missing_name_holds_for_the_lesser_of_the_soas_ttl_and_minimum(
    ttl: int, minimum: int
) -> None:
    now, asked = [0.0], []

    def nobody(query: dns.message.Message) -> dns.message.Message:
        asked.append(query)
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NXDOMAIN)
        soa = f"ns.test. admin.test. 1 2 3 4 {minimum}"
        response.authority.append(dns.rrset.from_text("test.", ttl, "IN", "SOA", soa))
        return response

    resolver = StubResolver(nobody, clock=lambda: now[0])
    for moment, count in ((0, 1), (29, 1), (30, 2)):
        now[0] = moment
        assert resolver.address("gone.test") is None
        assert len(asked) == count


def test_a_name_without_the_asked_type_is_told_apart() -> None:
    with pytest.raises(NameLookupError, match="has no AAAA record"):
        Bench().resolver.resolve("us-east-1.landing.localhost", "AAAA")


def test_a_refusal_is_an_error_that_is_not_remembered() -> None:
    bench = Bench()
    for _ in range(2):
        with pytest.raises(NameLookupError, match="REFUSED"):
            bench.resolver.resolve("example.com")
    assert len(bench.asked) == 2


def test_a_server_that_is_down_is_an_error_only_once_the_cache_has_run_out() -> None:
    bench = Bench()
    bench.address()
    bench.down = True
    assert bench.address() == "127.0.0.1"
    bench.now += 10
    with pytest.raises(NameLookupError, match="nobody there"):
        bench.address()


def test_forgetting_asks_anew() -> None:
    bench = Bench()
    bench.address()
    bench.resolver.forget()
    bench.address()
    assert len(bench.asked) == 2


def test_names_that_lead_to_each_other_end_in_an_error() -> None:
    def circle(query: dns.message.Message) -> dns.message.Message:
        name = query.question[0].name.to_text()
        response = dns.message.make_response(query)
        target = "b.test." if name == "a.test." else "a.test."
        response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", target))
        return response

    with pytest.raises(NameLookupError, match="names in a row"):
        StubResolver(circle).resolve("a.test")


def test_an_answer_about_something_else_is_not_taken() -> None:
    def stranger(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text("b.test.", 60, "IN", "A", "192.0.2.1"))
        return response

    with pytest.raises(NameLookupError, match="says nothing"):
        StubResolver(stranger).resolve("a.test")
