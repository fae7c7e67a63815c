"""Awkward but ordinary situations, in turn, on a clone's own deployment: ten minutes, by hand.

    python -m pytest tests/interrupted_runs/awkward_situations.py

What can be shown in seconds is in tests/local and tests/toolchain, and so in `make test`.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from local import process
from tests.local.conftest import settings_in
from tests.support.emulator import TABLE, Emulator, create_table
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clone import Clone


def test_1_the_emulator_dies_during_an_apply(clone: Clone) -> None:
    running = clone.begin("up")
    eventually(
        lambda: clone.apply_log() if running.poll() is None else "ended",
        lambda log: "Creation complete" in log,
        within=600,
    )

    os.kill(clone.process_id(), signal.SIGKILL)
    output, _ = running.communicate(timeout=900)

    assert running.returncode == 1
    assert "The embedded AWS itself has ended meanwhile" in output
    assert "Traceback" not in output


def test_2_the_same_command_carries_on(clone: Clone) -> None:
    status, output = clone.run("up")

    assert status == 0, output
    assert "had ended without being stopped" in output


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Another clone's emulator, with a table."""
    theirs = settings_in(tmp_path_factory.mktemp("theirs"))
    process.start(theirs)
    create_table(Emulator(theirs))
    yield Emulator(theirs)
    process.stop(theirs)


def test_3_with_another_clones_ports_in_the_shell_nothing_is_touched(
    clone: Clone, stranger: Emulator
) -> None:
    theirs = stranger.settings
    mistaken = dataclasses.replace(
        clone, aws_port=theirs.aws_port, https_port=theirs.https_port, dns_port=theirs.dns_port
    )
    fault = ("fault", "REGION=us-east-1", "KIND=hang")
    commands = [(each,) for each in ("up", "down", "status", "heal", "env", "takeover", "drill")]

    for make in (*commands, fault):
        status, output = mistaken.run(*make)
        assert status != 0, make
        assert f"runs with LOCAL_AWS_PORT={clone.aws_port}" in output, make
        assert "Traceback" not in output, make

    assert clone.run("stop")[0] == 0
    for make in commands:
        if make != ("heal",):  # nothing runs that could be healed
            status, output = mistaken.run(*make)
            assert status != 0, make
            assert f"the embedded AWS of {theirs.state_dir}" in output, make
            assert str(clone.state) in output, make
    assert stranger.client("dynamodb").list_tables()["TableNames"] == [TABLE]
    assert clone.run("start")[0] == 0


def test_4_damaged_tables_are_kept_and_what_is_made_again_is_named(clone: Clone) -> None:
    assert clone.run("stop")[0] == 0
    tables = clone.state / "state" / "dynamodb.json"
    tables.write_bytes(tables.read_bytes()[:-100])

    for make in ("start", "up"):
        status, output = clone.run(make)
        assert status != 0
        assert "make start WITHOUT=dynamodb" in output
        assert "Traceback" not in output
    assert clone.run("start", "WITHOUT=dynamodb")[0] == 0
    status, output = clone.run("up")

    assert status == 0, output
    assert "made again, and empty: aws_dynamodb_table.this" in output
    assert list((clone.state / "set-aside").glob("items.sqlite.*"))


def test_5_a_terraform_state_that_is_cut_short_is_named_with_the_way_out(clone: Clone) -> None:
    state = clone.state / "tfstate" / "local" / "global" / "data" / "terraform.tfstate"
    whole = state.with_name("whole")
    shutil.copy2(state, whole)
    state.write_bytes(state.read_bytes()[:200])

    for make in ("up", "env"):
        status, output = clone.run(make)
        assert status != 0
        assert str(state) in output
        assert "Traceback" not in output
    shutil.copy2(whole, state)
    assert clone.run("up")[0] == 0
