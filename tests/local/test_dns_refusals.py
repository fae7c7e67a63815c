"""What the embedded Route 53 doesn't do is refused when it is made, in words that say so."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.emulator import Emulator

DOMAIN = "refusals.localhost"
NAME = f"www.{DOMAIN}"
ADDRESS = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}


@pytest.fixture(scope="module")
def zone(emulator: Emulator) -> Iterator[str]:
    client = emulator.client("route53")
    made: str = client.create_hosted_zone(Name=DOMAIN, CallerReference="1")["HostedZone"]["Id"]
    yield made
    client.delete_hosted_zone(Id=made)


def change(emulator: Emulator, zone: str, action: str, **record: Any) -> None:
    record = {"Name": NAME, "Type": "A", **record}
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    emulator.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)


def alias(target: str, *, evaluate: bool = False) -> dict[str, Any]:
    where = {"HostedZoneId": "Z1", "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"AliasTarget": where}


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"Weight": 0, **ADDRESS}, "weighted routing"),
        ({"Region": "us-east-1", **ADDRESS}, "latency routing"),
        ({"MultiValueAnswer": True, **ADDRESS}, "multivalue answer routing"),
        ({"GeoLocation": {"CountryCode": "FR"}, **ADDRESS}, "geolocation routing"),
        (
            {"GeoProximityLocation": {"AWSRegion": "us-east-1"}, **ADDRESS},
            "geoproximity routing",
        ),
        (
            {"CidrRoutingConfig": {"CollectionId": "1" * 36, "LocationName": "a"}, **ADDRESS},
            "IP-based routing",
        ),
        ({"Name": f"*.{DOMAIN}", **ADDRESS}, "wildcard names"),
        ({"Name": rf"\052.{DOMAIN}", **ADDRESS}, "wildcard names"),
        (
            {"Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example.com"}]},
            "the delegation of a name by NS records",
        ),
        ({"Type": "CNAME", **alias("d1.cloudfront.net")}, "alias records of type CNAME"),
        (alias(f"other.{DOMAIN}"), "an alias of another record"),
        (alias("d1.cloudfront.net", evaluate=True), "EvaluateTargetHealth"),
    ],
)
def test_a_record_set(emulator: Emulator, zone: str, record: dict[str, Any], what: str) -> None:
    with pytest.raises(ClientError, match=f"{what}: not emulated") as refused:
        change(emulator, zone, "UPSERT", SetIdentifier="x", **record)
    assert refused.value.response["Error"]["Code"] == "InvalidInput"
    listed = emulator.client("route53").list_resource_record_sets(HostedZoneId=zone)
    assert {each["Type"] for each in listed["ResourceRecordSets"]} == {"NS", "SOA"}


def test_a_name_that_is_none(emulator: Emulator, zone: str) -> None:
    with pytest.raises(ClientError, match="label") as refused:
        change(emulator, zone, "CREATE", Name=f"{'x' * 64}.{DOMAIN}", **ADDRESS)
    assert refused.value.response["Error"]["Code"] == "InvalidInput"


def test_a_deletion_is_not_refused_for_what_it_deletes(emulator: Emulator, zone: str) -> None:
    with pytest.raises(ClientError, match="it was not found"):
        change(emulator, zone, "DELETE", SetIdentifier="x", Weight=1, **ADDRESS)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        *(
            ({"Type": kind}, f"health checks of type {kind}")
            for kind in (
                "HTTP",
                "TCP",
                "HTTP_STR_MATCH",
                "HTTPS_STR_MATCH",
                "CLOUDWATCH_METRIC",
                "RECOVERY_CONTROL",
            )
        ),
        ({"IPAddress": "192.0.2.1"}, "IPAddress of a health check"),
        ({"SearchString": "ready"}, "SearchString of a health check"),
        ({"MeasureLatency": True}, "MeasureLatency of a health check"),
    ],
)
def test_a_health_check(emulator: Emulator, config: dict[str, Any], what: str) -> None:
    client = emulator.client("route53")
    before = client.list_health_checks()["HealthChecks"]
    requested = {"Type": "HTTPS", "FullyQualifiedDomainName": NAME, **config}
    with pytest.raises(ClientError, match=f"{what}: not emulated") as refused:
        client.create_health_check(CallerReference=what, HealthCheckConfig=requested)
    assert refused.value.response["Error"]["Code"] == "InvalidInput"
    assert client.list_health_checks()["HealthChecks"] == before


def test_a_health_checks_change(emulator: Emulator) -> None:
    client = emulator.client("route53")
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": NAME, "Disabled": True}
    made = client.create_health_check(CallerReference="change", HealthCheckConfig=config)
    check_id = made["HealthCheck"]["Id"]
    try:
        with pytest.raises(ClientError, match="IPAddress of a health check: not emulated"):
            client.update_health_check(HealthCheckId=check_id, IPAddress="192.0.2.1")
        client.update_health_check(HealthCheckId=check_id, ResourcePath="/other")
    finally:
        client.delete_health_check(HealthCheckId=check_id)


def test_a_check_that_a_calculated_one_names_stays(emulator: Emulator) -> None:
    client = emulator.client("route53")
    endpoint = {"Type": "HTTPS", "FullyQualifiedDomainName": NAME, "Disabled": True}
    child = client.create_health_check(CallerReference="child", HealthCheckConfig=endpoint)
    child_id = child["HealthCheck"]["Id"]
    calculated = {"Type": "CALCULATED", "ChildHealthChecks": [child_id], "HealthThreshold": 1}
    parent = client.create_health_check(CallerReference="parent", HealthCheckConfig=calculated)
    parent_id = parent["HealthCheck"]["Id"]

    with pytest.raises(ClientError, match=f"still referenced from .*{parent_id}") as refused:
        client.delete_health_check(HealthCheckId=child_id)

    assert refused.value.response["Error"]["Code"] == "InvalidInput"
    client.get_health_check(HealthCheckId=child_id)
    client.delete_health_check(HealthCheckId=parent_id)
    client.delete_health_check(HealthCheckId=child_id)


def test_a_record_of_a_check_that_is_not_there(emulator: Emulator, zone: str) -> None:
    failover = {"SetIdentifier": "x", "Failover": "PRIMARY", "HealthCheckId": "0" * 36, **ADDRESS}
    with pytest.raises(ClientError, match="No health check exists") as refused:
        change(emulator, zone, "UPSERT", **failover)
    assert refused.value.response["Error"]["Code"] == "NoSuchHealthCheck"
