"""Zones and health checks as the embedded AWS keeps them, made through its own API."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from ministack.core.responses import set_request_region
from ministack.services import cloudwatch, route53

from local.dns.health.checks import HealthCheck, health_check
from local.dns.routing import Question, Routing
from local.dns.zones import Zone, name_of, zone_of
from local.patches import route53 as state
from local.patches.route53 import health_check_lists

NS = "https://route53.amazonaws.com/doc/2013-04-01/"

pytestmark = pytest.mark.usefixtures("empty_route53")


def call(path: str, root: str, body: str) -> str:
    document = f'<{root} xmlns="{NS}">{body}</{root}>'
    status, _, answer = asyncio.run(
        route53.handle_request("POST", "/2013-04-01" + path, {}, document.encode(), {})
    )
    assert status in (200, 201), answer
    return str(answer.decode())


def made_id(answer: str) -> str:
    found = re.search(r"<Id>(?:/hostedzone/)?([^<]+)</Id>", answer)
    assert found is not None
    return found.group(1)


def zone_with(*sets: str, private: str = "") -> str:
    answer = call(
        "/hostedzone",
        "CreateHostedZoneRequest",
        f"<Name>landing.localhost</Name><CallerReference>{len(sets)}{private}</CallerReference>"
        + private,
    )
    changes = "".join(
        f"<Change><Action>CREATE</Action><ResourceRecordSet>{one}</ResourceRecordSet></Change>"
        for one in sets
    )
    zone_id = made_id(answer)
    if sets:
        batch = f"<ChangeBatch><Changes>{changes}</Changes></ChangeBatch>"
        call(f"/hostedzone/{zone_id}/rrset", "ChangeResourceRecordSetsRequest", batch)
    return zone_id


def plain(name: str, kind: str, value: str, extra: str = "") -> str:
    values = f"<ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>"
    ending = f"</ResourceRecords><TTL>10</TTL>{extra}"
    return f"<Name>{name}</Name><Type>{kind}</Type>{values}{ending}"


def check_with(body: str) -> str:
    config = f"<HealthCheckConfig>{body}</HealthCheckConfig>"
    reference = f"<CallerReference>{hash(body)}</CallerReference>"
    return made_id(call("/healthcheck", "CreateHealthCheckRequest", reference + config))


def only_zone() -> Zone:
    (found,) = state.public_zones()
    return zone_of(found.name, found.record_sets)


def only_zone_id() -> str:
    (found,) = route53._zones
    return str(found)


def only_check() -> HealthCheck:
    ((check_id, document),) = state.health_check_configurations().items()
    return health_check(check_id, document)


def test_ministack_still_needs_the_checkers_reports() -> None:
    for operation in ("status", "lastfailurereason"):
        path = f"/2013-04-01/healthcheck/check-1/{operation}"
        _, _, answer = asyncio.run(route53.handle_request("GET", path, {}, b"", {}))
        assert b"Unknown Route53 endpoint" in answer


def test_a_new_zone_answers_with_its_soa_and_name_servers() -> None:
    zone_with()
    for kind in ("SOA", "NS"):
        answer = Routing((only_zone(),)).answer(Question(name_of("landing.localhost"), kind))
        assert answer.answer


def test_a_registered_domain_has_one_zone_which_answers() -> None:
    state.register_domain("landing.localhost")
    first = only_zone_id()
    state.register_domain("landing.localhost")

    assert only_zone_id() == first
    answer = Routing((only_zone(),)).answer(Question(name_of("landing.localhost"), "NS"))
    assert answer.answer


def test_a_registered_domains_zone_says_who_made_it() -> None:
    state.register_domain("landing.localhost")
    (zone,) = route53._zones.values()
    assert zone["comment"] == state.REGISTRARS_COMMENT
    assert zone["caller_reference"].startswith("RISWorkflow-RD:")


def test_a_zone_of_a_registered_domain_that_somebody_made_stays_the_only_one() -> None:
    zone_id = zone_with(plain("www.landing.localhost", "A", "192.0.2.1"))
    state.register_domain("landing.localhost")
    assert only_zone_id() == zone_id
    assert only_zone().at(name_of("www.landing.localhost"), "A")


def test_neither_a_private_zone_nor_one_below_it_is_a_registered_domains() -> None:
    vpc = "<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>"
    zone_with(private=vpc)
    call(
        "/hostedzone",
        "CreateHostedZoneRequest",
        "<Name>below.landing.localhost</Name><CallerReference>2</CallerReference>",
    )
    state.register_domain("landing.localhost")
    names = sorted(zone.name for zone in state.public_zones())
    assert names == ["below.landing.localhost.", "landing.localhost."]


def test_a_failover_pair_with_health_checks_is_read_whole() -> None:
    zone_with(
        plain(
            "origin.landing.localhost",
            "CNAME",
            "us-east-1.landing.localhost",
            "<SetIdentifier>p</SetIdentifier><Failover>PRIMARY</Failover>"
            "<HealthCheckId>check-1</HealthCheckId>",
        ),
        plain(
            "origin.landing.localhost",
            "CNAME",
            "us-west-2.landing.localhost",
            "<SetIdentifier>s</SetIdentifier><Failover>SECONDARY</Failover>",
        ),
    )
    primary, secondary = only_zone().at(name_of("origin.landing.localhost"), "CNAME")
    assert (primary.failover, primary.health_check_id) == ("PRIMARY", "check-1")
    assert (secondary.failover, secondary.health_check_id) == ("SECONDARY", None)
    assert (primary.ttl, primary.not_emulated) == (10, "")


def test_an_alias_is_read_with_its_target() -> None:
    zone_with(
        "<Name>api.landing.localhost</Name><Type>A</Type><AliasTarget>"
        "<HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>d111.cloudfront.net</DNSName>"
        "<EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>"
    )
    (found,) = only_zone().at(name_of("api.landing.localhost"), "A")
    assert (found.alias, found.not_emulated) == (name_of("d111.cloudfront.net"), "")


def test_what_an_older_state_holds_and_is_not_emulated_is_marked() -> None:
    weighted = "<SetIdentifier>x</SetIdentifier><Weight>0</Weight>"
    zone_with(plain("www.landing.localhost", "A", "192.0.2.1", weighted))
    (found,) = only_zone().at(name_of("www.landing.localhost"), "A")
    assert found.not_emulated == "weighted routing"


def test_private_zones_are_not_served() -> None:
    vpc = "<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>"
    zone_with(private=vpc)
    assert state.public_zones() == []


def test_a_health_check_is_read_with_awss_defaults() -> None:
    check_id = check_with(
        "<Type>HTTPS</Type><FullyQualifiedDomainName>us-east-1.landing.localhost"
        "</FullyQualifiedDomainName><ResourcePath>/health/ready</ResourcePath>"
    )
    check = only_check()
    assert check.id == check_id
    assert (check.port, check.interval, check.failure_threshold) == (443, 30, 3)
    assert (check.enable_sni, check.inverted, check.disabled) == (True, False, False)
    assert check.request_path == "/health/ready"


def test_a_calculated_health_check_is_read_with_its_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(route53, "_parse_health_check_config", route53._parse_health_check_config)
    health_check_lists()
    check_with(
        "<Type>CALCULATED</Type><HealthThreshold>2</HealthThreshold><ChildHealthChecks>"
        "<ChildHealthCheck>a</ChildHealthCheck><ChildHealthCheck>b</ChildHealthCheck>"
        "</ChildHealthChecks><Inverted>true</Inverted>"
    )
    check = only_check()
    assert (check.children, check.health_threshold, check.inverted) == (("a", "b"), 2, True)


def test_an_updated_health_check_is_read_anew() -> None:
    check_id = check_with("<Type>HTTPS</Type><Port>5</Port>")
    call(f"/healthcheck/{check_id}", "UpdateHealthCheckRequest", "<Disabled>true</Disabled>")
    check = only_check()
    assert (check.disabled, check.port) == (True, 5)


def test_a_checks_name_is_its_tag_or_its_id() -> None:
    check_id = check_with("<Type>HTTPS</Type>")
    assert state.health_check_name(check_id) == check_id
    tags = "<AddTags><Tag><Key>Name</Key><Value>ready</Value></Tag></AddTags>"
    call(f"/tags/healthcheck/{check_id}", "ChangeTagsForResourceRequest", tags)
    assert state.health_check_name(check_id) == "ready"


def test_a_metric_is_stored_in_us_east_1_and_nowhere_else() -> None:
    set_request_region("us-west-2")
    state.store_metric("HealthCheckStatus", "check-1", 1.0, "None", time.time())
    stored = cloudwatch._metrics._data
    assert [(key[1], key[2][:2]) for key in stored] == [
        ("us-east-1", ("AWS/Route53", "HealthCheckStatus"))
    ]
    (points,) = stored.values()
    assert points[0]["Value"] == 1.0
    assert points[0]["Dimensions"] == {"HealthCheckId": "check-1"}
    set_request_region("us-east-1")
