"""Routing rules of Route 53, as its documentation tells them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from local.route53.records import (
    AliasTarget,
    Failover,
    Latency,
    MultiValue,
    Policy,
    Record,
    Simple,
    Weighted,
    Zone,
    canonical_name,
    parent_name,
)
from local.route53.routing import Answer, Question, Rcode, Routing

APEX = "example.com."
SOA = "ns-1.awsdns-1.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
NAME_SERVERS = ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")
GATEWAY = "d-abc.execute-api.us-east-1.amazonaws.com."
AWS_ADDRESSES = {GATEWAY: ("127.0.0.1", "::1"), "d111.cloudfront.net.": ("127.0.0.1",)}


def zone(*records: Record) -> Zone:
    apex = (
        Record(APEX, "SOA", ttl=900, values=(SOA,)),
        Record(APEX, "NS", ttl=172_800, values=NAME_SERVERS),
    )
    return Zone.of("Z1", APEX, apex + records)


def routing(*records: Record, unhealthy: Sequence[str] = (), seed: int = 1) -> Routing:
    return Routing(
        zones=(zone(*records),),
        healthy=lambda check: check not in unhealthy,
        resolve_aws_name=lambda name: AWS_ADDRESSES.get(name, ()),
        chance=random.Random(seed),
    )


def values(answer: Answer) -> list[str]:
    return [record.value for record in answer.answers]


def ask(
    name: str, kind: str, *records: Record, unhealthy: Sequence[str] = (), recursion: bool = True
) -> Answer:
    return routing(*records, unhealthy=unhealthy).answer(Question(name, kind, recursion))


def member(
    value: str, policy: Policy, check: str | None = None, name: str = "www.example.com."
) -> Record:
    return Record(name, "A", 60, (value,), None, value, policy, check)


def alias(
    name: str, target: str, *, evaluate: bool = False, policy: Policy | None = None
) -> Record:
    identifier = target if policy else ""
    points_at = AliasTarget(target, "Z1", evaluate)
    return Record(name, "A", 0, (), points_at, identifier, policy or Simple())


# --- names ---


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("WWW.Example.COM", "www.example.com."),
        ("www.example.com.", "www.example.com."),
        (r"\052.example.com.", "*.example.com."),
        (r"a\056b.example.com.", r"a\056b.example.com."),
        (r"ex\344mple.com", r"ex\344mple.com."),
    ],
)
def test_a_name_has_one_canonical_form(written: str, canonical: str) -> None:
    assert canonical_name(written) == canonical


def test_an_escaped_dot_does_not_part_labels() -> None:
    assert parent_name(r"a\056b.example.com.") == "example.com."


# --- plain answers ---


def test_a_record_answers_with_its_ttl_and_the_zones_name_servers() -> None:
    answer = ask("www.example.com", "A", Record("www.example.com.", "A", 300, ("192.0.2.1",)))
    assert answer.rcode is Rcode.NOERROR
    assert answer.authoritative
    assert [(r.ttl, r.value) for r in answer.answers] == [(300, "192.0.2.1")]
    assert [(r.type, r.value) for r in answer.authority] == [("NS", v) for v in NAME_SERVERS]


def test_the_owner_keeps_the_case_that_was_asked() -> None:
    answer = ask("wWw.eXample.com.", "A", Record("www.example.com.", "A", 300, ("192.0.2.1",)))
    assert answer.answers[0].name == "wWw.eXample.com."


def test_a_name_outside_of_the_zones_is_refused_without_authority() -> None:
    answer = ask("www.example.org", "A")
    assert (answer.rcode, answer.authoritative) == (Rcode.REFUSED, False)


def test_a_zones_name_within_another_name_is_outside() -> None:
    assert ask("notexample.com", "A").rcode is Rcode.REFUSED


def test_a_missing_name_is_nxdomain_with_the_soa_for_the_lesser_of_ttl_and_minimum() -> None:
    answer = ask("gone.example.com", "A")
    assert answer.rcode is Rcode.NXDOMAIN
    assert [(r.type, r.ttl) for r in answer.authority] == [("SOA", 900)]


def test_another_type_at_an_existing_name_is_nodata_with_the_soa() -> None:
    answer = ask("www.example.com", "AAAA", Record("www.example.com.", "A", 300, ("192.0.2.1",)))
    assert (answer.rcode, answer.answers) == (Rcode.NOERROR, ())
    assert [r.type for r in answer.authority] == ["SOA"]


def test_a_name_that_only_has_names_below_it_exists() -> None:
    deep = Record("a.b.example.com.", "A", 300, ("192.0.2.1",))
    assert ask("b.example.com", "A", deep).rcode is Rcode.NOERROR


def test_the_most_specific_zone_answers() -> None:
    below = Zone.of("Z2", "sub.example.com", [Record("sub.example.com", "A", 1, ("192.0.2.9",))])
    answer = Routing(zones=(zone(), below)).answer(Question("sub.example.com.", "A"))
    assert values(answer) == ["192.0.2.9"]


def test_any_gives_every_record_set_at_the_name() -> None:
    answer = ask(
        "www.example.com",
        "ANY",
        Record("www.example.com.", "A", 300, ("192.0.2.1",)),
        Record("www.example.com.", "TXT", 300, ('"x"',)),
    )
    assert {r.type for r in answer.answers} == {"A", "TXT"}


def test_known_addresses_of_a_mail_server_come_along() -> None:
    answer = ask(
        "example.com",
        "MX",
        Record(APEX, "MX", 300, ("10 mail.example.com",)),
        Record("mail.example.com.", "A", 300, ("192.0.2.25",)),
    )
    assert [(r.name, r.value) for r in answer.additional] == [("mail.example.com.", "192.0.2.25")]


# --- wildcards ---


@pytest.mark.parametrize("name", ["zenith.example.com", "acme.zenith.example.com"])
def test_a_wildcard_stands_for_every_level_below(name: str) -> None:
    answer = ask(name, "A", Record(r"\052.example.com.", "A", 300, ("192.0.2.1",)))
    assert [(r.name, r.value) for r in answer.answers] == [(name, "192.0.2.1")]


def test_a_specific_name_takes_precedence_over_a_wildcard_for_every_type() -> None:
    records = (
        Record("*.example.com.", "A", 300, ("192.0.2.1",)),
        Record("acme.example.com.", "TXT", 300, ('"x"',)),
    )
    assert ask("acme.example.com", "A", *records).answers == ()


def test_a_wildcard_does_not_stand_for_its_own_parent() -> None:
    answer = ask("example.com", "A", Record("*.example.com.", "A", 300, ("192.0.2.1",)))
    assert answer.answers == ()


def test_a_wildcard_is_no_delegation() -> None:
    answer = ask("x.example.com", "NS", Record("*.example.com.", "NS", 300, ("ns.other.",)))
    assert answer.rcode is Rcode.NXDOMAIN


# --- delegation ---


DELEGATED = (
    Record("sub.example.com.", "NS", 300, ("ns.sub.example.com.",)),
    Record("ns.sub.example.com.", "A", 300, ("192.0.2.53",)),
    Record("sub.example.com.", "DS", 300, ("1 8 2 AA",)),
)


@pytest.mark.parametrize("name", ["sub.example.com", "www.sub.example.com"])
def test_a_delegated_name_is_referred_with_glue_and_without_authority(name: str) -> None:
    answer = ask(name, "A", *DELEGATED)
    assert (answer.rcode, answer.authoritative, answer.answers) == (Rcode.NOERROR, False, ())
    assert [r.value for r in answer.authority] == ["ns.sub.example.com."]
    assert [r.value for r in answer.additional] == ["192.0.2.53"]


def test_the_parent_answers_for_the_ds_record_of_a_delegation() -> None:
    answer = ask("sub.example.com", "DS", *DELEGATED)
    assert answer.authoritative
    assert values(answer) == ["1 8 2 AA"]


# --- CNAME records ---


CHAIN = (
    Record("origin.example.com.", "CNAME", 10, ("us-east-1.example.com",)),
    alias("us-east-1.example.com.", GATEWAY),
)


def test_a_resolver_gets_one_link_of_a_chain() -> None:
    answer = ask("origin.example.com", "A", *CHAIN, recursion=False)
    assert [(r.type, r.ttl, r.value) for r in answer.answers] == [
        ("CNAME", 10, "us-east-1.example.com")
    ]


def test_a_stub_gets_the_whole_chain_each_link_with_its_own_ttl() -> None:
    answer = ask("origin.example.com", "A", *CHAIN)
    assert [(r.type, r.ttl, r.value) for r in answer.answers] == [
        ("CNAME", 10, "us-east-1.example.com"),
        ("A", 60, "127.0.0.1"),
    ]


def test_a_cname_that_is_asked_for_is_not_followed() -> None:
    assert values(ask("origin.example.com", "CNAME", *CHAIN)) == ["us-east-1.example.com"]


def test_a_cname_to_an_aws_name_is_resolved_for_a_stub() -> None:
    answer = ask("x.example.com", "AAAA", Record("x.example.com.", "CNAME", 10, (GATEWAY,)))
    assert [(r.name, r.value) for r in answer.answers] == [
        ("x.example.com", GATEWAY),
        (GATEWAY, "::1"),
    ]


def test_a_cname_to_a_name_that_nobody_knows_is_all_there_is() -> None:
    answer = ask("x.example.com", "A", Record("x.example.com.", "CNAME", 10, ("other.test.",)))
    assert (answer.rcode, values(answer)) == (Rcode.NOERROR, ["other.test."])


def test_a_cname_to_a_missing_name_is_nxdomain_after_the_cname() -> None:
    answer = ask("x.example.com", "A", Record("x.example.com.", "CNAME", 10, ("no.example.com.",)))
    assert (answer.rcode, values(answer)) == (Rcode.NXDOMAIN, ["no.example.com."])


def test_a_loop_of_cnames_fails() -> None:
    a = Record("a.example.com.", "CNAME", 10, ("b.example.com.",))
    b = Record("b.example.com.", "CNAME", 10, ("a.example.com.",))
    assert ask("a.example.com", "A", a, b).rcode is Rcode.SERVFAIL


# --- alias records ---


def test_an_alias_to_an_aws_resource_answers_addresses_of_the_asked_family_for_60_s() -> None:
    answer = ask("example.com", "A", alias(APEX, GATEWAY))
    assert [(r.name, r.ttl, r.value) for r in answer.answers] == [("example.com", 60, "127.0.0.1")]


def test_an_alias_to_an_aws_resource_without_such_addresses_is_nodata() -> None:
    v6 = Record(APEX, "AAAA", alias=AliasTarget("d111.cloudfront.net", "Z2FDTNDATAQYW2"))
    assert ask("example.com", "AAAA", v6).answers == ()


def test_an_alias_to_a_record_has_that_records_values_and_ttl() -> None:
    target = Record("www.example.com.", "A", 17, ("192.0.2.1", "192.0.2.2"))
    answer = ask("example.com", "A", alias(APEX, "www.example.com"), target)
    assert [(r.name, r.ttl, r.value) for r in answer.answers] == [
        ("example.com", 17, "192.0.2.1"),
        ("example.com", 17, "192.0.2.2"),
    ]


def test_an_alias_is_followed_only_for_its_own_type() -> None:
    target = Record("www.example.com.", "AAAA", 17, ("::1",))
    assert ask("example.com", "AAAA", alias(APEX, "www.example.com"), target).answers == ()


def test_an_alias_of_type_cname_answers_its_targets_cname() -> None:
    through = Record("a.example.com.", "CNAME", alias=AliasTarget("b.example.com.", "Z1"))
    target = Record("b.example.com.", "CNAME", 5, ("d111.cloudfront.net.",))
    answer = ask("a.example.com", "A", through, target)
    assert values(answer) == ["d111.cloudfront.net.", "127.0.0.1"]


def test_aliases_in_a_circle_fail() -> None:
    a, b = alias("a.example.com.", "b.example.com."), alias("b.example.com.", "a.example.com.")
    assert ask("a.example.com", "A", a, b).rcode is Rcode.SERVFAIL


# --- failover (health-checks-how-route-53-chooses-records, "Failover records") ---


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
    pair = [
        member("primary", Failover("PRIMARY"), "p"),
        member("secondary", Failover("SECONDARY"), "s"),
    ]
    records = pair if primary_listed_first else pair[::-1]
    assert values(ask("www.example.com", "A", *records, unhealthy=unhealthy)) == [serves]


def test_a_secondary_without_a_check_answers_whenever_the_primary_is_unhealthy() -> None:
    records = (
        member("primary", Failover("PRIMARY"), "p"),
        member("secondary", Failover("SECONDARY")),
    )
    assert values(ask("www.example.com", "A", *records, unhealthy=["p"])) == ["secondary"]


def test_a_failover_pair_of_cnames_leads_a_stub_to_the_healthy_region() -> None:
    def half(region: str, role: Policy, check: str) -> Record:
        target = (f"{region}.example.com",)
        return Record("origin.example.com.", "CNAME", 10, target, None, region, role, check)

    answer = ask(
        "origin.example.com",
        "A",
        half("us-east-1", Failover("PRIMARY"), "p"),
        half("us-west-2", Failover("SECONDARY"), "s"),
        alias("us-west-2.example.com.", GATEWAY),
        unhealthy=["p"],
    )
    assert values(answer) == ["us-west-2.example.com", "127.0.0.1"]


# --- weighted ---


def shares(*records: Record, unhealthy: Sequence[str] = ()) -> Counter[str]:
    rules = routing(*records, unhealthy=unhealthy)
    asked = Question("www.example.com", "A")
    return Counter(values(rules.answer(asked))[0] for _ in range(1000))


def test_weights_are_proportions() -> None:
    seen = shares(member("one", Weighted(1)), member("three", Weighted(3)))
    assert seen["one"] == pytest.approx(250, abs=60)
    assert seen["one"] + seen["three"] == 1000


def test_an_unhealthy_weighted_record_leaves_its_share_to_the_others() -> None:
    seen = shares(member("a", Weighted(1), "a"), member("b", Weighted(9), "b"), unhealthy=["b"])
    assert seen == {"a": 1000}


def test_a_weight_of_zero_never_answers_beside_a_healthy_other() -> None:
    assert shares(member("zero", Weighted(0)), member("one", Weighted(1))) == {"one": 1000}


def test_a_weight_of_zero_answers_once_the_others_are_unhealthy() -> None:
    seen = shares(
        member("zero", Weighted(0), "z"), member("one", Weighted(1), "o"), unhealthy=["o"]
    )
    assert seen == {"zero": 1000}


def test_weights_of_zero_everywhere_share_equally() -> None:
    seen = shares(member("a", Weighted(0)), member("b", Weighted(0)))
    assert seen["a"] == pytest.approx(500, abs=80)


def test_all_unhealthy_weighted_records_answer_as_if_all_were_healthy() -> None:
    records = (member("a", Weighted(1), "a"), member("b", Weighted(1), "b"))
    seen = shares(*records, unhealthy=["a", "b"])
    assert seen["a"] == pytest.approx(500, abs=80)


# --- latency ---


EAST = member("east", Latency("us-east-1"), "e")
WEST = member("west", Latency("us-west-2"), "w")


@pytest.mark.parametrize(
    ("client", "unhealthy", "serves"),
    [
        ("us-east-1", (), "east"),
        ("us-west-2", (), "west"),
        ("us-east-1", ("e",), "west"),
        ("us-west-2", ("e", "w"), "west"),
    ],
)
def test_latency(client: str, unhealthy: Sequence[str], serves: str) -> None:
    rules = Routing(
        zones=(zone(EAST, WEST),),
        healthy=lambda check: check not in unhealthy,
        client_region=client,
    )
    assert values(rules.answer(Question("www.example.com", "A"))) == [serves]


def test_measured_latency_decides_when_it_is_given() -> None:
    rules = Routing(
        zones=(zone(EAST, WEST),),
        client_region="eu-west-1",
        latency=lambda _client, region: {"us-east-1": 90.0, "us-west-2": 80.0}[region],
    )
    assert values(rules.answer(Question("www.example.com", "A"))) == ["west"]


# --- multivalue ---


def test_multivalue_answers_every_healthy_record() -> None:
    records = [member(str(n), MultiValue(), str(n)) for n in range(4)]
    answer = ask("www.example.com", "A", *records, unhealthy=["2"])
    assert set(values(answer)) == {"0", "1", "3"}


def test_multivalue_answers_eight_at_most_also_when_all_are_unhealthy() -> None:
    records = [member(str(n), MultiValue(), str(n)) for n in range(12)]
    answer = ask("www.example.com", "A", *records, unhealthy=[str(n) for n in range(12)])
    assert len(set(values(answer))) == 8


# --- trees (dns-failover-complex-configs) ---


def tree(*, evaluate: bool) -> tuple[Record, ...]:
    return (
        alias("www.example.com.", "e.example.com", evaluate=evaluate, policy=Latency("us-east-1")),
        alias("www.example.com.", "w.example.com", evaluate=evaluate, policy=Latency("us-west-2")),
        member("e1", Weighted(1), "e1", name="e.example.com."),
        member("e2", Weighted(1), "e2", name="e.example.com."),
        member("w1", Weighted(1), "w1", name="w.example.com."),
    )


@pytest.mark.parametrize(
    ("evaluate", "unhealthy", "serves"),
    [
        (True, ("e1",), {"e2"}),
        (True, ("e1", "e2"), {"w1"}),
        (False, ("e1", "e2"), {"e1", "e2"}),
        (True, ("e1", "e2", "w1"), {"e1", "e2"}),
    ],
)
def test_a_branch_without_a_healthy_record_is_left_if_target_health_is_evaluated(
    unhealthy: Sequence[str], serves: set[str], *, evaluate: bool
) -> None:
    answer = ask("www.example.com", "A", *tree(evaluate=evaluate), unhealthy=unhealthy)
    assert set(values(answer)) <= serves
    assert answer.answers


def test_a_member_without_a_check_keeps_its_branch_healthy() -> None:
    records = (*tree(evaluate=True), member("e3", Weighted(0), name="e.example.com."))
    assert values(ask("www.example.com", "A", *records, unhealthy=["e1", "e2"])) == ["e3"]


def test_an_aliass_own_check_must_pass_beside_its_targets_health() -> None:
    primary = Record(
        "www.example.com.",
        "A",
        alias=AliasTarget("e.example.com", "Z1", evaluate_target_health=True),
        set_identifier="p",
        policy=Failover("PRIMARY"),
        health_check_id="own",
    )
    records = (
        primary,
        member("secondary", Failover("SECONDARY")),
        member("e1", Simple(), name="e.example.com."),
    )
    assert values(ask("www.example.com", "A", *records)) == ["e1"]
    assert values(ask("www.example.com", "A", *records, unhealthy=["own"])) == ["secondary"]
