"""The fault that AWS FIS makes in an account, against botocore's own description of FIS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from drills.faults import from_note, to_note
from drills.fis import ReplicationPaused
from project.console import ToolchainError
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import TARGETS, system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drills.system import System

ROLE = "arn:aws:iam::345678901234:role/drills-fis"
ALARM = f"arn:aws:cloudwatch:{STANDBY}:345678901234:alarm:landing-dev-availability-fast-short"
TABLE = f"arn:aws:dynamodb:{STANDBY}:345678901234:table/items"
FAULT = ReplicationPaused(STANDBY, "drill-1", ROLE, ALARM)


class Account:
    """A system whose clients answer what they are told to, in turn."""

    def __init__(self) -> None:
        self.system: System = system(replace(TARGETS, fis_role_arn=ROLE))
        self.fis = self._stub("fis", STANDBY)
        self.cloudwatch = self._stub("cloudwatch", STANDBY)
        self.primary = self._stub("dynamodb", PRIMARY)
        self.standby = self._stub("dynamodb", STANDBY)

    def _stub(self, service: Any, region: str) -> Stubber:
        client: Any = boto3.Session().client(
            service, region_name=region, aws_access_key_id="a", aws_secret_access_key="a"
        )
        self.system._clients[service, region] = client
        stub = Stubber(client)
        stub.activate()
        return stub

    def replica_is(self, *statuses: str) -> None:
        """What the primary says of its replicas, look by look."""
        for status in statuses:
            replicas = [
                {"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"},
                {"RegionName": STANDBY, "ReplicaStatus": status},
            ]
            self.primary.add_response("describe_table", {"Table": {"Replicas": replicas}})

    def assert_all_was_asked(self) -> None:
        for stub in (self.fis, self.cloudwatch, self.primary, self.standby):
            stub.assert_no_pending_responses()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setattr("drills.fis.time.sleep", lambda _seconds: None)
    made = Account()
    yield made
    made.assert_all_was_asked()


def expect_begun(account: Account) -> None:
    """A template and an experiment of it, as AWS's reference of actions describes them."""
    account.standby.add_response("describe_table", {"Table": {"TableArn": TABLE}})
    account.fis.add_response(
        "create_experiment_template",
        {"experimentTemplate": {"id": "EXT1"}},
        {
            "clientToken": "drill-1",
            "description": "A drill of this repository (make drill NAME=replication-paused)",
            "roleArn": ROLE,
            "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": ALARM}],
            "targets": {
                "table": {
                    "resourceType": "aws:dynamodb:global-table",
                    "resourceArns": [TABLE],
                    "selectionMode": "ALL",
                }
            },
            "actions": {
                "pause": {
                    "actionId": "aws:dynamodb:global-table-pause-replication",
                    "parameters": {"duration": "PT15M"},
                    "targets": {"Tables": "table"},
                }
            },
            "tags": {"drill": "drill-1"},
        },
    )
    account.fis.add_response(
        "start_experiment",
        {"experiment": {"id": "EXP1"}},
        {
            "clientToken": "drill-1",
            "experimentTemplateId": "EXT1",
            "tags": {"drill": "drill-1"},
        },
    )


def expect_listed(account: Account, *statuses: str) -> None:
    """Experiments of ours in these states, and one of somebody else's."""
    ours = [
        {"id": f"EXP{number}", "state": {"status": status}, "tags": {"drill": "drill-1"}}
        for number, status in enumerate(statuses)
    ]
    others = [{"id": "EXP9", "state": {"status": "running"}, "tags": {"drill": "drill-2"}}]
    account.fis.add_response("list_experiments", {"experiments": others, "nextToken": "more"}, {})
    account.fis.add_response("list_experiments", {"experiments": ours}, {"nextToken": "more"})


def expect_templates(account: Account, *ids: str) -> None:
    ours = [{"id": one, "tags": {"drill": "drill-1"}} for one in ids]
    account.fis.add_response(
        "list_experiment_templates", {"experimentTemplates": [{"id": "X"}, *ours]}
    )
    for one in ids:
        account.fis.add_response("delete_experiment_template", {}, {"id": one})


def test_it_is_made_once_replication_stands_still(account: Account) -> None:
    expect_begun(account)
    account.replica_is("ACTIVE", "ACTIVE", "REPLICATION_NOT_AUTHORIZED")

    FAULT.make(account.system)


def test_replication_that_goes_on_is_no_fault(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 300.0, 361.0])
    monkeypatch.setattr("drills.fis.time.monotonic", lambda: next(clock))
    expect_begun(account)
    account.replica_is("ACTIVE", "ACTIVE")

    with pytest.raises(ToolchainError, match="is ACTIVE, not REPLICATION_NOT_AUTHORIZED"):
        FAULT.make(account.system)


def test_it_is_unmade_once_replication_goes_on(account: Account) -> None:
    expect_listed(account, "running")
    account.fis.add_response("stop_experiment", {}, {"id": "EXP0"})
    account.replica_is("REPLICATION_NOT_AUTHORIZED", "ACTIVE")
    expect_templates(account, "EXT1")

    FAULT.unmake(account.system)


def test_what_is_over_is_not_stopped_again(account: Account) -> None:
    expect_listed(account, "completed", "stopped", "failed", "stopping", "cancelled")
    expect_templates(account)

    FAULT.unmake(account.system)


def test_what_has_hardly_begun_is_stopped_too(account: Account) -> None:
    expect_listed(account, "pending", "initiating")
    for one in ("EXP0", "EXP1"):
        account.fis.add_response("stop_experiment", {}, {"id": one})
    account.replica_is("ACTIVE")
    expect_templates(account, "EXT1", "EXT2")

    FAULT.unmake(account.system)


def test_its_role_is_the_accounts_and_its_alarm_the_standbys(account: Account) -> None:
    alarms = [
        {"AlarmName": "landing-dev-canary", "AlarmArn": "arn:other"},
        {"AlarmName": "landing-dev-us-west-2-availability-fast-short", "AlarmArn": ALARM},
    ]
    account.cloudwatch.add_response(
        "describe_alarms",
        {"MetricAlarms": alarms},
        {"AlarmNamePrefix": "landing-dev-", "AlarmTypes": ["MetricAlarm"]},
    )

    assert ReplicationPaused.of(account.system, "drill-1") == FAULT


def test_without_an_alarm_to_stop_it_nothing_is_begun(account: Account) -> None:
    account.cloudwatch.add_response("describe_alarms", {"MetricAlarms": []})

    with pytest.raises(ToolchainError, match="has no alarm"):
        ReplicationPaused.of(account.system, "drill-1")


def test_without_a_role_nothing_is_begun(account: Account) -> None:
    with pytest.raises(ToolchainError, match="drills_fis_role_arn"):
        ReplicationPaused.of(system(), "drill-1")


def test_it_can_be_written_down_and_read_again() -> None:
    assert from_note(to_note(FAULT)) == FAULT
