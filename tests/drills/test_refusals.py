"""What a drill refuses to do, and what it says instead."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drills import watchers
from drills.__main__ import main
from drills.confirmation import require_confirmation
from drills.experiments import EXPERIMENTS
from drills.steady_state import await_steady_state
from drills.targets import read_targets
from drills.watchers import Watcher
from project.console import ToolchainError
from project.paths import TREE
from tests.drills.histories import PRIMARY, STANDBY
from tests.drills.systems import TARGETS, impatient

if TYPE_CHECKING:
    from pathlib import Path

ASKS = replace(TARGETS, asks_twice=True)
TAKEOVER = [EXPERIMENTS["takeover"]]


class Terminal(io.StringIO):
    """A person at the keyboard, with an answer."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def confirmed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell with CONFIRM=prod, and no CI."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("CONFIRM", "prod")
    return monkeypatch


def test_prod_asks_twice_and_other_accounts_of_this_repository_do_not() -> None:
    asked = {name: read_targets(TREE, name).asks_twice for name in ("local", "dev", "prod")}

    assert asked == {"local": False, "dev": False, "prod": True}


def test_an_account_that_does_not_say_is_asked_about(tmp_path: Path) -> None:
    tree = type(TREE)(tmp_path)
    tree.tools.symlink_to(TREE.tools)
    account = tree.account("new")
    account.mkdir(parents=True)
    shutil.copy(TREE.root / "live" / "_defaults.hcl", account.parent)
    shutil.copy(TREE.account("prod") / "account.hcl", account)

    assert read_targets(tree, "new").asks_twice


def test_both_answers_let_it_begin(confirmed: pytest.MonkeyPatch) -> None:
    confirmed.setattr("sys.stdin", Terminal("takeover\n"))

    require_confirmation("prod", ASKS, TAKEOVER)


def test_without_the_variable_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("CONFIRM", raising=False)

    with pytest.raises(ToolchainError, match="CONFIRM=prod"):
        require_confirmation("prod", ASKS, TAKEOVER)


def test_another_answer_begins_nothing(confirmed: pytest.MonkeyPatch) -> None:
    confirmed.setattr("sys.stdin", Terminal("yes\n"))

    with pytest.raises(ToolchainError, match="nothing was done"):
        require_confirmation("prod", ASKS, TAKEOVER)


def test_a_pipe_is_no_person(confirmed: pytest.MonkeyPatch) -> None:
    confirmed.setattr("sys.stdin", io.StringIO("takeover\n"))

    with pytest.raises(ToolchainError, match="asks a person"):
        require_confirmation("prod", ASKS, TAKEOVER)


def test_ci_never_begins_one(confirmed: pytest.MonkeyPatch) -> None:
    confirmed.setenv("CI", "true")
    confirmed.setattr("sys.stdin", Terminal("takeover\n"))

    with pytest.raises(ToolchainError, match="CI"):
        require_confirmation("prod", ASKS, TAKEOVER)


def test_what_an_account_can_not_have_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNT", "dev")

    assert main(["run", "region-lost"]) == 2
    assert "AWS has no API" in capsys.readouterr().err


def test_the_list_says_what_an_account_can_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNT", "dev")

    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    offered = {"takeover", "table-lost", "functions-stopped", "overload"}
    refused = {
        line.split()[0]
        for line, after in zip(listed.splitlines(), listed.splitlines()[1:], strict=False)
        if "Not in dev" in after
    }
    assert refused == set(EXPERIMENTS) - offered


def test_an_unknown_experiment_is_no_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "earthquake"])
    assert "region-lost" in capsys.readouterr().err


def test_nothing_is_broken_where_a_region_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    # Before the first `make up` there is no such file, and requests looks for it first.
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)

    with pytest.raises(ToolchainError, match="us-east-1 is not ready"):
        await_steady_state(impatient())


def test_nothing_is_broken_while_only_the_edge_still_goes_to_the_primary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def always(seen: str) -> Watcher:
        return Watcher("", 0, lambda: seen)

    monkeypatch.setattr(watchers, "answers", lambda url: not url.endswith("/takeover"))
    monkeypatch.setattr(watchers, "failover_record", lambda *_: always(STANDBY))
    monkeypatch.setattr(watchers, "serving_region", lambda _url: always(PRIMARY))

    with pytest.raises(ToolchainError, match=f"DNS names {STANDBY}"):
        await_steady_state(impatient())
