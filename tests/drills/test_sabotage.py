"""A system that is broken on purpose fails its drill, and the drill says why."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from drills.history import Kind
from drills.report.files import REPORTS
from drills.system import System
from drills.traffic import REPLAY_EVERY
from project.paths import TREE
from tests.drills.command import drill
from tests.support.deployed_system import deployed_system
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.clone import Clone

DERIVED = b"derived_id(caller, key)"
# The drill makes its users, then looks at its steady state for 15 s.
BEGUN_DEADLINE = 60.0
NOT_DERIVED = b'derived_id(caller, key + __import__("os").urandom(8).hex())'


@pytest.fixture
def system(deployed_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> System:
    """The clone's system, reached as `make drill` reaches it there."""
    deployed_clone.lead_here(monkeypatch)
    return deployed_system(monkeypatch, deployed_clone.tree)


def _client(service: str, region: str = "us-east-1") -> Any:
    """Make a client that waits: a change that is sent twice, as the first was slow, is refused."""
    patient = Config(read_timeout=300, retries={"total_max_attempts": 1})
    return boto3.Session().client(service, region_name=region, config=patient)  # type: ignore[call-overload]


@contextmanager
def without_failover_record(system: System) -> Iterator[None]:
    """While open, the zone has no SECONDARY record."""
    route53: Any = _client("route53")
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
def without_function_at_the_edge(system: System) -> Iterator[None]:
    """While open, the distribution runs no function: a read follows DNS alone, as a write does."""
    client = _client("cloudfront")
    (distribution,) = client.list_distributions()["DistributionList"]["Items"]
    found = client.get_distribution_config(Id=distribution["Id"])
    config: dict[str, Any] = found["DistributionConfig"]
    before = config["DefaultCacheBehavior"]["FunctionAssociations"]

    def associate(functions: dict[str, Any]) -> None:
        config["DefaultCacheBehavior"]["FunctionAssociations"] = functions
        etag = client.get_distribution_config(Id=distribution["Id"])["ETag"]
        client.update_distribution(Id=distribution["Id"], IfMatch=etag, DistributionConfig=config)

    assert before["Quantity"] == 1
    associate({"Quantity": 0})
    try:
        yield
    finally:
        associate(before)


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
    alias = _client("lambda", region).get_alias(FunctionName=_name(system, region), Name="live")
    return str(alias["FunctionVersion"])


def _serve(system: System, region: str, version: str) -> None:
    _client("lambda", region).update_alias(
        FunctionName=_name(system, region), Name="live", FunctionVersion=version
    )


def _restore(system: System, region: str) -> None:
    """Leave the code and the versions that Terraform made."""
    client, name = _client("lambda", region), _name(system, region)
    client.update_function_code(FunctionName=name, ZipFile=TREE.package.read_bytes())
    kept = {"$LATEST", _serving_version(system, region)}
    for one in client.list_versions_by_function(FunctionName=name)["Versions"]:
        if one["Version"] not in kept:
            client.delete_function(FunctionName=name, Qualifier=one["Version"])


def _publish(system: System, region: str, package: bytes) -> str:
    client, name = _client("lambda", region), _name(system, region)
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


def deletes_an_acknowledged_item(system: System, clone: Clone, deleted: list[int]) -> None:
    """Wait for the drill's first create that nothing sends again, and remove what it made."""
    seen: set[Path] = set(clone.at(REPORTS).glob("*-region-lost"))

    def acknowledged() -> list[dict[str, Any]]:
        new = set(clone.at(REPORTS).glob("*-region-lost")) - seen
        lines = [line for folder in new for line in _whole_lines(folder / "journal.jsonl")]
        return [each for each in map(json.loads, lines) if _is_sent_once(each)]

    write = eventually(acknowledged, bool, BEGUN_DEADLINE)[0]
    key = {"owner": {"S": write["owner"]}, "item_id": {"S": write["item_id"]}}
    system.dynamodb(system.primary).delete_item(TableName=system.deployment.table_name, Key=key)
    deleted.append(write["operation"])


def _whole_lines(journal: Path) -> list[str]:
    return journal.read_text().rpartition("\n")[0].splitlines() if journal.exists() else []


def _is_sent_once(write: dict[str, Any]) -> bool:
    return bool(write["kind"] == Kind.CREATE and write["operation"] % REPLAY_EVERY)


def test_a_drill_finds_everything_that_was_taken_away(
    system: System, deployed_clone: Clone
) -> None:
    """One drill for four faults, each with a check and a reason of its own."""
    deleted: list[int] = []
    with ExitStack() as broken:
        broken.enter_context(without_failover_record(system))
        broken.enter_context(without_idempotency(system))
        broken.enter_context(without_function_at_the_edge(system))
        deleting = Thread(
            target=deletes_an_acknowledged_item, args=(system, deployed_clone, deleted)
        )
        deleting.start()
        status, output, report = drill(deployed_clone, "region-lost")
        deleting.join()

    assert status == 1, output
    assert missed(report) >= {
        "Failed reads",
        "First write in the standby",
        "RTO for writes",
        "Standby's replica read at takeover",
        "Writes that made two items",
        "Acknowledged writes missing after healing",
    }
    assert report["figures"]["data_loss"]["missing_after_healing"] == deleted
    reasons = " ".join(report["reasons"])
    for reason in ("edge's function", "SECONDARY", "Idempotency-Key", "writes are gone"):
        assert reason in reasons
