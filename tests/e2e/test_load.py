"""A minute of users, by `make load`: the harness works, which says nothing of AWS's speed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from drills.rollback_log import note_of
from load.phone import DELETE, GOOD
from load.report.files import REPORTS
from load.run import ROOM
from load.users import EMAIL_DOMAIN
from project.account import read_account
from project.environment import process_environment
from project.paths import TREE
from tests.support.deployment_lock import deployment_lock
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from project.deployment import Deployment
    from tests.e2e.account_operator import Operator


@pytest.fixture(autouse=True, scope="module")
def _deployment_lock(deployment: Deployment) -> Iterator[None]:
    """Nobody breaks anything from the load's beginning to its end."""
    with deployment_lock(deployment, alone=False):
        yield


@pytest.fixture(scope="module")
def before() -> set[Path]:
    """The reports of other runs."""
    return set(REPORTS.glob("*"))


@pytest.fixture(scope="module")
def load(deployment: Deployment, before: set[Path]) -> Iterator[subprocess.Popen[str]]:
    """A minute of users, which has begun."""
    with subprocess.Popen(
        [sys.executable, "-m", "load", "--users=5", "--rate=4", "--minutes=1"],
        cwd=TREE.root,
        env=process_environment(TREE, read_account(TREE, deployment.account), os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()
    for left in set(REPORTS.glob("*")) - before:
        shutil.rmtree(left)


@pytest.mark.emulated_only("a load costs money: a person asks for it")
def test_a_minute_of_users_has_no_error_and_leaves_nothing(
    load: subprocess.Popen[str], before: set[Path], deployment: Deployment, operator: Operator
) -> None:
    output, _ = load.communicate()

    (folder,) = set(REPORTS.glob("*-local")) - before
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert load.returncode == (0 if report["passed"] else 1), output
    figures = report["figures"]
    assert figures["errors"] == [], output
    assert figures["requests"] > 100
    # Whether anybody deletes anything, chance decides.
    assert {each["route"] for each in figures["routes"]} >= {*GOOD} - {DELETE}
    assert (figures["unfinished"], figures["second_items"]) == (0, 0)
    primary = deployment.primary.region
    assert report["usage"][primary]["write_units"] > figures["writes"]
    assert "A million requests: $" in output
    assert not note_of(deployment.account, ROOM).exists()
    # What was written in the last second comes to the other Region with its removal behind it.
    eventually(
        lambda: left_behind(deployment, operator), lambda left: not left, REPLICATION_DEADLINE
    )


def left_behind(deployment: Deployment, operator: Operator) -> list[str]:
    """Users of a load that are there still, and their items in each Region."""
    pages = (
        operator.cognito().get_paginator("list_users").paginate(UserPoolId=deployment.user_pool_id)
    )
    emails = [
        str(each.get("Value"))
        for page in pages
        for user in page["Users"]
        for each in user.get("Attributes", [])
    ]
    users = [email for email in emails if email.endswith(EMAIL_DOMAIN)]
    items = [
        f"{item['owner']['S']} in {stack.region}"
        for stack in deployment.regions
        for page in operator.dynamodb(stack.region)
        .get_paginator("scan")
        .paginate(TableName=deployment.table_name)
        for item in page["Items"]
        # Other tests leave rows whose title is no text.
        if item.get("title", {}).get("S", "").startswith("Errand ")
    ]
    return [*users, *items]
