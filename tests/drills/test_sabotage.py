"""A system that is broken on purpose fails its drill, and the drill says why."""

from __future__ import annotations

import io
import zipfile
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from drills.system import System
from project.paths import TREE
from tests.drills.command import drill
from tests.support.deployed_system import deployed_system

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.clone import Clone

DERIVED = b"derived_id(caller, key)"
NOT_DERIVED = b'derived_id(caller, key + __import__("os").urandom(8).hex())'


@pytest.fixture
def system(deployed_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> System:
    """The clone's system, reached as `make drill` reaches it there."""
    deployed_clone.lead_here(monkeypatch)
    return deployed_system(monkeypatch, deployed_clone.tree)


@contextmanager
def without_failover_record(system: System) -> Iterator[None]:
    """While open, the zone has no SECONDARY record."""
    route53 = system.route53()
    domain = system.account.domain_name
    zone = route53.list_hosted_zones_by_name(DNSName=domain)["HostedZones"][0]["Id"]
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    secondary = next(one for one in records if one.get("Failover") == "SECONDARY")

    def change(action: Any) -> None:
        batch: Any = {"Changes": [{"Action": action, "ResourceRecordSet": secondary}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change("DELETE")
    try:
        yield
    finally:
        change("CREATE")


@contextmanager
def health_check_of_the_wrong_region(system: System) -> Iterator[None]:
    """While open, what should watch the primary watches the standby."""
    route53 = system.route53()
    right, wrong = (f"{region}.{system.account.domain_name}" for region in system.regions)
    check = next(
        one
        for one in route53.list_health_checks()["HealthChecks"]
        if one["HealthCheckConfig"].get("FullyQualifiedDomainName") == right
    )

    def watch(name: str) -> None:
        route53.update_health_check(HealthCheckId=check["Id"], FullyQualifiedDomainName=name)

    watch(wrong)
    try:
        yield
    finally:
        watch(right)


@contextmanager
def without_idempotency(system: System) -> Iterator[None]:
    """While open, each Region's function makes a new item of every request."""
    before = {region: _serving_version(system, region) for region in system.regions}
    try:
        for region in system.regions:
            _serve(system, region, _publish(system, region, _sabotaged()))
        yield
    finally:
        for region, version in before.items():
            _serve(system, region, version)
        for region in before:
            _restore(system, region)


def _name(system: System, region: str) -> str:
    names = {stack.region: stack.function_name for stack in system.deployment.regions}
    return names[region]


def _serving_version(system: System, region: str) -> str:
    alias = system.functions(region).get_alias(FunctionName=_name(system, region), Name="live")
    return str(alias["FunctionVersion"])


def _serve(system: System, region: str, version: str) -> None:
    system.functions(region).update_alias(
        FunctionName=_name(system, region), Name="live", FunctionVersion=version
    )


def _restore(system: System, region: str) -> None:
    """Leave the code and the versions that Terraform made."""
    client, name = system.functions(region), _name(system, region)
    client.update_function_code(FunctionName=name, ZipFile=TREE.package.read_bytes())
    kept = {"$LATEST", _serving_version(system, region)}
    for one in client.list_versions_by_function(FunctionName=name)["Versions"]:
        if one["Version"] not in kept:
            # boto's second try, after an answer that was slow, finds it gone.
            with suppress(client.exceptions.ResourceNotFoundException):
                client.delete_function(FunctionName=name, Qualifier=one["Version"])


def _publish(system: System, region: str, package: bytes) -> str:
    client, name = system.functions(region), _name(system, region)
    client.update_function_code(FunctionName=name, ZipFile=package)
    return str(client.publish_version(FunctionName=name)["Version"])


def _sabotaged() -> bytes:
    written = io.BytesIO()
    with (
        zipfile.ZipFile(TREE.package) as package,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for entry in package.infolist():
            content = package.read(entry)
            if entry.filename == "items/logic.py":
                assert DERIVED in content
                content = content.replace(DERIVED, NOT_DERIVED)
            # Or the bytecode of before would run.
            if "items/__pycache__/logic" not in entry.filename:
                changed.writestr(entry.filename, content)
    return written.getvalue()


def missed(report: Mapping[str, Any]) -> set[str]:
    """Name what the report says was missed."""
    return {check["name"] for check in report["checks"] if not check["met"]}


def test_without_failover_records_and_idempotency_the_drill_misses_both(
    system: System, deployed_clone: Clone
) -> None:
    with ExitStack() as broken:
        broken.enter_context(without_failover_record(system))
        broken.enter_context(without_idempotency(system))
        status, output, report = drill(deployed_clone, "region-lost")

    assert status == 1, output
    assert {"Served by the standby", "RTO for writes", "Writes that made two items"} <= missed(
        report
    )
    assert any("SECONDARY" in reason for reason in report["reasons"])
    assert any("Idempotency-Key" in reason for reason in report["reasons"])


def test_a_health_check_of_the_wrong_region_is_found_out(
    system: System, deployed_clone: Clone
) -> None:
    with health_check_of_the_wrong_region(system):
        status, output, report = drill(deployed_clone, "region-lost")

    assert status == 1, output
    assert {"Served by the standby", "RTO for writes"} <= missed(report)
    assert any("what the health checks watch" in reason for reason in report["reasons"])
