"""Whatever a mirror holds, nothing is run but the provider whose sums are committed."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from project.account import LOCAL, provider_version
from project.paths import TREE
from tests.live.trees import REPOSITORY, Tree, Unit
from tests.mirrors import FakeMirror
from tests.support.ports import free_ports
from toolchain.pins import PROVIDER
from toolchain.provider_locks import PLATFORMS, provider_lock


def test_every_unit_is_given_the_lock_of_its_accounts_version(units: Mapping[str, Unit]) -> None:
    for unit in units.values():
        version = provider_version(TREE, unit.account)
        assert unit.generated("provider_lock") == provider_lock(TREE, version).read_text()
        assert unit.rendered["generate"]["provider_lock"]["path"] == ".terraform.lock.hcl"
        given = unit.rendered["terraform"]["extra_arguments"]["provider_lock"]
        assert (given["commands"], given["arguments"]) == (["init"], ["-lockfile=readonly"])


@pytest.mark.parametrize(
    "lock", sorted((REPOSITORY / "live/_units/provider_locks").iterdir()), ids=lambda it: it.name
)
def test_a_lock_is_of_one_version_and_knows_every_platform(lock: Path) -> None:
    text = lock.read_text()
    assert re.findall(r'^provider "(.*)"', text, re.M) == [f"registry.terraform.io/{PROVIDER}"]
    version = re.findall(r'^  version     = "(.*)"', text, re.M)
    assert [f"aws-{each}.hcl" for each in version] == [lock.name]
    sums = re.findall(r'^    "(h1:[\w+/]{43}=|zh:[0-9a-f]{64})",$', text, re.M)
    assert len(sums) == text.count(":") - text.count("::")
    assert len({each for each in sums if each.startswith("h1:")}) >= len(PLATFORMS)
    assert len({each for each in sums if each.startswith("zh:")}) >= len(PLATFORMS)


@pytest.mark.parametrize("command", ["init", "plan", "apply"])
def test_a_mirror_that_holds_another_provider_is_refused_in_one_sentence(
    tree: Tree, tmp_path: Path, command: str
) -> None:
    fake = FakeMirror(tmp_path, provider_version(TREE, LOCAL))
    unit = tree.account("local") / "global" / "data"
    # Somebody's emulator at the usual port would be refused first.
    port = str(free_ports(1)[0])
    done = tree.run(unit, command, TF_CLI_CONFIG_FILE=str(fake.cli_config), LOCAL_AWS_PORT=port)
    assert done.returncode != 0
    assert "The AWS provider that Terraform found is not the published 5.100.0" in done.stderr
    assert "Take away the mirror" in done.stderr
    assert not fake.was_run()


def test_a_version_without_a_lock_is_refused_before_anything_is_fetched(tree: Tree) -> None:
    tree.say("local", provider_version='"6.99.0"')
    done = tree.run(tree.account("local") / "global" / "data", "plan")
    assert done.returncode != 0
    assert "no live/_units/provider_locks/aws-6.99.0.hcl" in done.stderr
    assert "run `make lock`" in done.stderr
    assert not list(tree.root.rglob(".terraform"))
