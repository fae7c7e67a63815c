"""The runner of Terraform's mutants, on a small tree with a stand-in for Terraform."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from mutants.score import Outcome
from mutants.terraform_mutants import try_edits
from project.console import ToolchainError
from project.paths import TREE, Tree

if TYPE_CHECKING:
    from pathlib import Path

# Fails where the module says what its test file looks for, and would then go on for an hour.
TERRAFORM = """#!/bin/sh
case "$1" in init) echo "Terraform has been successfully initialized!"; exit ;; esac
for given in "$@"; do case "$given" in -filter=*) file="${given#-filter=}" ;; esac; done
echo "$file" >> "%s"
echo "$file... in progress"
if grep -q "$(cat "$file")" main.tf; then
  echo '  run "it"... fail'
  exec sleep 3600
fi
echo '  run "it"... pass'
echo "$file... pass"
echo
echo "Success! 1 passed, 0 failed."
"""
MAIN = 'resource "a_b" "c" {\n  on = true\n  tls = 12\n  days = 30\n}\n'
NAMED = """
import pathlib, pytest

def test_here():
    assert "days = 1\\n" not in pathlib.Path("modules/m/main.tf").read_text()

@pytest.mark.deployed
def test_deployed():
    assert False

def test_fails_anyway():
    assert False
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """The test files that Terraform was asked to run, one a line."""
    return tmp_path / "asked"


@pytest.fixture
def tree(tmp_path: Path, asked: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    root = tmp_path / "tree"
    files = {
        "modules/m/main.tf": MAIN,
        "modules/m/tests/on.tftest.hcl": "on = false",
        "modules/m/tests/tls.tftest.hcl": "tls = 10",
        "tests/named.py": NAMED,
        ".tools/bin/terraform": TERRAFORM % asked,
        ".gitignore": "/.tools/\n/.venv\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".tools/bin/terraform").chmod(0o755)
    (root / ".venv").symlink_to(TREE.venv)
    # It reads the account.
    (root / ".tools/libexec").symlink_to(TREE.real_terragrunt.parent)
    for name in ("live/_defaults.hcl", "live/local/account.hcl"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((TREE.root / name).read_bytes())
    locks = TREE.root / "live/_units/provider_locks"
    for lock in locks.iterdir():
        (root / lock.relative_to(TREE.root)).parent.mkdir(parents=True, exist_ok=True)
        (root / lock.relative_to(TREE.root)).write_bytes(lock.read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return Tree(root)


def outcomes(tree: Tree, *edits: dict[str, str]) -> list[Outcome]:
    """Try edits of the module's one file."""
    text = ""
    for edit in edits:
        whole = {"module": "m", "file": "main.tf", "why": "because", **edit}
        text += "[[edit]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in whole.items())
    (tree.root / "tests/mutants").mkdir(exist_ok=True)
    (tree.root / "tests/mutants/terraform.toml").write_text(text)
    return [trial.outcome for trial in try_edits(tree, seed=1, most=100)]


OFF = {"find": "on = true", "replace": "on = false"}
OLD_TLS = {"find": "tls = 12", "replace": "tls = 10"}
A_DAY = {"find": "days = 30", "replace": "days = 1"}
NOTICED, NOT_NOTICED = Outcome.KILLED, Outcome.SURVIVED


def test_an_edit_is_noticed_by_any_test_file_of_its_module(tree: Tree) -> None:
    assert outcomes(tree, OFF, OLD_TLS, A_DAY) == [NOTICED, NOTICED, NOT_NOTICED]
    assert (tree.root / "modules/m/main.tf").read_text() == MAIN


def test_of_a_module_whose_test_file_is_named_that_one_alone_is_run(
    tree: Tree, asked: Path
) -> None:
    file = "tests/tls.tftest.hcl"
    assert outcomes(tree, {**OFF, "filter": file}, {**OLD_TLS, "filter": file}) == [
        *(NOT_NOTICED, NOTICED),
    ]
    # With nothing wrong, and for each edit.
    assert asked.read_text().splitlines() == [file] * 3


def test_a_named_test_is_all_that_is_run(tree: Tree, asked: Path) -> None:
    here = "tests/named.py::test_here"
    assert outcomes(tree, {**A_DAY, "test": here}, {**OFF, "test": here}) == [NOTICED, NOT_NOTICED]
    assert not asked.exists()


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("test_deployed", "needs a deployment"),
        ("test_nowhere", "can't be run"),
        ("test_fails_anyway", "fails with nothing wrong"),
    ],
)
def test_a_named_test_that_says_nothing_of_an_edit_is_no_notice(
    tree: Tree, test: str, why: str
) -> None:
    with pytest.raises(ToolchainError, match=why):
        outcomes(tree, {**OFF, "test": f"tests/named.py::{test}"})


def test_nothing_is_said_of_a_module_whose_tests_fail_anyway(tree: Tree) -> None:
    (tree.root / "modules/m/tests/on.tftest.hcl").write_text("on = true")

    with pytest.raises(ToolchainError, match=r"on\.tftest\.hcl fails with nothing wrong"):
        outcomes(tree, A_DAY)
