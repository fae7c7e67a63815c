"""What Terragrunt lets Terraform do in an account, watched with one that does nothing."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.live.sts import listening
from tests.live.stub_terraform import StubTerraform, stub_terraform
from tests.live.trees import Tree
from tests.support.ports import free_ports

UNITS = {
    *("global/foundation", "global/identity", "global/data", "global/edge"),
    *("us-east-1/api", "us-west-2/api"),
}
ENDPOINT = {"domain_name": "d", "zone_id": "Z"}
ENDPOINTS = {"region": ENDPOINT, "origin": ENDPOINT}
REGIONS = ("us-east-1", "us-west-2")


def outputs(*, protected: bool = False) -> dict[str, dict[str, Any]]:
    """What units that are deployed give to others."""
    of_each = dict.fromkeys(REGIONS, "arn")
    api = {"regional_endpoints": ENDPOINTS}
    return {
        "global/foundation": {
            "zone_id": "Z",
            "origin_key": {"current": "a", "previous": "b"},
            "certificate_arns": of_each,
            "log_key_arns": of_each,
            "edge_certificate_arn": "arn",
        },
        "global/identity": {
            "client_id": "client",
            "user_pool_arn": "arn",
            "deletion_protection": protected,
        },
        "global/data": {
            "table_name": "items",
            "table_arns": of_each,
            "kms_key_arns": of_each,
            "index_names": {"created": "a", "status": "b"},
            "deletion_protection": protected,
        },
        **{f"{region}/api": api for region in REGIONS},
    }


@pytest.fixture
def deployed(tree: Tree, tmp_path: Path) -> StubTerraform:
    pack_nothing(tree)
    return stub_terraform(tmp_path / "stub", outputs())


@pytest.fixture
def empty(tree: Tree, tmp_path: Path) -> StubTerraform:
    pack_nothing(tree)
    return stub_terraform(tmp_path / "stub", {})


def pack_nothing(tree: Tree) -> None:
    (tree.root / "toolchain").mkdir()
    (tree.root / "toolchain/__main__.py").touch()


def refuse_releases(tree: Tree, region: str) -> None:
    (tree.root / "toolchain/__main__.py").write_text(
        "import sys\n"
        f"if sys.argv[1:2] == ['release'] and sys.argv[-1] == {region!r}:\n"
        f"    sys.exit('{region} goes on with version 4: version 5 is slow.')\n"
    )


def run(
    tree: Tree, stub: StubTerraform, folder: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    # Somebody's emulator at the usual port would be refused first.
    own = {"TG_TF_PATH": str(stub.program), "LOCAL_AWS_PORT": str(free_ports(1)[0])}
    return tree.run(tree.root / "live" / folder, *arguments, **(own | environment))


DESTROYS = {
    "destroy": ("run", "--all", "--", "destroy"),
    "apply -destroy": ("run", "--all", "--", "apply", "-destroy"),
    "a plan to destroy that is applied later": ("run", "--all", "--", "plan", "-destroy"),
}


def test_a_release_that_the_standby_refuses_reaches_no_other_region(
    tree: Tree, deployed: StubTerraform
) -> None:
    refuse_releases(tree, "us-west-2")

    done = run(tree, deployed, "local", *QUEUE, "--", "apply")

    assert done.returncode != 0
    assert "us-west-2 goes on with version 4: version 5 is slow." in done.stderr
    assert set(deployed.asked("apply")) == UNITS - {"us-east-1/api", "global/edge"}


def test_a_release_that_the_primary_refuses_leaves_the_edge_as_it_is(
    tree: Tree, deployed: StubTerraform
) -> None:
    refuse_releases(tree, "us-east-1")

    done = run(tree, deployed, "local", *QUEUE, "--", "apply")

    assert done.returncode != 0
    asked = deployed.asked("apply")
    assert set(asked) == UNITS - {"global/edge"}
    assert asked.index("us-west-2/api") < asked.index("us-east-1/api")


def test_a_destroy_takes_the_primary_first_and_releases_nothing(
    tree: Tree, deployed: StubTerraform
) -> None:
    refuse_releases(tree, "us-west-2")

    done = run(tree, deployed, "local", *QUEUE, "--", "destroy")

    assert done.returncode == 0, done.stderr
    asked = deployed.asked("destroy")
    assert asked.index("us-east-1/api") < asked.index("us-west-2/api")


@pytest.mark.parametrize("command", DESTROYS.values(), ids=DESTROYS.keys())
def test_an_account_that_protects_its_data_is_not_destroyed_in_part(
    tree: Tree, deployed: StubTerraform, command: tuple[str, ...]
) -> None:
    tree.say("local", deletion_protection="true")

    done = run(tree, deployed, "local", *command)

    assert done.returncode != 0
    assert "deletion_protection = true, so nothing of local may be destroyed" in done.stderr
    for asked in ("destroy", "apply", "plan"):
        assert deployed.asked(asked) == []


@pytest.mark.parametrize("command", DESTROYS.values(), ids=DESTROYS.keys())
def test_who_is_refused_hears_of_it_though_the_account_protects_its_data(
    tree: Tree, deployed: StubTerraform, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Terragrunt leaves protected units out of a queue, and an empty queue is a success."""
    tree.say("local", deletion_protection="true")

    with listening("000000000000", tmp_path / "theirs") as theirs:
        done = run(tree, deployed, "local", *command, LOCAL_AWS_PORT=str(theirs.port))

    assert done.returncode != 0
    assert f"is the embedded AWS of {tmp_path / 'theirs'}" in done.stderr
    for asked in ("destroy", "apply", "plan"):
        assert deployed.asked(asked) == []


def test_the_state_of_an_account_that_protects_its_data_is_not_deleted(
    tree: Tree, deployed: StubTerraform
) -> None:
    tree.say("local", deletion_protection="true")

    done = run(tree, deployed, "local/global/data", "backend", "delete", "--force")

    assert done.returncode != 0
    assert "nothing of local may be destroyed" in done.stderr


def test_what_is_protected_as_it_is_deployed_keeps_the_units_before_it(
    tree: Tree, tmp_path: Path
) -> None:
    pack_nothing(tree)
    stub = stub_terraform(tmp_path / "stub", outputs(protected=True))

    done = run(tree, stub, "local", "run", "--all", "--", "destroy")

    assert done.returncode != 0
    assert "is deployed with deletion protection: apply live/local first" in done.stderr
    assert stub.asked("destroy") == []


def test_an_account_without_protection_is_destroyed_the_edge_first(
    tree: Tree, deployed: StubTerraform
) -> None:
    done = run(tree, deployed, "local", "run", "--all", "--", "destroy")

    assert done.returncode == 0, done.stderr
    destroyed = deployed.asked("destroy")
    assert set(destroyed) == UNITS
    assert destroyed[0] == "global/edge"


QUEUE = ("run", "--all")
SAVED_PLANS = {
    "-out": (("plan", "-out=plan"), {}),
    "-out with its value beside it": (("plan", "-out", "plan"), {}),
    "Terragrunt's folder of plans": ((*QUEUE, "--out-dir", "plans", "--", "plan"), {}),
    "its folder of plans in JSON": ((*QUEUE, "--json-out-dir", "plans", "--", "plan"), {}),
    "a variable of Terraform's": (("plan",), {"TF_CLI_ARGS_plan": "-out=plan"}),
}


def plan_a_region(
    tree: Tree, stub: StubTerraform, *command: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    # A queue of this folder has one unit; those that it depends on lie outside.
    folder = "local/us-west-2" if command[:2] == QUEUE else "local/us-west-2/api"
    return run(tree, stub, folder, *command, **environment)


@pytest.mark.parametrize(("command", "environment"), SAVED_PLANS.values(), ids=SAVED_PLANS.keys())
def test_no_mock_enters_a_plan_that_is_written_to_a_file(
    tree: Tree, empty: StubTerraform, command: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = plan_a_region(tree, empty, *command, **environment)

    assert done.returncode != 0
    assert "detected no outputs" in done.stderr
    assert empty.asked("plan") == []


def test_a_plan_that_is_only_shown_goes_by_mocks(tree: Tree, empty: StubTerraform) -> None:
    done = plan_a_region(tree, empty, "plan")

    assert done.returncode == 0, done.stderr
    assert empty.asked("plan") == ["us-west-2/api"]


def test_a_plan_of_what_is_deployed_may_be_written(tree: Tree, deployed: StubTerraform) -> None:
    done = plan_a_region(tree, deployed, *QUEUE, "--out-dir", "plans", "--", "plan")

    assert done.returncode == 0, done.stderr
    assert deployed.asked("plan") == ["us-west-2/api"]


def test_a_package_that_cannot_be_built_is_applied_nowhere(
    tree: Tree, deployed: StubTerraform
) -> None:
    packing = 'import sys\nsys.exit("The package does not compile")\n'
    (tree.root / "toolchain/__main__.py").write_text(packing)
    done = run(tree, deployed, "local", *QUEUE, "--", "apply")

    assert done.returncode != 0
    assert "The package does not compile" in done.stderr
    applied = set(deployed.asked("apply"))
    assert applied == {"global/foundation", "global/identity", "global/data"}


def change_the_standby(tree: Tree) -> None:
    """As docs/deployment-guide.md has it: Another standby Region."""
    folder = tree.account("local")
    shutil.copytree(folder / "us-west-2", folder / "eu-west-1")
    tree.say("local", standby_region='"eu-west-1"', former_standby_region='"us-west-2"')
    # In prod, too, whose data is protected: a former standby serves nobody.
    tree.say("local", deletion_protection="true")


def moved_outputs() -> dict[str, dict[str, Any]]:
    """What units give once the standby is another: nothing for the former one."""
    moved = outputs()
    of_each = dict.fromkeys(("us-east-1", "eu-west-1"), "arn")
    moved["global/foundation"]["certificate_arns"] = of_each
    moved["global/foundation"]["log_key_arns"] = of_each
    moved["global/data"].update(table_arns=of_each, kms_key_arns=of_each)
    return {**moved, "eu-west-1/api": moved["us-west-2/api"]}


@pytest.fixture
def moved(tree: Tree, tmp_path: Path) -> StubTerraform:
    pack_nothing(tree)
    change_the_standby(tree)
    return stub_terraform(tmp_path / "stub", moved_outputs())


def test_a_new_standby_is_applied_past_the_former_one(tree: Tree, moved: StubTerraform) -> None:
    done = run(tree, moved, "local", *QUEUE, "--", "apply")

    assert done.returncode == 0, done.stderr
    assert set(moved.asked("apply")) == UNITS - {"us-west-2/api"} | {"eu-west-1/api"}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_former_standby_is_changed_no_more(
    tree: Tree, moved: StubTerraform, command: str
) -> None:
    done = run(tree, moved, "local/us-west-2/api", command)

    assert done.returncode != 0
    assert "us-west-2 is the former standby of local: it is changed no more" in done.stderr
    assert moved.asked(command) == []


def test_a_former_standby_is_destroyed_though_nobody_has_outputs_for_it(
    tree: Tree, moved: StubTerraform
) -> None:
    done = run(tree, moved, "local/us-west-2/api", "destroy")

    assert done.returncode == 0, done.stderr
    assert moved.asked("destroy") == ["us-west-2/api"]
    # Each as the module's own validation wants it.
    given = moved.calls("destroy")[0]["inputs"]
    assert given["role"] == "standby"
    assert given["table_arn"].endswith(f":us-west-2:000000000000:table/{given['table_name']}")
    for name in ("certificate_arn", "kms_key_arn"):
        assert given[name].split(":")[3] == "us-west-2"


def test_the_standby_can_be_changed_while_the_primary_is_lost(
    tree: Tree, deployed: StubTerraform
) -> None:
    tree.say("dev", account_id='"345678901234"')
    with listening("345678901234") as aws:
        everything = {
            f"AWS_ENDPOINT_URL_{name}": aws.url for name in ("STS", "S3", "DYNAMODB", "IAM")
        }
        credentials = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        done = run(tree, deployed, "dev/us-west-2/api", "apply", **everything, **credentials)

    assert done.returncode == 0, done.stderr
    assert deployed.asked("apply") == ["us-west-2/api"]
    assert {call.region for call in aws.calls} == {"us-west-2"}
    backend = next(tree.root.rglob("us-west-2/api/.terragrunt-cache/**/backend.tf")).read_text()
    assert '"landing-tfstate-345678901234-us-west-2"' in backend
    assert "us-east-2" not in backend


@pytest.mark.parametrize(
    ("subject", "folder"),
    [("null", "dev/global"), ('"repo:example/landing"', "dev/global/pipeline")],
    ids=["nobody asks for one", "somebody does"],
)
def test_a_pipeline_is_planned_in_an_account_that_asks_for_one(
    tree: Tree, empty: StubTerraform, subject: str, folder: str
) -> None:
    tree.say("dev", account_id='"345678901234"', pipeline_subject=subject)
    with listening("345678901234") as aws:
        own = {f"AWS_ENDPOINT_URL_{name}": aws.url for name in ("STS", "S3")}
        credentials = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        done = run(tree, empty, folder, *QUEUE, "--", "plan", **own, **credentials)

    assert done.returncode == 0, done.stderr
    others = {"global/foundation", "global/identity", "global/data", "global/edge"}
    assert set(empty.asked("plan")) == (others if subject == "null" else {"global/pipeline"})
