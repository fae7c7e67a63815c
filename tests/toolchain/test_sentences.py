"""What a person's machine or habits bring about ends in a sentence, never in a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dashboards.__main__ import main as dashboards_main
from doctor.__main__ import main as doctor_main
from drift.__main__ import main as drift_main
from drills.__main__ import main as drills_main
from drills.report import files
from local import __main__ as local_commands
from local import process
from local.settings import read as read_settings
from project import account as accounts
from project.access import AccessError, require_authority
from project.console import ToolchainError, files_explained
from project.credentials import FILE, CredentialsError, credentials_of
from project.paths import TREE, Tree
from releases.__main__ import main as releases_main
from tests.support.ports import free_ports
from toolchain import cli, up
from tracing.__main__ import main as tracing_main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READ_ONLY = OSError(errno.EROFS, "Read-only file system", "/clone/.local/local.lock")


def denied(*_: object) -> None:
    raise READ_ONLY


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No emulator at this clone's ports, whatever runs meanwhile."""
    monkeypatch.delenv("ACCOUNT", raising=False)
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOCAL_AWS_PORT", str(free_ports(1)[0]))


@pytest.mark.parametrize(
    ("place", "name", "run"),
    [
        (up, "up", lambda: cli.main(["up"])),
        (process, "start", lambda: local_commands.main(["start"])),
        (files, "last", lambda: drills_main(["report"])),
        (accounts, "_locals_of", lambda: tracing_main(["x"])),
        (accounts, "_locals_of", dashboards_main),
        (accounts, "_locals_of", lambda: doctor_main([])),
        (accounts, "_locals_of", lambda: releases_main(["list"])),
        (accounts, "_locals_of", lambda: drift_main([])),
    ],
    ids=["toolchain", "local", "drills", "tracing", "dashboards", "doctor", "releases", "drift"],
)
def test_a_folder_that_can_not_be_written_is_named_with_what_to_do(
    place: object,
    name: str,
    run: Callable[[], int],
    stopped: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(place, name, denied)

    assert run() in (1, 2)

    said = capsys.readouterr().err
    assert "/clone/.local/local.lock: read-only file system. What to do: make it writable" in said
    assert "Traceback" not in said


def test_a_full_disk_is_told_from_a_closed_door() -> None:
    said = r"/x: no space left.* make room on that disk"
    with pytest.raises(ToolchainError, match=said), files_explained():
        raise OSError(errno.ENOSPC, "No space left on device", "/x")


def test_what_is_no_files_fault_stays_what_it_is() -> None:
    with pytest.raises(ConnectionResetError), files_explained():
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize(
    "command", ["takeover", "failback", "pause-writes", "resume-writes", "run", "all"]
)
def test_what_needs_the_embedded_aws_says_that_it_is_stopped(
    command: str, stopped: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drills_main([command]) == 2

    assert capsys.readouterr().err.strip().startswith("The embedded AWS does not run: `make start`")


def test_a_key_that_can_not_be_read_does_not_keep_the_emulator_from_being_stopped(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path)
    tree.local_state.mkdir()
    (tree.local_state / FILE).write_text("{")
    tree.python.parent.mkdir(parents=True)
    tree.python.write_text('#!/bin/sh\necho "$@" $AWS_ENDPOINT_URL > given\n')
    tree.python.chmod(0o755)

    assert up.run_module(tree, "local", "local", "stop") == 0

    assert (tmp_path / "given").read_text().startswith("-m local stop http://127.0.0.1:")


def test_a_key_on_a_disk_that_is_read_only_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = credentials_of(tmp_path)
    monkeypatch.setattr(os, "fchmod", denied)
    assert credentials_of(tmp_path) == made
    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(CredentialsError, match=r"can't be used.*Read-only file system"):
        credentials_of(tmp_path)


def test_a_missing_authority_is_no_answer_of_an_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    said = local_commands._health(read_settings(), "api.landing.localhost")
    assert said.startswith(f"not asked: {tmp_path / 'ca' / 'ca.pem'} is missing (make stop")


@pytest.mark.parametrize("missing", ["ca.pem", "bundle.pem"])
def test_nothing_is_begun_that_needs_the_authority(tmp_path: Path, missing: str) -> None:
    tree = Tree(tmp_path)
    tree.ca.parent.mkdir(parents=True)
    for file in (tree.ca, tree.ca_bundle):
        file.touch()
    require_authority(tree)
    (tree.ca.parent / missing).unlink()
    with pytest.raises(AccessError, match=r"certificate authority is missing .*make stop"):
        require_authority(tree)


def test_a_report_of_an_account_is_asked_for_in_the_words_that_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REPORTS", tmp_path)
    with pytest.raises(ToolchainError, match=r"no report of dev yet: run `make drill ACCOUNT=dev`"):
        files.last("dev")
    with pytest.raises(ToolchainError, match=r"run `make drill`"):
        files.last("local")


def test_whoever_has_read_enough_ends_it_in_peace(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-u", "-m", "local", "status"],
        cwd=TREE.root,
        env={
            **os.environ,
            "LOCAL_STATE_DIR": str(tmp_path),
            "LOCAL_AWS_PORT": str(free_ports(1)[0]),
        },
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
