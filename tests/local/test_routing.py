"""Routing rules of Route 53, as its documentation states them."""

from __future__ import annotations

from collections.abc import Sequence

import dns.name
import pytest
from dns.rcode import Rcode

from local.dns.routing import Answer, Question, Routing
from local.dns.zones import FailoverRole, RecordSet, Zone, name_of, not_emulated, zone_of

APEX = "example.com."
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
NAME_SERVERS = ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")
GATEWAY = "d-abc.execute-api.us-east-1.amazonaws.com."
AWS_ADDRESSES = {GATEWAY: ("127.0.0.1",)}


def records(name: str, kind: str, ttl: int, *values: str) -> RecordSet:
    return RecordSet(name_of(name), kind, ttl, values)


def zone(*sets: RecordSet) -> Zone:
    apex = (records(APEX, "SOA", 900, SOA), records(APEX, "NS", 172_800, *NAME_SERVERS))
    return Zone.of(name_of(APEX), apex + sets)


def ask(
    name: str, kind: str, *sets: RecordSet, unhealthy: Sequence[str] = (), recursion: bool = True
) -> Answer:
    routing = Routing(
        zones=(zone(*sets),),
        healthy=lambda check: check not in unhealthy,
        resolve_aws_name=lambda name: AWS_ADDRESSES.get(name, ()),
    )
    return routing.answer(Question(dns.name.from_text(name), kind, recursion))


def lines(answer: Answer) -> list[tuple[str, int, str]]:
    """Return each record of the answer as its type, TTL and value."""
    return [
        (rrset.to_text().split()[3], rrset.ttl, record.to_text())
        for rrset in answer.answer
        for record in rrset
    ]


def values(answer: Answer) -> list[str]:
    return [value for _, _, value in lines(answer)]


def alias(name: str, target: str, kind: str = "A") -> RecordSet:
    return RecordSet(name_of(name), kind, alias=name_of(target))


def half(role: FailoverRole, check: str | None, region: str = "") -> RecordSet:
    target = (f"{region or role.lower()}.example.com",)
    name = name_of("origin.example.com.")
    return RecordSet(name, "CNAME", 10, target, failover=role, health_check_id=check)


WWW = records("www.example.com.", "A", 300, "192.0.2.1")


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("WWW.Example.COM", "www.example.com."),
        (r"\137acme.example.com", "_acme.example.com."),
        (r"a\056b.example.com.", r"a\.b.example.com."),
    ],
)
def test_a_name_is_the_same_however_it_is_written(written: str, same: str) -> None:
    assert name_of(written) == dns.name.from_text(same)


def documented(**members: object) -> dict[str, object]:
    return {"Name": "www.example.com", "Type": "A", **members}


def test_a_zone_is_read_from_what_the_api_stores() -> None:
    to_gateway = {"DNSName": GATEWAY, "EvaluateTargetHealth": False}
    read = zone_of(
        APEX,
        [
            documented(TTL="300", ResourceRecords=["192.0.2.1", "192.0.2.2"]),
            documented(Name="a.b.example.com", AliasTarget=to_gateway),
            documented(Type="CNAME", Failover="PRIMARY", HealthCheckId="p", TTL=10),
        ],
    )
    www = name_of("www.example.com")
    assert read.name == name_of(APEX)
    assert read.at(www, "A") == (RecordSet(www, "A", 300, ("192.0.2.1", "192.0.2.2")),)
    (aliased,) = read.at(name_of("a.b.example.com"), "A")
    assert (aliased.alias, aliased.values, aliased.ttl) == (name_of(GATEWAY), (), 0)
    (half_of_a_pair,) = read.at(www, "CNAME")
    assert (half_of_a_pair.failover, half_of_a_pair.health_check_id) == ("PRIMARY", "p")
    assert read.existing == {name_of(each) for each in (
        APEX, "www.example.com", "b.example.com", "a.b.example.com",
    )}  # fmt: skip


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (documented(), ""),
        (documented(Weight=0), "weighted routing"),
        (documented(Region="us-east-1"), "latency routing"),
        (documented(MultiValueAnswer=True), "multivalue answer routing"),
        (documented(MultiValueAnswer=False), ""),
        (documented(GeoLocation={"CountryCode": "CH"}), "geolocation routing"),
        (documented(GeoProximityLocation={"Bias": 1}), "geoproximity routing"),
        (documented(CidrRoutingConfig={"CollectionId": "x"}), "IP-based routing"),
        (documented(Name=r"\052.example.com"), "wildcard names"),
        (documented(Type="NS"), "the delegation of a name by NS records"),
        (documented(Type="NS", Name=APEX), ""),
        (documented(Type="AAAA", AliasTarget={"DNSName": GATEWAY}), ""),
        (
            documented(Type="MX", AliasTarget={"DNSName": GATEWAY}),
            "alias records of type MX",
        ),
        (documented(AliasTarget={"DNSName": "a.example.com"}), "an alias of another record"),
        (
            documented(AliasTarget={"DNSName": GATEWAY, "EvaluateTargetHealth": True}),
            "EvaluateTargetHealth",
        ),
    ],
)
def test_what_of_a_record_set_is_not_emulated_is_named(
    document: dict[str, object], what: str
) -> None:
    assert not_emulated(document, name_of(APEX)) == what
    assert zone_of(APEX, [document]).sets.popitem()[1][0].not_emulated == what  # type: ignore[attr-defined]


def test_a_record_answers_with_its_ttl_and_the_zones_name_servers() -> None:
    answer = ask("www.example.com", "A", WWW)
    assert answer.rcode == Rcode.NOERROR
    assert answer.authoritative
    assert lines(answer) == [("A", 300, "192.0.2.1")]
    assert [record.to_text() for record in answer.authority[0]] == list(NAME_SERVERS)


def test_a_records_text_may_hold_octal_escapes() -> None:
    text = records("txt.example.com.", "TXT", 300, r'"\101 \"b\""')
    assert values(ask("txt.example.com", "TXT", text)) == [r'"A \"b\""']


def test_the_owner_keeps_the_case_that_was_asked() -> None:
    (rrset,) = ask("wWw.eXample.com.", "A", WWW).answer
    assert rrset.name.to_text() == "wWw.eXample.com."


@pytest.mark.parametrize("name", ["www.example.org", "notexample.com"])
def test_a_name_outside_of_the_zones_is_refused_without_authority(name: str) -> None:
    answer = ask(name, "A")
    assert (answer.rcode, answer.authoritative) == (Rcode.REFUSED, False)


def test_a_missing_name_is_nxdomain_with_the_soa() -> None:
    answer = ask("gone.example.com", "A")
    assert answer.rcode == Rcode.NXDOMAIN
    assert [rrset.ttl for rrset in answer.authority] == [900]
    assert answer.authority[0][0].to_text() == SOA


def test_the_soa_of_a_negative_answer_holds_for_the_lesser_of_ttl_and_minimum() -> None:
    soa = records(APEX, "SOA", 900, SOA.replace("86400", "30"))
    routing = Routing((Zone.of(name_of(APEX), [soa]),))
    answer = routing.answer(Question(name_of("gone.example.com"), "A"))
    assert [rrset.ttl for rrset in answer.authority] == [30]


def test_another_type_at_an_existing_name_is_nodata_with_the_soa() -> None:
    answer = ask("www.example.com", "AAAA", WWW)
    assert (answer.rcode, answer.answer) == (Rcode.NOERROR, ())
    assert answer.authority[0][0].to_text() == SOA


def test_a_name_that_only_has_names_below_it_exists() -> None:
    deep = records("a.b.example.com.", "A", 300, "192.0.2.1")
    assert ask("b.example.com", "A", deep).rcode == Rcode.NOERROR


def test_the_most_specific_zone_answers() -> None:
    name = name_of("sub.example.com")
    below = Zone.of(name, [records("sub.example.com", "A", 1, "192.0.2.9")])
    assert values(Routing((zone(), below)).answer(Question(name, "A"))) == ["192.0.2.9"]


CHAIN = (
    records("origin.example.com.", "CNAME", 10, "us-east-1.example.com"),
    alias("us-east-1.example.com.", GATEWAY),
)


def test_a_resolver_gets_one_link_of_a_chain() -> None:
    answer = ask("origin.example.com", "A", *CHAIN, recursion=False)
    assert lines(answer) == [("CNAME", 10, "us-east-1.example.com.")]


def test_a_stub_gets_the_whole_chain_each_link_with_its_own_ttl() -> None:
    answer = ask("origin.example.com", "A", *CHAIN)
    assert lines(answer) == [("CNAME", 10, "us-east-1.example.com."), ("A", 60, "127.0.0.1")]


def test_a_cname_that_is_asked_for_is_not_followed() -> None:
    assert values(ask("origin.example.com", "CNAME", *CHAIN)) == ["us-east-1.example.com."]


@pytest.mark.parametrize(
    ("target", "rcode", "expected"),
    [
        (GATEWAY, Rcode.NOERROR, [GATEWAY, "127.0.0.1"]),
        ("other.test.", Rcode.NOERROR, ["other.test."]),
        ("gone.example.com.", Rcode.NXDOMAIN, ["gone.example.com."]),
    ],
    ids=["to an AWS resource", "to a name that nobody knows", "to a missing name"],
)
def test_a_cname(target: str, rcode: Rcode, expected: list[str]) -> None:
    answer = ask("x.example.com", "A", records("x.example.com.", "CNAME", 10, target))
    assert (answer.rcode, values(answer)) == (rcode, expected)


def test_a_loop_of_cnames_fails() -> None:
    a = records("a.example.com.", "CNAME", 10, "b.example.com.")
    b = records("b.example.com.", "CNAME", 10, "a.example.com.")
    assert ask("a.example.com", "A", a, b).rcode == Rcode.SERVFAIL


def test_an_alias_to_an_aws_resource_answers_its_addresses_for_60_s() -> None:
    assert lines(ask("example.com", "A", alias(APEX, GATEWAY))) == [("A", 60, "127.0.0.1")]


@pytest.mark.parametrize(("kind", "target"), [("AAAA", GATEWAY), ("A", "d1.cloudfront.net")])
def test_an_alias_to_an_aws_resource_without_such_addresses_is_nodata(
    kind: str, target: str
) -> None:
    answer = ask("example.com", kind, alias(APEX, target, kind))
    assert (answer.rcode, answer.answer) == (Rcode.NOERROR, ())


@pytest.mark.parametrize(
    ("unhealthy", "serves"),
    [
        ((), "primary"),
        (("p",), "secondary"),
        (("s",), "primary"),
        (("p", "s"), "primary"),
    ],
)
@pytest.mark.parametrize("primary_listed_first", [True, False])
def test_failover(unhealthy: Sequence[str], serves: str, *, primary_listed_first: bool) -> None:
    pair = [half("PRIMARY", "p"), half("SECONDARY", "s")]
    sets = pair if primary_listed_first else pair[::-1]
    answer = ask("origin.example.com", "CNAME", *sets, unhealthy=unhealthy)
    assert values(answer) == [f"{serves}.example.com."]


def test_a_secondary_without_a_check_answers_whenever_the_primary_is_unhealthy() -> None:
    pair = half("PRIMARY", "p"), half("SECONDARY", None)
    answer = ask("origin.example.com", "CNAME", *pair, unhealthy=["p"])
    assert values(answer) == ["secondary.example.com."]


def test_a_failover_pair_of_cnames_leads_a_stub_to_the_healthy_region() -> None:
    answer = ask(
        "origin.example.com",
        "A",
        half("PRIMARY", "p", "us-east-1"),
        half("SECONDARY", "s", "us-west-2"),
        alias("us-west-2.example.com.", GATEWAY),
        unhealthy=["p"],
    )
    assert values(answer) == ["us-west-2.example.com.", "127.0.0.1"]


def test_a_record_set_that_is_not_emulated_fails_alone_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = name_of("www.example.com")
    odd = RecordSet(name, "A", 60, ("192.0.2.1",), not_emulated="weighted routing")
    text = records("www.example.com", "TXT", 60, '"x"')
    assert ask("www.example.com", "A", odd, text) == Answer(Rcode.SERVFAIL)
    assert "not emulated: weighted routing (www.example.com.)" in caplog.messages
    assert values(ask("www.example.com", "TXT", odd, text)) == ['"x"']


def test_a_question_for_any_type_is_not_implemented_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert ask("www.example.com", "ANY", WWW).rcode == Rcode.NOTIMP
    assert "not emulated: queries of type ANY (www.example.com.)" in caplog.messages
