"""However a run ends, its users are gone with all that they own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from drills import cleanup_watchdog, test_users
from drills.rollback_log import RollbackLog, note_of, roll_back_leftovers
from load import run as module
from load.phone import SignedIn
from load.run import ROOM, run
from load.size import Size
from project.console import ToolchainError
from tests.drills.systems import ACCOUNT, system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from drills.system import System
    from load.records import Plan

SIZE = Size(users=2, rate=5.0, minutes=1.0)


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The users that were removed; whoever is noted is noted in a folder of the test's."""
    gone: list[str] = []
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(test_users, "remove", lambda _system, username: gone.append(username))
    monkeypatch.setattr(cleanup_watchdog, "watching", lambda *_: nullcontext())
    return gone


@pytest.fixture
def generators(monkeypatch: pytest.MonkeyPatch, removed: list[str]) -> list[subprocess.Popen[str]]:
    """The generators of runs whose users are made nowhere; each says nothing, and waits."""
    started: list[subprocess.Popen[str]] = []
    original = module._generator

    def sign_in_all(
        _system: System, rollback: RollbackLog, count: int, _show: Callable[[str], None]
    ) -> list[SignedIn]:
        for number in range(count):
            rollback.expect(f"user {number}")
        assert json.loads(rollback.path.read_text())["process"] == os.getpid()
        return [SignedIn(f"user {number}", "access", "refresh") for number in range(count)]

    @contextmanager
    def noted(plan: Plan) -> Iterator[subprocess.Popen[str]]:
        with original(plan) as generator:
            started.append(generator)
            yield generator

    assert removed == []
    monkeypatch.setattr(module, "sign_in_all", sign_in_all)
    monkeypatch.setattr(module, "_generator", noted)
    monkeypatch.setattr(module, "GENERATOR", [sys.executable, "-c", "import sys; sys.stdin.read()"])
    return started


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_ends_the_generator_and_removes_the_users(
    monkeypatch: pytest.MonkeyPatch, generators: list[subprocess.Popen[str]], removed: list[str]
) -> None:
    monkeypatch.setattr(module, "_count", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run(system(), SIZE)

    (generator,) = generators
    assert generator.returncode == 0
    assert sorted(removed) == ["user 0", "user 1"]
    assert not note_of(ACCOUNT.name, ROOM).exists()


def test_ctrl_c_while_users_are_made_removes_those_that_may_be_there(
    monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    def sign_in_all(_system: System, rollback: RollbackLog, *_: Any) -> None:
        rollback.expect("user 0")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "sign_in_all", sign_in_all)

    with pytest.raises(KeyboardInterrupt):
        run(system(), SIZE)

    assert removed == ["user 0"]


def test_a_generator_that_breaks_off_is_no_result(
    monkeypatch: pytest.MonkeyPatch, generators: list[subprocess.Popen[str]], removed: list[str]
) -> None:
    broken = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)"]
    monkeypatch.setattr(module, "GENERATOR", broken)

    with pytest.raises(ToolchainError, match="status 3"):
        run(system(), SIZE)

    assert len(generators) == 1
    assert sorted(removed) == ["user 0", "user 1"]


def test_what_a_killed_run_left_is_removed_and_no_drills_note_is_touched(
    removed: list[str],
) -> None:
    RollbackLog(note_of(ACCOUNT.name)).expect("a drill's user")
    RollbackLog(note_of(ACCOUNT.name, ROOM), process=4711).expect("user 0")

    roll_back_leftovers(system(), 4712, ROOM)
    assert removed == []
    roll_back_leftovers(system(), 4711, ROOM)
    assert removed == ["user 0"]
    assert note_of(ACCOUNT.name).exists()


def test_the_watchdog_of_a_room_looks_after_that_rooms_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    commands: list[list[str]] = []
    original = subprocess.Popen

    def begun(command: list[str], **rest: Any) -> subprocess.Popen[bytes]:
        commands.append(command)
        return original([sys.executable, "-c", "import sys; sys.stdin.read()"], **rest)

    monkeypatch.setattr(subprocess, "Popen", begun)
    with cleanup_watchdog.watching(system(), ROOM):
        assert commands[0][-3:] == [ACCOUNT.name, str(os.getpid()), ROOM]
    assert (tmp_path / ROOM / "cleanup_watchdog.log").exists()
