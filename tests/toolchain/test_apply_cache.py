"""An apply is spared only when it would start from exactly what the last one left."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from project.account import Account
from project.console import ToolchainError
from project.paths import Tree
from tests.support.accounts import LOCAL
from toolchain import apply_cache, up

if TYPE_CHECKING:
    from project.deployment import Deployment

FILES = (
    "terragrunt.hcl",
    "live/_defaults.hcl",
    "live/_units/api.hcl",
    "live/local/account.hcl",
    "modules/api/main.tf",
    "lambda/openapi.yaml",
    ".build/lambda.zip",
    ".local/tfstate/local/global/data/terraform.tfstate",
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.delenv("LOCAL_STATE_DIR", raising=False)
    for name in (*FILES, "live/dev/account.hcl", "modules/api/.terraform/provider"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    return Tree(tmp_path)


def _apply(tree: Tree) -> None:
    with apply_cache.applying(tree):
        pass


@pytest.mark.parametrize("name", FILES)
def test_any_change_of_what_an_apply_starts_from_is_seen(tree: Tree, name: str) -> None:
    _apply(tree)
    assert apply_cache.is_current(tree)
    (tree.root / name).write_text('{"changed": true}')
    assert not apply_cache.is_current(tree)


def test_the_released_contract_is_nothing_that_an_apply_reads(tree: Tree) -> None:
    _apply(tree)
    released = tree.root / "lambda" / "released" / "schemas" / "item.json"
    released.parent.mkdir(parents=True)
    released.touch()
    assert apply_cache.is_current(tree)


def test_a_new_file_and_another_port_are_seen(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    _apply(tree)
    (tree.root / "modules" / "api" / "more.tf").touch()
    assert not apply_cache.is_current(tree)
    _apply(tree)
    monkeypatch.setenv("LOCAL_HTTPS_PORT", "1")
    assert not apply_cache.is_current(tree)


def test_what_is_edited_during_an_apply_is_not_taken_for_applied(tree: Tree) -> None:
    with apply_cache.applying(tree):
        (tree.root / "live" / "local" / "account.hcl").write_text("edited")
    assert not apply_cache.is_current(tree)


def test_other_accounts_and_what_tools_leave_behind_do_not_count(tree: Tree) -> None:
    _apply(tree)
    (tree.root / "live" / "dev" / "account.hcl").write_text("changed")
    (tree.root / "modules" / "api" / ".terraform" / "provider").write_text("changed")
    assert apply_cache.is_current(tree)


@pytest.mark.parametrize(("current", "ready", "applies"), [(1, 1, 0), (1, 0, 1), (0, 1, 1)])
def test_it_is_spared_only_while_both_regions_are_ready(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, current: bool, ready: bool, applies: int
) -> None:
    ran: list[str] = []

    def terragrunt_all(_tree: Tree, _account: Account, action: str) -> frozenset[str]:
        ran.append(action)
        return frozenset()

    monkeypatch.setattr(apply_cache, "is_current", lambda _: bool(current))
    monkeypatch.setattr(up, "deployment_of", lambda *_: None)
    monkeypatch.setattr(up, "_is_ready", lambda *_: bool(ready))
    monkeypatch.setattr(up, "terragrunt_all", terragrunt_all)
    up._apply(tree, LOCAL)
    assert ran == ["apply"] * applies


@pytest.mark.parametrize(("cold", "ready"), [(0, True), (2, True), (10**9, False)])
def test_a_region_that_starts_cold_gets_its_time_and_one_that_lost_its_table_is_not_ready(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, cold: int, ready: bool
) -> None:
    now, asked = itertools.count(step=1.0), list[str]()

    def complaint(_tree: Tree, url: str) -> str:
        asked.append(url)
        return "502" if len(asked) <= cold else ""

    monkeypatch.setattr(up, "_complaint", complaint)
    clock = SimpleNamespace(monotonic=lambda: next(now), sleep=lambda _: None)
    monkeypatch.setattr(up, "time", clock)
    stacks = [SimpleNamespace(url=f"https://{name}") for name in ("one", "two")]
    deployment = cast("Deployment", SimpleNamespace(regions=stacks))

    assert up._is_ready(tree, deployment) is ready

    assert len(asked) < 30
    assert ({*asked} == {f"https://{name}/health/ready" for name in ("one", "two")}) is ready


def test_an_apply_that_fails_is_never_taken_for_done(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ToolchainError("no")

    _apply(tree)
    monkeypatch.setattr(up, "terragrunt_all", fail)
    monkeypatch.setattr(up, "_is_ready", lambda *_: False)
    monkeypatch.setattr(up, "deployment_of", lambda *_: None)
    with pytest.raises(ToolchainError):
        up._apply(tree, LOCAL)
    assert not apply_cache.is_current(tree)
