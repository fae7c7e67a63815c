"""What `make drift` says of a clone (tests/support/clone.py) in which each unit is otherwise.

One run shows all: a plan of every unit takes a minute.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from project.account import LOCAL, read_account
from project.environment import emulator_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.clone import Clone

LOG_GROUP = "/aws/lambda/landing-local-api"
ROLE = "landing-local-us-east-1-function"
HEALTH = "landing-local-health"
DASHBOARD = "landing-local-us-west-2"
BACKDOOR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
SESSION = "auth_session_validity         = 3"


def session(clone: Clone) -> Callable[..., Any]:
    """Make clients of the clone's emulator, as its operator."""
    with pytest.MonkeyPatch.context() as patch:
        clone.lead_here(patch)
        variables = emulator_variables(clone.tree, read_account(clone.tree, LOCAL))
    own = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    endpoint = variables["AWS_ENDPOINT_URL"]
    return lambda service, region: own.client(service, region_name=region, endpoint_url=endpoint)


@contextmanager
def settings_changed(client: Callable[..., Any]) -> Iterator[None]:
    """While open, us-east-1 has settings that somebody made.

    One that the code has, one that it leaves to AWS, and a policy of a role's.
    """
    logs, iam = client("logs", "us-east-1"), client("iam", "us-east-1")
    function = client("lambda", "us-east-1")
    (group,) = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    with ExitStack() as undo:
        retain = partial(logs.put_retention_policy, logGroupName=LOG_GROUP)
        undo.callback(retain, retentionInDays=group["retentionInDays"])
        retain(retentionInDays=1)
        configure = partial(function.update_function_configuration, FunctionName=HEALTH)
        undo.callback(configure, EphemeralStorage={"Size": 512})
        configure(EphemeralStorage={"Size": 1024})
        iam.put_role_policy(RoleName=ROLE, PolicyName="backdoor", PolicyDocument=BACKDOOR)
        undo.callback(iam.delete_role_policy, RoleName=ROLE, PolicyName="backdoor")
        yield


@contextmanager
def resource_deleted(client: Callable[..., Any]) -> Iterator[None]:
    """While open, us-west-2 has no dashboard."""
    cloudwatch = client("cloudwatch", "us-west-2")
    body = cloudwatch.get_dashboard(DashboardName=DASHBOARD)["DashboardBody"]
    cloudwatch.delete_dashboards(DashboardNames=[DASHBOARD])
    try:
        yield
    finally:
        cloudwatch.put_dashboard(DashboardName=DASHBOARD, DashboardBody=body)


@contextmanager
def written(file: Path, text: str) -> Iterator[None]:
    """While open, a file has another text."""
    before = file.read_text()
    assert text != before
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def drift(clone: Clone) -> tuple[int, dict[str, Any]]:
    """Run it; its own exit status, which `make` would hide, and what it says."""
    with subprocess.Popen(
        [sys.executable, "-m", "toolchain", "drift"],
        cwd=clone.root,
        env={**clone.environment(), "TYPED_JSON": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        output, _ = running.communicate()
    return running.returncode, json.loads(output)


def shown(difference: dict[str, Any]) -> str:
    """Put a difference in a line."""
    stays = " (stays)" if difference["stays"] else ""
    attributes = " ".join(difference["attributes"])
    return (
        f"{difference['cause']}: {difference['address']} {difference['what']} {attributes}{stays}"
    )


def test_each_unit_says_what_became_of_it(deployed_clone: Clone) -> None:
    clone, client = deployed_clone, session(deployed_clone)
    states = clone.state / "tfstate" / LOCAL
    code = clone.root / "modules/identity/cognito.tf"
    with ExitStack() as now:
        now.enter_context(settings_changed(client))
        now.enter_context(resource_deleted(client))
        now.enter_context(written(code, code.read_text().replace(SESSION, SESSION[:-1] + "4")))
        # Nobody reads the edge's outputs.
        now.enter_context(
            written(states / "global/edge/terraform.tfstate", '{"version": 4, no state')
        )
        before = {file: file.read_bytes() for file in states.rglob("*") if file.is_file()}

        status, told = drift(clone)

        # Neither a state nor a lock of one was written.
        assert {file: file.read_bytes() for file in states.rglob("*") if file.is_file()} == before

    units = {unit["name"]: unit for unit in told["units"]}
    assert {name: unit["verdict"] for name, unit in units.items()} == {
        "global/data": "in step",
        "global/edge": "could not look",
        "global/foundation": "in step",
        "global/identity": "code not applied",
        "us-east-1/api": "changed by hand",
        "us-west-2/api": "changed by hand",
    }
    assert (status, told["exit_status"]) == (1, 1)
    assert "state file" in " ".join(units["global/edge"]["reason"])
    differences = {name: sorted(map(shown, unit["differences"])) for name, unit in units.items()}
    assert differences["global/identity"] == [
        "code: aws_cognito_user_pool_client.mobile to be changed auth_session_validity"
    ]
    assert differences["us-east-1/api"] == [
        "by hand: aws_cloudwatch_log_group.function changed retention_in_days",
        'by hand: aws_iam_role.function changed inline_policy["backdoor"] (stays)',
        "by hand: aws_lambda_function.health changed ephemeral_storage.size (stays)",
    ]
    assert differences["us-west-2/api"] == ["by hand: aws_cloudwatch_dashboard.this deleted "]
    assert not (clone.state / "drift").exists()
