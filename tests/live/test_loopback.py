"""A plan of an empty local account in the shell of somebody who works with real ones."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.sts import Listener, listening
from tests.live.trees import Tree, copy_tree, declared
from tests.support.sdk import hostile_variables

pytestmark = pytest.mark.terraform

EMBEDDED = "000000000000"
SERIOUS = "AKIASERIOUSMONEY"
PROFILE = f"[{{}}]\naws_access_key_id = {SERIOUS}\naws_secret_access_key = serious\n"

CONFIG = """
[profile prod]
region = us-east-1
services = elsewhere
[services elsewhere]
sqs =
  endpoint_url = {0}
dynamodb =
  endpoint_url = {0}
"""

# One source that has an endpoint, one whose service nobody listed.
READS = """
data "aws_dynamodb_table" "listed" {
  name = var.table_name
}

data "aws_sqs_queue" "forgotten" {
  name = filesha256(var.package_path)
}
"""
PACKAGE = """
import os, pathlib, sys
pathlib.Path(".build").mkdir(exist_ok=True)
pathlib.Path(".build/lambda.zip").write_text("package")
with open("packaged", "a") as asked:
    print(os.getcwd(), *sys.argv[1:], file=asked)
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What came of the plan, and what each of two listeners heard of it."""

    tree: Tree
    done: subprocess.CompletedProcess[str]
    embedded: Listener
    elsewhere: Listener


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planned]:
    tree = copy_tree(tmp_path_factory.mktemp("loopback") / "clone")
    _replace_module(tree, READS)
    _stub_packaging(tree)
    (tree.root / "home/.aws").mkdir()
    (tree.root / "home/.aws/credentials").write_text(PROFILE.format("prod"))
    own, theirs = listening(EMBEDDED, tree.root / ".local"), listening("987654321098")
    with own as embedded, theirs as elsewhere:
        (tree.root / "home/.aws/config").write_text(CONFIG.format(elsewhere.url))
        done = tree.run(
            tree.account("local") / "us-west-2/api",
            "plan",
            LOCAL_AWS_PORT=str(embedded.port),
            **hostile_variables(
                elsewhere.url,
                AWS_PROFILE="prod",
                AWS_ACCESS_KEY_ID=SERIOUS,
                AWS_SECRET_ACCESS_KEY="serious",
                AWS_CONFIG_FILE=str(tree.root / "home/.aws/config"),
            ),
        )
        yield Planned(tree, done, embedded, elsewhere)


def _replace_module(tree: Tree, text: str) -> None:
    module = tree.root / "modules/api"
    for file in module.glob("*.tf"):
        file.unlink()
    variables = "".join(f'variable "{name}" {{ default = null }}\n' for name in declared("api"))
    (module / "main.tf").write_text(variables + text)


def _stub_packaging(tree: Tree) -> None:
    stub = tree.root / "toolchain"
    stub.mkdir()
    (stub / "__main__.py").write_text(PACKAGE)


def test_services_with_an_endpoint_are_looked_for_on_loopback(planned: Planned) -> None:
    assert {"sts", "dynamodb"} <= planned.embedded.services(), planned.done.stderr


def test_a_service_that_nobody_listed_is_looked_for_there_too(planned: Planned) -> None:
    assert "sqs" in planned.embedded.services(), planned.done.stderr


def test_endpoints_and_proxies_of_the_environment_are_not_used(planned: Planned) -> None:
    assert planned.elsewhere.calls == []


def test_credentials_of_the_environment_are_not_used(planned: Planned) -> None:
    assert {call.key_id for call in planned.embedded.calls} == {EMBEDDED}


def test_a_plan_of_an_empty_account_goes_by_the_mocks(planned: Planned) -> None:
    described = [call.body for call in planned.embedded.calls if call.service == "dynamodb"]
    assert any('"mock"' in body for body in described)


def test_the_package_is_built_first_in_the_clone(planned: Planned) -> None:
    asked = (planned.tree.root / "packaged").read_text().splitlines()
    assert asked == [f"{planned.tree.root} package"]


def test_an_apply_of_an_empty_account_never_sees_a_mock(planned: Planned) -> None:
    heard = len(planned.embedded.calls)

    done = planned.tree.run(
        planned.tree.account("local") / "us-west-2/api",
        "apply",
        LOCAL_AWS_PORT=str(planned.embedded.port),
    )

    assert done.returncode != 0
    assert "detected no outputs" in done.stderr
    assert len(planned.embedded.calls) == heard


def test_a_wrong_endpoint_is_refused_by_the_account_guard_of_the_provider(
    tmp_path: Path,
) -> None:
    tree = copy_tree(tmp_path / "clone")
    _replace_module(tree, READS)
    _stub_packaging(tree)
    with listening("987654321098", tree.root / ".local") as real:
        done = tree.run(
            tree.account("local") / "us-east-1/api", "plan", LOCAL_AWS_PORT=str(real.port)
        )

    assert done.returncode != 0
    assert "AWS account ID not allowed: 987654321098" in done.stderr
    assert real.services() <= {"iam", "sts"}, "more was asked than whose account it is"


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "refresh", "import"])
def test_another_clones_emulator_is_left_alone(
    planned: Planned, tmp_path: Path, command: str
) -> None:
    with listening(EMBEDDED, tmp_path / "theirs") as theirs:
        done = planned.tree.run(
            planned.tree.account("local") / "global/foundation",
            command,
            LOCAL_AWS_PORT=str(theirs.port),
        )

    assert done.returncode != 0
    assert f"is the embedded AWS of {tmp_path / 'theirs'}" in done.stderr
    assert f"not that of this clone, {planned.tree.root / '.local'}" in done.stderr
    assert theirs.calls == []
