"""What `make plan` and `make apply` ask of Terragrunt, and what they refuse before they do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from project.console import ToolchainError
from project.paths import Tree
from tests.support.waiting import eventually
from toolchain import planning
from toolchain.kept_plans import Shelf
from toolchain.touched_units import Layout

UNITS = frozenset({"global/data", "global/pipeline", "us-east-2/api"})
LAYOUT = Layout("prod", UNITS, {})
EMPTY: dict[str, Any] = {"resource_changes": []}
CHANGE = {"actions": ["update"], "before": {"size": 1}, "after": {"size": 2}}
CHANGED = {"resource_changes": [{"address": "aws_a.this", "change": CHANGE}]}


@dataclass
class Account:
    """An account whose Terragrunt writes what it is told to, and is not run."""

    tree: Tree
    settings: dict[str, Any] = field(default_factory=lambda: {"deletion_protection": True})
    documents: dict[str, dict[str, Any]] = field(
        default_factory=lambda: dict.fromkeys(UNITS, EMPTY) | {"global/data": CHANGED}
    )
    commit: str = "c0ffee"
    package: str = "5eed"
    status: int = 0
    asked: list[tuple[set[str], tuple[str, ...]]] = field(default_factory=list)
    applied: dict[str, str] = field(default_factory=dict)

    def terragrunt(
        self, _tree: Tree, _account: str, folder: Path | None, units: Any, *command: str
    ) -> int:
        self.asked.append((set(units), command))
        if folder and command[0] == "plan":
            for unit, document in self.documents.items():
                self._write(folder / unit, document)
        if folder and command[0] == "apply":
            self.applied = {unit: (folder / unit / planning.PLAN).read_text() for unit in units}
        return self.status

    def _write(self, folder: Path, document: dict[str, Any]) -> None:
        folder.mkdir(parents=True)
        for name, text in (
            (planning.PLAN, f"plan {json.dumps(document)}"),
            (planning.PLAN_JSON, json.dumps(document)),
            (planning.INPUTS, "digest"),
        ):
            (folder / name).write_text(text)

    @property
    def page(self) -> str:
        return (self.tree.root / ".build/plan/prod.md").read_text()

    @property
    def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = json.loads((self.tree.root / ".build/plan/prod.json").read_text())
        return figures

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.tree.root / ".build/plans/prod", "bucket", "us-west-2")


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(Tree(tmp_path))
    for name, stand_in in {
        "install": lambda _tree: None,
        "read_settings": lambda _tree, _name: account.settings,
        "read_layout": lambda _tree, _name: LAYOUT,
        "shelf_of": lambda _tree, _name: account.shelf,
        "client_for": lambda _shelf, _name: None,
        "_commit": lambda _tree: account.commit,
        "_package": lambda _tree: account.package,
        "_terragrunt": account.terragrunt,
    }.items():
        monkeypatch.setattr(planning, name, stand_in)
    return account


def plan(account: Account, since: str = "", keep: bool = False) -> int:
    return planning.plan(account.tree, "prod", since, keep)


def apply(account: Account, name: str, of: str = "prod") -> int:
    return planning.apply(account.tree, of, name)


def test_a_plan_takes_no_lock_and_is_applied_by_its_name(account: Account) -> None:
    assert plan(account) == 0
    assert account.asked == [(set(), ("plan", "-lock=false"))] or account.asked == [
        (set(UNITS), ("plan", "-lock=false"))
    ]
    assert account.figures["changed"] == ["global/data"]
    name = account.figures["plan"]
    assert name in account.page

    assert apply(account, name) == 0
    assert account.asked[-1] == ({"global/data", "us-east-2/api"}, ("apply",))
    assert account.applied["global/data"] == f"plan {json.dumps(CHANGED)}"
    # It is stale from now on.
    with pytest.raises(ToolchainError, match="No plan"):
        apply(account, name)


def test_who_works_through_the_pipeline_does_not_apply_it(account: Account) -> None:
    plan(account)
    assert apply(account, account.figures["plan"]) == 0
    account.settings["deletion_protection"] = False
    assert apply(account, "") == 0
    assert [units for units, command in account.asked if "apply" in command] == [
        {"global/data", "us-east-2/api"}
    ] * 2


def test_a_plan_that_could_not_be_applied_is_kept_for_another_try(account: Account) -> None:
    plan(account)
    account.status = 1
    assert apply(account, account.figures["plan"]) == 1
    account.status = 0
    assert apply(account, account.figures["plan"]) == 0


def test_nothing_is_left_of_a_plan_in_the_clear(account: Account) -> None:
    plan(account)
    assert list(account.tree.root.rglob(planning.PLAN_JSON)) == []
    apply(account, account.figures["plan"])
    assert list(account.tree.root.rglob("*.tfplan")) == []


def test_a_plan_that_is_not_whole_has_no_name(account: Account) -> None:
    del account.documents["us-east-2/api"]
    account.status = 1

    assert plan(account, keep=True) == 1
    assert account.figures == {
        "account": "prod", "plan": "", "changed": ["global/data"], "unplanned": ["us-east-2/api"],
    }  # fmt: skip
    assert "`us-east-2/api`: **could not be planned**" in account.page


def test_what_a_change_does_not_touch_is_not_planned(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_changed", lambda _tree, _since: ["docs/architecture.md"])
    assert plan(account, since="origin/main") == 0
    assert account.asked == []
    assert "touches no unit" in account.page

    monkeypatch.setattr(planning, "_changed", lambda _tree, _since: ["live/_units/data.hcl"])
    account.documents = {"global/data": CHANGED}
    assert plan(account, since="origin/main") == 0
    assert [units for units, _command in account.asked] == [{"global/data"}]
    # It is no plan of the account.
    assert account.figures["plan"] == ""
    with pytest.raises(ToolchainError, match="leave SINCE out"):
        plan(account, since="origin/main", keep=True)


def test_a_plan_is_applied_where_it_was_made_for_and_nowhere_else(account: Account) -> None:
    plan(account)
    name = account.figures["plan"]

    with pytest.raises(ToolchainError, match="a plan of prod, not of dev"):
        apply(account, name, of="dev")
    account.commit = "decaf"
    with pytest.raises(ToolchainError, match="of commit c0ffee, and here is decaf"):
        apply(account, name)
    account.commit, account.package = "c0ffee", "other"
    with pytest.raises(ToolchainError, match="isn't the one that was planned"):
        apply(account, name)
    assert [command for _units, command in account.asked] == [("plan", "-lock=false")]


def test_an_account_that_protects_its_data_is_applied_by_a_plan_alone(account: Account) -> None:
    with pytest.raises(ToolchainError, match="by a plan that somebody has seen"):
        apply(account, "")
    assert account.asked == []

    account.settings["deletion_protection"] = False
    assert apply(account, "") == 0
    assert account.asked == [({"global/data", "us-east-2/api"}, ("apply",))]


def test_files_that_differ_are_those_of_the_branch_and_of_the_working_tree(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    git("init", "-b", "main")
    for name in ("kept", "edited", "committed"):
        (tmp_path / name).write_text("before")
    git("add", ".")
    git("commit", "-m", "before")
    git("switch", "-c", "branch")
    (tmp_path / "committed").write_text("after")
    git("commit", "-am", "after")
    git("switch", "main")
    (tmp_path / "of others").write_text("after")
    git("add", ".")
    git("commit", "-m", "of others")
    git("switch", "branch")
    (tmp_path / "edited").write_text("after")
    (tmp_path / "new").write_text("after")

    assert sorted(planning._changed(Tree(tmp_path), "main")) == ["committed", "edited", "new"]
    with pytest.raises(ToolchainError, match="git merge-base failed"):
        planning._changed(Tree(tmp_path), "nothing")


ENDS_WELL = """
import signal, sys, time
def interrupted(number, frame):
    open(sys.argv[1], "a").write("i")
    sys.exit(0)
signal.signal(signal.SIGINT, interrupted)
open(sys.argv[1], "a").write("r")
time.sleep(60)
"""


def test_a_tool_that_is_interrupted_ends_what_it_is_at(tmp_path: Path) -> None:
    """A kill would leave a lock, and a state without what was just made."""
    seen = tmp_path / "seen"
    command = [sys.executable, "-c", ENDS_WELL, str(seen)]

    def terminate() -> None:
        eventually(seen.is_file, bool, within=30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    threading.Timer(0, terminate).start()
    with pytest.raises(KeyboardInterrupt):
        planning._run_to_its_end(command, tmp_path, {})
    assert seen.read_text() == "ri"
