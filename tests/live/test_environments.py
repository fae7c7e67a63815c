"""Another environment, another Region, and the error for one that is half made."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from project.emulator import PORTS, remember
from tests.live.trees import Tree, Unit


def test_an_environment_is_one_copied_folder_with_one_edited_file(
    tree: Tree, units: Mapping[str, Unit]
) -> None:
    shutil.copytree(tree.account("prod"), tree.account("staging"))
    tree.say("staging", account_name='"staging"', account_id='"345678901234"')

    staging = tree.render("staging")

    assert {path.removeprefix("staging/") for path in staging} == {
        path.removeprefix("prod/") for path in units if path.startswith("prod/")
    }
    for unit in staging.values():
        assert unit.inputs["name"] == "landing-staging"
        assert unit.backend["bucket"] == "landing-tfstate-345678901234-us-west-2"
        assert "222222222222" not in str(unit.rendered)
        assert "prod/" not in str(unit.rendered)


def test_a_second_embedded_environment_shares_nothing_with_the_first(tree: Tree) -> None:
    shutil.copytree(tree.account("local"), tree.account("sandbox"))
    tree.say("sandbox", account_name='"sandbox"')

    sandbox = tree.render("sandbox")

    assert len(sandbox) == 6
    for unit in sandbox.values():
        assert unit.backend["path"].endswith(f"/sandbox/{unit.path[8:]}/terraform.tfstate")
        assert "local/" not in str(unit.inputs)
        assert unit.inputs["name"] == "landing-sandbox"


def test_another_standby_region_is_one_renamed_folder_and_one_value(tree: Tree) -> None:
    (tree.account("local") / "us-west-2").rename(tree.account("local") / "eu-west-1")
    tree.say("local", standby_region='"eu-west-1"')

    units = tree.render("local")

    assert units["local/eu-west-1/api"].inputs["role"] == "standby"
    assert units["local/eu-west-1/api"].inputs["table_arn"].split(":")[3] == "eu-west-1"
    for unit in units.values():
        assert "us-west-2" not in str(unit.rendered), unit.path


def drop_the_domain(tree: Tree) -> None:
    file = tree.account("local") / "account.hcl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if " domain_name " not in line))


def rename_the_region(tree: Tree) -> None:
    (tree.account("local") / "us-east-1").rename(tree.account("local") / "eu-west-1")


def forget_the_name(tree: Tree) -> None:
    shutil.copytree(tree.account("local"), tree.account("staging"))


def repeat_the_region(tree: Tree) -> None:
    tree.say("local", standby_region='"us-east-1"')


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake, a unit that meets it, and the error that it gives."""

    make: Callable[[Tree], None]
    unit: str
    error: str


def misspell_a_setting(tree: Tree) -> None:
    file = tree.account("local") / "account.hcl"
    file.write_text(file.read_text().replace("trace_rate", "tracing_rate"))


def forget_where_the_state_is(tree: Tree) -> None:
    file = tree.account("dev") / "account.hcl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if " state_region " not in line))


def call_the_standby_a_former_one(tree: Tree) -> None:
    tree.say("local", former_standby_region='"us-west-2"')


def choose_a_long_name(tree: Tree) -> None:
    tree.say("local", project='"a-name-of-thirty-one-letters"')


MISTAKES = {
    "a value is missing": Mistake(
        drop_the_domain, "local/global/data", "live/local/account.hcl doesn't say domain_name"
    ),
    "a setting is misspelt": Mistake(
        misspell_a_setting,
        "local/global/data",
        "live/local/account.hcl says tracing_rate, which nothing reads",
    ),
    "a name is too long for the units that are applied last": Mistake(
        choose_a_long_name, "local/global/foundation", "must be 3 to 30 lower-case letters"
    ),
    "a Region's folder is no Region of the account": Mistake(
        rename_the_region,
        "local/eu-west-1/api",
        "live/local/eu-west-1 is named for a Region that live/local/account.hcl doesn't",
    ),
    "a copy keeps its original's name": Mistake(
        forget_the_name,
        "staging/global/data",
        'live/staging/account.hcl has account_name = "local"',
    ),
    "nobody says where the state is": Mistake(
        forget_where_the_state_is,
        "dev/global/data",
        "live/dev/account.hcl doesn't say state_region",
    ),
    "a Region that serves is called a former one": Mistake(
        call_the_standby_a_former_one, "local/global/data", "a former_standby_region that serves"
    ),
    "one Region stands in for itself": Mistake(
        repeat_the_region, "local/global/data", "a Region can't stand in for itself"
    ),
    "the root is taken for a unit": Mistake(lambda tree: None, "..", "This is no unit"),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_before_anything_runs(tree: Tree, mistake: Mistake) -> None:
    mistake.make(tree)

    done = tree.run(tree.root / "live" / mistake.unit, "plan")

    assert done.returncode != 0
    assert mistake.error in done.stderr
    assert not list(tree.root.rglob(".terraform"))


@pytest.mark.parametrize("port", ["4566@example.com", "4566/", "", "aws.example.com:443"])
def test_no_port_can_name_another_machine(tree: Tree, port: str) -> None:
    done = tree.run(tree.account("local") / "global/data", "render", "--json", LOCAL_AWS_PORT=port)

    assert done.returncode != 0
    assert "given string must be a decimal representation of a number" in done.stderr


def test_a_port_that_the_clone_remembers_needs_no_variable(tree: Tree) -> None:
    remember(tree.root / ".local", {name: 4000 + n for n, name in enumerate(PORTS)})

    done = tree.run(tree.account("local") / "global/data", "render", "--json")

    assert "http://127.0.0.1:4000" in done.stdout
