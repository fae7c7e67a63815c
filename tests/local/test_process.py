"""Start, stop, crash: the process is found again, or known to be gone, and its state stays."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import process
from local.settings import REGISTERED_DOMAIN, REPOSITORY, Settings
from tests.support.emulator import (
    REGIONS,
    TABLE,
    Emulator,
    Stack,
    command,
    create_table,
    deploy,
    environment_of,
    eventually,
)

# Whoever is started in the background ignores Ctrl-C, and so do its children.
STARTED_IN_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from local.__main__ import main
sys.exit(main(["start"]))
"""


def _kill(settings: Settings) -> None:
    reported = process.status(settings)
    assert reported is not None
    handle = os.pidfd_open(reported["pid"])
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    eventually(lambda: process.identify(reported["pid"]) is None)


def hosted_zones(emulator: Emulator) -> dict[str, str]:
    """The names of the account's zones, by their ids."""
    listed = emulator.client("route53").list_hosted_zones()["HostedZones"]
    return {zone["Id"]: zone["Name"] for zone in listed}


def test_everything_is_there_again_after_a_stop(own_settings: Settings) -> None:
    process.start(own_settings)
    stack = deploy(Emulator(own_settings))
    stack.emulator.set_lag(3600)
    stack.put("us-east-1", "a", "1", "kept")
    zones = hosted_zones(stack.emulator)
    authority = (own_settings.ca / "ca.pem").read_bytes()

    assert process.stop(own_settings)
    assert process.start(own_settings)

    assert stack.items("us-east-1", "a") == {"1": "kept"}
    assert stack.get("us-west-2", "/where").status_code == 200
    eventually(lambda: stack.items("us-west-2", "a") == {"1": "kept"})
    assert (own_settings.ca / "ca.pem").read_bytes() == authority
    assert list(zones.values()) == [f"{REGISTERED_DOMAIN}."]
    assert hosted_zones(stack.emulator) == zones


def test_a_crash_loses_neither_the_stack_nor_what_was_on_its_way(own_settings: Settings) -> None:
    at_once = dataclasses.replace(own_settings, save_interval=0)
    process.start(at_once)
    stack = deploy(Emulator(own_settings))
    stack.emulator.set_lag(1.5)
    stack.get("us-east-1", "/where")
    stack.put("us-east-1", "a", "1", "kept")

    _kill(own_settings)
    assert process.running(own_settings) is None
    process.start(own_settings)

    assert stack.items("us-east-1", "a") == {"1": "kept"}
    eventually(lambda: stack.items("us-west-2", "a") == {"1": "kept"})
    assert stack.get("us-east-1", "/where").status_code == 200


def test_a_kill_under_load_costs_a_second_at_most_and_the_start_says_so(
    own_settings: Settings,
) -> None:
    process.start(own_settings)
    emulator = Emulator(own_settings)
    create_table(emulator)
    emulator.set_lag(0.05)
    stack = Stack(emulator, {})
    acknowledged: dict[str, float] = {}
    began = time.monotonic()
    while time.monotonic() < began + 3:
        number = str(len(acknowledged))
        stack.put("us-east-1", "load", number, "x" * 2000)
        acknowledged[number] = time.monotonic()
    killed = time.monotonic()
    _kill(own_settings)

    started = command(own_settings, "start")

    assert "had ended without being stopped" in started.stdout
    kept = stack.items("us-east-1", "load")
    assert {number for number, at in acknowledged.items() if at < killed - 1} <= kept.keys()
    eventually(lambda: stack.items("us-west-2", "load") == kept)


@pytest.mark.parametrize("name", ["dynamodb.json", "cognito.json", "items.sqlite"])
def test_state_that_cant_be_read_is_kept_and_nothing_starts_without_it(
    own_settings: Settings, name: str
) -> None:
    process.start(own_settings)
    emulator = Emulator(own_settings)
    create_table(emulator)
    Stack(emulator, {}).put("us-east-1", "a", "1", "kept")
    emulator.client("cognito-idp").create_user_pool(PoolName="people")
    process.stop(own_settings)
    file = own_settings.state / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    refused = [command(own_settings, "start") for _ in range(2)]

    for done in refused:
        assert done.returncode == 1
        assert f"{file}.unreadable" in done.stderr
        assert f"make start WITHOUT={file.stem}" in done.stderr
        assert "Traceback" not in done.stderr
    assert process.running(own_settings) is None
    file.with_name(f"{name}.unreadable").write_bytes(whole)
    file.with_name(f"{name}.unreadable").rename(file)
    assert command(own_settings, "start").returncode == 0
    assert Stack(emulator, {}).items("us-east-1", "a") == {"1": "kept"}
    assert len(emulator.client("cognito-idp").list_user_pools(MaxResults=9)["UserPools"]) == 1


def test_who_says_so_begins_without_what_cant_be_read(own_settings: Settings) -> None:
    process.start(own_settings)
    create_table(Emulator(own_settings))
    process.stop(own_settings)
    (own_settings.state / "dynamodb.json").write_text("{")
    assert command(own_settings, "start").returncode == 1

    started = command(own_settings, "start", "--without", "dynamodb")

    assert started.returncode == 0, started.stderr
    assert "Begun without dynamodb" in started.stdout
    assert Emulator(own_settings).client("dynamodb").list_tables()["TableNames"] == []
    kept = {
        path.name.partition(".")[0] for path in (own_settings.state_dir / "set-aside").iterdir()
    }
    assert "dynamodb" in kept


def test_what_cant_be_saved_is_shown_and_is_not_stopped(own_settings: Settings) -> None:
    process.start(own_settings)
    in_the_way = own_settings.state / "iam.json.new"
    # A directory is in the way of root as well.
    in_the_way.mkdir()
    Emulator(own_settings).client("iam").create_user(UserName="kept")
    eventually(lambda: Emulator(own_settings).status()["saving"]["failure"])

    shown, stopped = (command(own_settings, what) for what in ("status", "stop"))

    assert shown.returncode == stopped.returncode == 1
    assert f"NOT SAVED   [Errno 21] Is a directory: '{in_the_way}'" in shown.stdout
    assert "Not stopped, so that nothing is lost" in stopped.stderr
    assert str(in_the_way) in stopped.stderr
    in_the_way.rmdir()
    assert command(own_settings, "stop").returncode == 0
    process.start(own_settings)
    users = Emulator(own_settings).client("iam").list_users()["Users"]
    assert [user["UserName"] for user in users] == ["kept"]


def test_ctrl_c_while_it_starts_ends_it_and_says_so(own_settings: Settings) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTED_IN_A_TERMINAL],
        cwd=REPOSITORY,
        env=environment_of(own_settings),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as starting:
        eventually(lambda: process.running(own_settings) is not None)
        os.killpg(starting.pid, signal.SIGINT)
        _, said = starting.communicate(timeout=60)

    assert starting.returncode == 130
    assert said == "local: interrupted as it started; it is ended, and nothing runs.\n"
    assert process.running(own_settings) is None
    assert process.start(own_settings)


def test_a_clone_remembers_its_ports(own_settings: Settings) -> None:
    process.start(own_settings)
    forgotten = {
        name: text
        for name, text in environment_of(own_settings).items()
        if name not in own_settings.ports
    }

    shown = subprocess.run(
        [sys.executable, "-m", "local", "status"],
        cwd=REPOSITORY, env=forgotten, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert shown.returncode == 0, shown.stderr
    assert own_settings.endpoint in shown.stdout


@pytest.mark.parametrize(
    "arguments",
    [("start",), ("status",), ("fault", "--region=us-east-1", "--kind=hang"), ("heal",)],
    ids=" ".join,
)
def test_another_clones_emulator_is_refused_with_both_paths(
    emulator: Emulator, own_settings: Settings, arguments: tuple[str, ...]
) -> None:
    mistaken = dataclasses.replace(own_settings, aws_port=emulator.settings.aws_port)

    refused = command(mistaken, *arguments)
    process.start(own_settings)
    differs = command(mistaken, *arguments)

    assert refused.returncode == differs.returncode == 1
    if arguments[0] not in {"fault", "heal"}:
        assert f"the embedded AWS of {emulator.settings.state_dir}" in refused.stderr
        assert str(own_settings.state_dir) in refused.stderr
    assert f"runs with LOCAL_AWS_PORT={own_settings.aws_port}" in differs.stderr
    assert f"this shell says LOCAL_AWS_PORT={mistaken.aws_port}" in differs.stderr
    assert not [each["fault"] for each in emulator.status()["endpoints"] if each["fault"]]


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
    folder = own_settings.state_dir
    (folder / "mine.txt").write_text("a person's own")
    # What a deployment and a state that can't be read leave.
    for name in ("tfstate", "set-aside"):
        (folder / name).mkdir()

    assert command(own_settings, "down").returncode == 0

    left = {path.name for path in folder.iterdir()}
    assert left == {"mine.txt", "local.lock", "ports.json"}
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
    folder: Path = stack.emulator.settings.state

    def all_saved() -> bool:
        reported = stack.emulator.status()
        return not reported["saving"]["waiting"] and not reported["replication"]["pending"]

    def written() -> dict[str, int]:
        files = (*folder.glob("items.*"), folder / "dynamodb.json")
        return {path.name: path.stat().st_mtime_ns for path in files}

    stack.put("us-east-1", "still", "1", "x")
    eventually(lambda: stack.items("us-west-2", "still") == {"1": "x"})
    eventually(all_saved)
    before = written()

    stack.items("us-east-1", "still")
    stack.emulator.client("dynamodb").describe_table(TableName=TABLE)

    eventually(all_saved)
    assert written() == before


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
