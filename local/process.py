"""Starting, finding and stopping the serving process."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from local import settings
from local.settings import LOOPBACK, Settings
from project.credentials import CONTROL_HEADER, FILE, credentials_of, private_folder

if TYPE_CHECKING:
    from psutil._ntuples import sconn

START_SECONDS = 60.0
STOP_SECONDS = 30.0
CONTROL_SECONDS = 10.0
# A process that was killed holds its ports until the last of its threads has ended.
LEAVE_SECONDS = 3.0
# What `down` removes; nothing else in the state folder is ours.
OURS = ("state", "ca", "logs", "tmp", "tfstate")


class ProcessError(Exception):
    """The process can't be started or stopped; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, told apart from a later one with the same id by when it started.

    In seconds since the machine did, which a clock that is set doesn't change.
    """

    pid: int
    started: float


def start(chosen: Settings) -> bool:
    """Start unless it runs; True when this call started it. Returns once it answers."""
    private_folder(chosen.state_dir)
    private_folder(chosen.logs)
    with _one_at_a_time(chosen):
        if running(chosen):
            return False
        for variable, port in _ports(chosen).items():
            _require_free(variable, port)
        _wait_until_ready(chosen, _spawn(chosen))
        return True


def stop(chosen: Settings) -> bool:
    """Stop, its state saved; False when nothing ran."""
    private_folder(chosen.state_dir)
    with _one_at_a_time(chosen):
        identity = running(chosen)
        if identity is None:
            return False
        handle = os.pidfd_open(identity.pid)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        ended, _, _ = select.select([handle], [], [], STOP_SECONDS)
        if not ended:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [])
        os.close(handle)
        _pid_file(chosen).unlink(missing_ok=True)
        return True


def down(chosen: Settings) -> None:
    """Stop, and remove the state, the certificate authority and the logs."""
    stop(chosen)
    for name in OURS:
        shutil.rmtree(chosen.state_dir / name, ignore_errors=True)
    (chosen.state_dir / FILE).unlink(missing_ok=True)


def running(chosen: Settings) -> Identity | None:
    """The process that serves these settings, if it is alive and truly that one."""
    try:
        identity = Identity(**json.loads(_pid_file(chosen).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return identity if identify(identity.pid) == identity else None


def enlist(chosen: Settings) -> None:
    """Leave word that this process serves these settings; raises ProcessError when one does."""
    private_folder(chosen.state_dir)
    other = running(chosen)
    if other is not None:
        raise ProcessError(f"The embedded AWS runs already: process {other.pid} (make stop).")
    identity = identify(os.getpid())
    assert identity is not None
    staging = _pid_file(chosen).with_suffix(".new")
    staging.write_text(json.dumps(asdict(identity)))
    staging.replace(_pid_file(chosen))


def identify(pid: int) -> Identity | None:
    """The process that has this id now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, round(process.create_time() - psutil.boot_time(), 2))
    except psutil.NoSuchProcess:
        return None


def status(chosen: Settings, timeout: float = 5.0) -> dict[str, Any] | None:
    """What the process tells about itself, or None when it doesn't answer."""
    try:
        code, answer = _ask(chosen, "GET", "/_local/status", timeout)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return answer if code == 200 else None


def control(
    chosen: Settings, method: str, path: str, wanted: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the process answers to one of the emulator's own requests; raises ProcessError."""
    try:
        code, answer = _ask(chosen, method, path, CONTROL_SECONDS, wanted)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ProcessError("The embedded AWS does not answer (make start).") from error
    if code != 200:
        raise ProcessError(str(answer["message"]))
    return answer


def _ask(
    chosen: Settings,
    method: str,
    path: str,
    timeout: float,
    wanted: dict[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    if running(chosen) is None:
        # Whoever has the port now, perhaps another user, would be told the token.
        raise ConnectionRefusedError
    connection = http.client.HTTPConnection(LOOPBACK, chosen.aws_port, timeout=timeout)
    try:
        token = credentials_of(chosen.state_dir).control_token
        body = None if wanted is None else json.dumps(wanted)
        connection.request(method, path, body=body, headers={CONTROL_HEADER: token})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise ValueError("not the emulator")  # noqa: TRY004 - what it is, is somebody else's port
    return response.status, answer


def holder(port: int) -> str | None:
    """Who listens on a port of this machine, as far as this user may know."""
    for each in psutil.net_connections("inet"):
        if each.pid and each.laddr and each.laddr.port == port and _listens(each):
            with contextlib.suppress(psutil.Error):
                command = " ".join(psutil.Process(each.pid).cmdline())
                return f"process {each.pid} ({command[:120]})"
    return None


def _listens(connection: sconn) -> bool:
    if connection.type == socket.SOCK_DGRAM:
        return not connection.raddr
    return connection.status == psutil.CONN_LISTEN


def _ports(chosen: Settings) -> dict[str, int]:
    return {
        "LOCAL_AWS_PORT": chosen.aws_port,
        "LOCAL_HTTPS_PORT": chosen.https_port,
        "LOCAL_DNS_PORT": chosen.dns_port,
    }


def _require_free(variable: str, port: int) -> None:
    udp = variable == "LOCAL_DNS_PORT"
    limit = time.monotonic() + LEAVE_SECONDS
    while (problem := _problem_with(port, udp)) and not holder(port) and time.monotonic() < limit:
        time.sleep(0.05)
    if problem:
        by = holder(port)
        raise ProcessError(
            f"Port {port} of {LOOPBACK} can't be used ({problem}): "
            f"{f'held by {by}' if by else 'its holder is not visible to you'}. "
            f"End that process, or set {variable} to a free port."
        )


def _problem_with(port: int, udp: bool) -> str | None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
            if udp:
                datagrams.bind((LOOPBACK, port))
        except OSError as error:
            return error.strerror
    return None


def _spawn(chosen: Settings) -> subprocess.Popen[bytes]:
    environment = settings.process_environment(chosen, dict(os.environ))
    with _boot_log(chosen).open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local", "serve"],
            cwd=settings.REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_until_ready(chosen: Settings, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        told = status(chosen, timeout=1.0)
        if told and told["pid"] == process.pid:
            return
        if process.poll() is not None:
            _pid_file(chosen).unlink(missing_ok=True)
            raise ProcessError(f"It ended while starting:\n{_last_words(chosen)}")
        time.sleep(0.05)
    raise ProcessError(f"No answer after {START_SECONDS:.0f} s; see {chosen.log_file}.")


def _last_words(chosen: Settings) -> str:
    words = _boot_log(chosen).read_text(errors="replace").strip().splitlines()[-15:]
    return "\n".join(words) or f"see {chosen.log_file}"


def _pid_file(chosen: Settings) -> Path:
    return chosen.state_dir / "local.pid"


def _boot_log(chosen: Settings) -> Path:
    return chosen.logs / "boot.log"


@contextlib.contextmanager
def _one_at_a_time(chosen: Settings) -> Iterator[None]:
    with (chosen.state_dir / "local.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
