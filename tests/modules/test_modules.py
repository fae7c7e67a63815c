"""Every module is valid, and its own `terraform test` files pass, with no account."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from project.account import LOCAL, provider_version
from project.environment import tool_settings
from project.paths import TREE, write_atomically
from tests.mirrors import FakeMirror
from toolchain.provider_locks import LOCK, provider_lock

MODULES = sorted(path.parent.name for path in (TREE.root / "modules").glob("*/main.tf"))
FILES_OF_A_MODULE = {"main.tf", "variables.tf", "outputs.tf"}
ALL_PASSED = re.compile(r"^Success! [1-9]\d* passed, 0 failed\.$", re.MULTILINE)
# A provider takes half a gigabyte and a core to start.
AT_ONCE = 2


def run(module: str, **variables: str) -> str:
    """Initialise and test one module; empty when all is well, else what was printed."""
    folder = TREE.root / "modules" / module
    version = provider_version(TREE, LOCAL)
    write_atomically(folder / LOCK, provider_lock(TREE, version).read_bytes())
    # Not beside the module: Terragrunt would copy it along with the sources.
    data = {"TF_DATA_DIR": str(TREE.tools / "modules" / module), "TF_IN_AUTOMATION": "1"}
    # Each run block starts the provider anew, and its start is mostly garbage collection.
    sparing = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
    environment = {
        **sparing,
        **os.environ,
        **tool_settings(TREE, LOCAL, os.environ),
        **data,
        **variables,
    }
    # `terraform test` validates, too; `validate` alone can't when a module takes provider aliases.
    init = ("init", "-backend=false", "-input=false", "-lockfile=readonly")
    for command in (init, ("test",)):
        done = subprocess.run(
            ["terraform", command[0], "-no-color", *command[1:]],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return f"terraform {' '.join(command)} in modules/{module}:\n{done.stdout}"
    # One that was interrupted, or found no test, ends with 0 as well.
    return "" if ALL_PASSED.search(done.stdout) else f"modules/{module}:\n{done.stdout}"


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[str]]]:
    """Runs of the modules that were selected, under way from the first test on."""
    calls = (getattr(item, "callspec", None) for item in request.session.items)
    selected = {call.params["selected"] for call in calls if call and "selected" in call.params}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {module: pool.submit(run, module) for module in sorted(selected)}


@pytest.mark.terraform
@pytest.mark.parametrize("selected", MODULES)
def test_the_module_is_valid_and_its_tests_pass(
    selected: str, outcomes: Mapping[str, Future[str]]
) -> None:
    complaints = outcomes[selected].result()
    assert not complaints, complaints


def test_a_provider_that_is_not_the_locked_one_is_not_run(tmp_path: Path) -> None:
    fake = FakeMirror(tmp_path, provider_version(TREE, LOCAL))
    elsewhere = {"TF_CLI_CONFIG_FILE": str(fake.cli_config), "TF_DATA_DIR": str(tmp_path / "data")}
    assert "match any of the" in run("data", **elsewhere)
    assert not fake.was_run()


@pytest.mark.parametrize("module", MODULES)
def test_the_module_has_its_common_files_and_tests_of_its_own(module: str) -> None:
    folder = TREE.root / "modules" / module
    assert {path.name for path in folder.glob("*.tf")} >= FILES_OF_A_MODULE
    assert list(folder.glob("tests/*.tftest.hcl"))


def test_a_health_check_outlives_none_that_names_it_and_asks_for_names_that_are_there() -> None:
    """Terraform shows neither order to `terraform test`: the text has to do."""
    text = "\n".join(file.read_text() for file in (TREE.root / "modules/edge").glob("*.tf"))
    checks = re.findall(r'^resource "aws_route53_health_check" "\w+" {\n.*?^}', text, re.M | re.S)
    assert len(checks) == 4
    for check in checks:
        assert "create_before_destroy = true" in check, check
        assert ("depends_on" in check) is ("fqdn" in check), check


def test_modules_know_nothing_of_the_embedded_aws() -> None:
    every = [*(TREE.root / "modules").rglob("*.tf"), *(TREE.root / "lambda").rglob("*.py")]
    sources = [path for path in every if ".terraform" not in path.relative_to(TREE.root).parts]
    assert sources
    telling = ("ministack", ".localhost", "127.0.0.1", "4566")
    found = {
        f"{path.relative_to(TREE.root)}: {word}"
        for path in sources
        for word in telling
        if word in path.read_text()
    }
    assert found == set()
