"""Start, stop, crash: the process is found again, or known to be gone, and its state stays."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import process
from local.settings import Settings
from tests.support.emulator import REGIONS, TABLE, Emulator, Stack, command, deploy, eventually


def _kill(settings: Settings) -> None:
    reported = process.status(settings)
    assert reported is not None
    handle = os.pidfd_open(reported["pid"])
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    eventually(lambda: process.identify(reported["pid"]) is None)


def _saved(settings: Settings, text: str) -> bool:
    file = settings.state / "dynamodb.json"
    return file.exists() and text in file.read_text()


def test_everything_is_there_again_after_a_stop(own_settings: Settings) -> None:
    process.start(own_settings)
    stack = deploy(Emulator(own_settings))
    stack.emulator.set_lag(3600)
    stack.put("us-east-1", "a", "1", "kept")
    authority = (own_settings.ca / "ca.pem").read_bytes()

    assert process.stop(own_settings)
    assert process.start(own_settings)

    assert stack.items("us-east-1", "a") == {"1": "kept"}
    assert stack.get("us-west-2", "/where").status_code == 200
    eventually(lambda: stack.items("us-west-2", "a") == {"1": "kept"})
    assert (own_settings.ca / "ca.pem").read_bytes() == authority


def test_a_crash_loses_neither_the_stack_nor_what_was_on_its_way(own_settings: Settings) -> None:
    process.start(own_settings)
    stack = deploy(Emulator(own_settings))
    stack.emulator.set_lag(1.5)
    stack.put("us-east-1", "a", "1", "kept")
    stack.get("us-east-1", "/where")
    eventually(lambda: _saved(own_settings, "kept"))

    _kill(own_settings)
    assert process.running(own_settings) is None
    process.start(own_settings)

    assert stack.items("us-east-1", "a") == {"1": "kept"}
    eventually(lambda: stack.items("us-west-2", "a") == {"1": "kept"})
    assert stack.get("us-east-1", "/where").status_code == 200


def test_functions_end_with_a_process_that_crashes(own_settings: Settings) -> None:
    process.start(own_settings)
    stack = deploy(Emulator(own_settings))
    worker: int = stack.get("us-east-1", "/where").json()["pid"]

    _kill(own_settings)

    eventually(lambda: process.identify(worker) is None)


def test_starting_twice_starts_once(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_looked = threading.Barrier(2)
    look = process.running

    def look_together(settings: Settings) -> process.Identity | None:
        found = look(settings)
        # Only if nothing keeps them apart do both get here before either has started.
        with contextlib.suppress(threading.BrokenBarrierError):
            both_have_looked.wait(0.5)
        return found

    monkeypatch.setattr(process, "running", look_together)
    with ThreadPoolExecutor(2) as pool:
        started = list(pool.map(process.start, [own_settings, own_settings]))

    assert sorted(started) == [False, True]


def test_a_pid_file_of_a_process_that_is_long_gone_is_harmless(own_settings: Settings) -> None:
    own_settings.state_dir.mkdir(parents=True)
    other = subprocess.Popen(["sleep", "60"])
    identity = process.identify(other.pid)
    assert identity
    stale = {"pid": other.pid, "started": identity.started - 1}
    (own_settings.state_dir / "local.pid").write_text(json.dumps(stale))

    assert process.stop(own_settings) is False
    assert process.start(own_settings) is True

    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_port_that_is_taken_is_named_with_its_holder_and_the_variable(
    own_settings: Settings,
) -> None:
    with socket.create_server(("127.0.0.1", own_settings.https_port)):
        failed = command(own_settings, "start")

    assert failed.returncode == 1
    for part in (f"Port {own_settings.https_port}", f"process {os.getpid()}", "LOCAL_HTTPS_PORT"):
        assert part in failed.stderr
    assert process.running(own_settings) is None


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_dns_needs_its_port_over_both_protocols(
    own_settings: Settings, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", own_settings.dns_port))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        failed = command(own_settings, "start")

    assert failed.returncode == 1
    for part in (f"Port {own_settings.dns_port}", f"process {os.getpid()}", "LOCAL_DNS_PORT"):
        assert part in failed.stderr


def test_down_leaves_nothing_but_what_is_not_ours(own_settings: Settings) -> None:
    process.start(own_settings)
    mine = own_settings.state_dir / "mine.txt"
    mine.write_text("a person's own")

    assert command(own_settings, "down").returncode == 0

    assert mine.exists()
    assert not any((own_settings.state_dir / name).exists() for name in process.OURS)
    assert command(own_settings, "status").returncode == 1


def test_status_asks_each_region_over_https(stack: Stack) -> None:
    shown = command(stack.emulator.settings, "status")

    assert shown.returncode == 0
    lines = [line for line in shown.stdout.splitlines() if line.startswith(REGIONS)]
    assert [line.split()[0] for line in lines] == list(REGIONS)
    assert all(" 200 in " in line for line in lines)
    assert "ministack   1.5.33" in shown.stdout


def test_logs_are_in_one_folder(emulator: Emulator) -> None:
    # Other tests share this emulator: its first lines may be far up.
    shown = command(emulator.settings, "logs", "--lines", "1000000")

    assert "serving" in shown.stdout
    assert {path.name for path in emulator.settings.logs.iterdir()} <= {"local.log", "boot.log"}


def test_nothing_changes_on_disk_while_nothing_happens(stack: Stack) -> None:
    file: Path = stack.emulator.settings.state / "dynamodb.json"
    stack.put("us-east-1", "still", "1", "x")
    eventually(lambda: "still" in file.read_text())
    eventually(lambda: stack.items("us-west-2", "still") == {"1": "x"})
    eventually(lambda: stack.emulator.status()["replication"]["pending"] == 0)
    eventually(lambda: time.time() - file.stat().st_mtime > 1.5)
    before = file.stat().st_mtime_ns

    stack.items("us-east-1", "still")
    stack.emulator.client("dynamodb").describe_table(TableName=TABLE)

    assert file.stat().st_mtime_ns == before


def test_who_took_the_port_of_a_stopped_emulator_gets_no_token(own_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", own_settings.aws_port)) as stranger:
        stranger.settimeout(0)

        assert process.status(own_settings) is None
        with pytest.raises(process.ProcessError, match="make start"):
            process.control(own_settings, "DELETE", "/_local/faults")
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_second_one_in_the_foreground_names_the_first(emulator: Emulator) -> None:
    second = command(emulator.settings, "serve")

    assert second.returncode == 1
    assert f"process {emulator.status()['pid']}" in second.stderr
