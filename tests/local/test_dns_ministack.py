"""Zones and health checks as the embedded AWS keeps them, made through its own API."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import pytest
from ministack.core.responses import set_request_region
from ministack.services import cloudwatch, route53

from local.mends.route53 import health_check_lists
from local.route53.health_checks import Metric
from local.route53.ministack_state import (
    health_checks_from_ministack,
    publish_to_ministack,
    zones_from_ministack,
)
from local.route53.records import AliasTarget, Failover, Latency, MultiValue, Weighted
from local.route53.routing import Question, Rcode, Routing

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


def test_a_new_zone_answers_with_its_soa_and_name_servers() -> None:
    zone_with()
    routing = Routing(zones_from_ministack())
    for kind in ("SOA", "NS"):
        answer = routing.answer(Question("landing.localhost.", kind))
        assert answer.rcode is Rcode.NOERROR
        assert answer.answers


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
    (zone,) = zones_from_ministack()
    primary, secondary = zone.at("origin.landing.localhost.")["CNAME"]
    assert (primary.policy, primary.health_check_id) == (Failover("PRIMARY"), "check-1")
    assert (secondary.policy, secondary.health_check_id) == (Failover("SECONDARY"), None)
    assert (primary.ttl, primary.set_identifier) == (10, "p")


def test_an_alias_is_read_with_its_target() -> None:
    zone_with(
        "<Name>api.landing.localhost</Name><Type>A</Type><AliasTarget>"
        "<HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>d111.cloudfront.net</DNSName>"
        "<EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>"
    )
    (zone,) = zones_from_ministack()
    (record,) = zone.at("api.landing.localhost.")["A"]
    assert record.alias == AliasTarget(
        "d111.cloudfront.net.", "Z2FDTNDATAQYW2", evaluate_target_health=True
    )


@pytest.mark.parametrize(
    ("element", "policy"),
    [
        ("<Weight>0</Weight>", Weighted(0)),
        ("<Region>us-west-2</Region>", Latency("us-west-2")),
        ("<MultiValueAnswer>true</MultiValueAnswer>", MultiValue()),
    ],
)
def test_routing_policies(element: str, policy: object) -> None:
    identifier = "<SetIdentifier>x</SetIdentifier>"
    zone_with(plain("www.landing.localhost", "A", "192.0.2.1", identifier + element))
    (zone,) = zones_from_ministack()
    assert [record.policy for record in zone.at("www.landing.localhost.")["A"]] == [policy]


def test_a_policy_that_is_not_played_leaves_its_record_out() -> None:
    geo = "<SetIdentifier>x</SetIdentifier><GeoLocation><CountryCode>FR</CountryCode></GeoLocation>"
    zone_with(plain("www.landing.localhost", "A", "192.0.2.1", geo))
    (zone,) = zones_from_ministack()
    assert not zone.at("www.landing.localhost.")


def test_private_zones_are_not_served() -> None:
    vpc = "<VPC><VPCRegion>us-east-1</VPCRegion><VPCId>vpc-1</VPCId></VPC>"
    zone_with(private=vpc)
    assert zones_from_ministack() == ()


def test_a_health_check_is_read_with_awss_defaults() -> None:
    check_id = check_with(
        "<Type>HTTPS</Type><FullyQualifiedDomainName>us-east-1.landing.localhost"
        "</FullyQualifiedDomainName><ResourcePath>/health/ready</ResourcePath>"
    )
    (check,) = health_checks_from_ministack()
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
    (check,) = health_checks_from_ministack()
    assert (check.children, check.health_threshold, check.inverted) == (("a", "b"), 2, True)


def test_an_updated_health_check_is_read_anew() -> None:
    check_id = check_with("<Type>TCP</Type><IPAddress>192.0.2.1</IPAddress><Port>5</Port>")
    call(f"/healthcheck/{check_id}", "UpdateHealthCheckRequest", "<Disabled>true</Disabled>")
    (check,) = health_checks_from_ministack()
    assert (check.disabled, check.port) == (True, 5)


def test_a_metric_is_stored_in_us_east_1_and_nowhere_else() -> None:
    set_request_region("us-west-2")
    at = datetime.now(UTC)
    publish_to_ministack(Metric("HealthCheckStatus", "check-1", 1.0, "None", at))
    stored = cloudwatch._metrics._data
    assert [(key[1], key[2][:2]) for key in stored] == [
        ("us-east-1", ("AWS/Route53", "HealthCheckStatus"))
    ]
    (points,) = stored.values()
    assert points[0]["Value"] == 1.0
    assert points[0]["Dimensions"] == {"HealthCheckId": "check-1"}
    set_request_region("us-east-1")
