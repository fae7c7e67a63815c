"""Another standby Region, step by step as docs/deployment-guide.md has it, with items in the table.

    make test TESTS=tests/live/standby_move.py

Some ten minutes, in a clone of its own: not part of `make test`, whose tests/live/test_commands.py
shows what Terragrunt makes of each step.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests

from project import resolver
from project.account import LOCAL, read_account
from project.deployment import read_deployment
from project.environment import process_environment
from tests.live.trees import Tree
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.clone import Clone

OLD, NEW = "us-west-2", "eu-west-1"
READY_SECONDS = 90.0
# What Terraform is told to forget, since it would look for it in the new Region.
FORGOTTEN = {
    "foundation": (
        *("aws_acm_certificate_validation.replica[0]", "aws_acm_certificate.replica"),
        *("aws_kms_alias.logs_replica", "aws_kms_key.logs_replica"),
    ),
    "data": ("aws_kms_alias.replica", "aws_kms_replica_key.this"),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works on the clone's account."""

    clone: Clone
    environment: Mapping[str, str]

    def terragrunt(self, folder: str, *arguments: str) -> str:
        """Run Terragrunt in a folder of the account; its output."""
        done = subprocess.run(
            [str(self.clone.tree.tools_bin / "terragrunt"), *arguments],
            cwd=self.clone.tree.account(LOCAL) / folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def table(self, region: str) -> Any:
        """The items' table in a Region."""
        dynamodb = boto3.Session().resource(
            "dynamodb",
            region_name=region,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        return dynamodb.Table(read_account(self.clone.tree, LOCAL).table_name)

    def items(self, region: str) -> set[str]:
        """Ids of this test's items in a Region."""
        found = self.table(region).scan()["Items"]
        return {str(item["item_id"]) for item in found if item["owner"] == "user#mover"}

    def replicas(self) -> set[str]:
        """The Regions that the primary replicates to."""
        table = self.table("us-east-1")
        table.load()
        return {replica["RegionName"] for replica in table.replicas}

    def serving(self) -> dict[str, int]:
        """What each Region's own name, and the public one, answer to a look at their health."""
        deployed = read_deployment(tree=self.clone.tree)
        urls = {stack.region: stack.url for stack in deployed.regions} | {"api": deployed.api_url}
        bundle = str(self.clone.state / "ca" / "bundle.pem")
        with resolver.installed():
            return {
                name: requests.get(f"{url}/health/ready", verify=bundle, timeout=30).status_code
                for name, url in urls.items()
            }


@pytest.fixture
def operator(deployed_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Operator:
    deployed_clone.lead_here(monkeypatch)
    tree = deployed_clone.tree
    environment = process_environment(tree, read_account(tree, LOCAL), os.environ)
    return Operator(deployed_clone, environment)


def test_the_standby_moves_with_its_items_and_is_never_missed(operator: Operator) -> None:
    written = {f"item-{number}" for number in range(20)}
    for item in written:
        operator.table("us-east-1").put_item(Item={"owner": "user#mover", "item_id": item})
    tree = Tree(operator.clone.root)

    shutil.copytree(tree.account(LOCAL) / OLD, tree.account(LOCAL) / NEW)
    tree.say(LOCAL, standby_region=f'"{NEW}"', former_standby_region=f'"{OLD}"')
    for unit, resources in FORGOTTEN.items():
        operator.terragrunt(f"global/{unit}", "state", "rm", *resources)
    operator.terragrunt(".", "run", "--all", "--", "apply")

    assert operator.replicas() == {OLD, NEW}
    assert operator.items(NEW) == written
    everywhere = {"us-east-1": 200, NEW: 200, "api": 200}
    eventually(operator.serving, lambda seen: seen == everywhere, within=READY_SECONDS)

    operator.terragrunt(f"{OLD}/api", "destroy", "-auto-approve")
    shutil.rmtree(tree.account(LOCAL) / OLD)
    tree.say(LOCAL, former_standby_region="null")
    operator.terragrunt("global/data", "apply", "-auto-approve")

    assert operator.replicas() == {NEW}
    operator.table("us-east-1").put_item(Item={"owner": "user#mover", "item_id": "after"})
    eventually(
        lambda: operator.items(NEW), lambda seen: seen == written | {"after"}, REPLICATION_DEADLINE
    )
    plan = operator.terragrunt(".", "run", "--all", "--", "plan", "-detailed-exitcode")
    assert "No changes" in plan
