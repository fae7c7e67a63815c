"""Replication stopped in a real account, by AWS Fault Injection Service (FIS).

FIS denies DynamoDB's replication the standby's replica, and takes the denial away when the
experiment ends, however it ends
(https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from drills.system import System
from project.console import ToolchainError

ACTION = "aws:dynamodb:global-table-pause-replication"
# The end that FIS keeps by itself, whatever becomes of the drill.
DURATION = "PT15M"
# A table may go on replicating for up to five minutes once the action runs, says the page above.
PATIENCE_SECONDS = 360.0
LOOK_AGAIN_SECONDS = 5.0
# Users fail in the Region that is left alone: the drill isn't worth that.
STOPPING_ALARM = "-availability-fast-short"
TAG = "drill"
UNDER_WAY = {"pending", "initiating", "running"}


@dataclass(frozen=True, slots=True)
class ReplicationPaused:
    """Nothing replicates to the Region's replica or from it. `name` is on all that FIS keeps."""

    region: str
    name: str
    role_arn: str
    alarm_arn: str

    @classmethod
    def of(cls, system: System, name: str) -> Self:
        """Name the role that FIS takes, and the alarm that stops it.

        Raises ToolchainError where the account has no such role or alarm.
        """
        region, role_arn = system.standby, system.targets.fis_role_arn
        if not role_arn:
            raise ToolchainError(
                f"{system.account.name} names no role for AWS FIS: drills_fis_role_arn in its "
                "account.hcl. docs/testing-guide.md says what the role needs."
            )
        pages = (
            system.cloudwatch(region)
            .get_paginator("describe_alarms")
            .paginate(
                AlarmNamePrefix=f"{system.account.project}-{system.account.name}-",
                AlarmTypes=["MetricAlarm"],
            )
        )
        for page in pages:
            for alarm in page["MetricAlarms"]:
                if alarm["AlarmName"].endswith(STOPPING_ALARM):
                    return cls(region, name, role_arn, alarm["AlarmArn"])
        raise ToolchainError(f"{region} has no alarm …{STOPPING_ALARM}, which is to stop AWS FIS.")

    def make(self, system: System) -> None:
        """Begin the experiment, and wait until replication stands still."""
        client = system.fis(self.region)
        template = client.create_experiment_template(
            clientToken=self.name,
            description="A drill of this repository (make drill NAME=replication-paused)",
            roleArn=self.role_arn,
            stopConditions=[{"source": "aws:cloudwatch:alarm", "value": self.alarm_arn}],
            targets={
                "table": {
                    "resourceType": "aws:dynamodb:global-table",
                    "resourceArns": [self._table_arn(system)],
                    "selectionMode": "ALL",
                }
            },
            actions={
                "pause": {
                    "actionId": ACTION,
                    "parameters": {"duration": DURATION},
                    "targets": {"Tables": "table"},
                }
            },
            tags={TAG: self.name},
        )["experimentTemplate"]
        client.start_experiment(
            clientToken=self.name, experimentTemplateId=template["id"], tags={TAG: self.name}
        )
        self._await("REPLICATION_NOT_AUTHORIZED", system)

    def unmake(self, system: System) -> None:
        """Stop what runs under this name, wait until replication goes on, keep nothing."""
        client = system.fis(self.region)
        stopped = False
        for experiment in _named(client.list_experiments, "experiments", self.name):
            if experiment["state"]["status"] in UNDER_WAY:
                client.stop_experiment(id=experiment["id"])
                stopped = True
        if stopped:
            self._await("ACTIVE", system)
        for template in _named(client.list_experiment_templates, "experimentTemplates", self.name):
            client.delete_experiment_template(id=template["id"])

    def _table_arn(self, system: System) -> str:
        table = system.dynamodb(self.region).describe_table(TableName=system.deployment.table_name)
        return table["Table"]["TableArn"]

    def _await(self, expected: str, system: System) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (seen := self._status(system)) != expected:
            if time.monotonic() > deadline:
                raise ToolchainError(f"The replica of {self.region} is {seen}, not {expected}.")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _status(self, system: System) -> str:
        """The replica's, as the other Region describes it: none describes its own."""
        table = system.dynamodb(system.primary).describe_table(
            TableName=system.deployment.table_name
        )["Table"]
        statuses = (
            str(replica.get("ReplicaStatus"))
            for replica in table.get("Replicas", [])
            if replica.get("RegionName") == self.region
        )
        return next(statuses, "not there")


def _named(list_page: Callable[..., Any], key: str, name: str) -> list[dict[str, Any]]:
    """All of a list's entries that carry the name, from every page."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = list_page(**token)
        found += [each for each in page[key] if each.get("tags", {}).get(TAG) == name]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}
