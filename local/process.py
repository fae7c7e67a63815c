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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from local import unreadable
from local.settings import LOOPBACK, REPOSITORY, Settings, process_environment
from project import emulator
from project.credentials import CONTROL_HEADER, FILE, credentials_of, private_folder

if TYPE_CHECKING:
    from psutil._ntuples import sconn

START_SECONDS = 60.0
STOP_SECONDS = 30.0
CONTROL_SECONDS = 10.0
# Everything is written, and the disk may be slow.
SAVE_SECONDS = 60.0
OWNER_SECONDS = 2.0
# A process that was killed holds its ports until the last of its threads has ended.
LEAVE_SECONDS = 3.0
# What `down` removes; nothing else in the state folder is ours.
OURS = ("state", "ca", "logs", "tmp", "tfstate", unreadable.FOLDER)


class ProcessError(Exception):
    """The process can't be started or stopped; the message says why and what to do."""


class StartInterruptedError(Exception):
    """Ctrl-C while it started: it is ended, and nothing runs."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process; when it started tells it from a later one with the same id.

    In seconds since the machine did, which a clock that is set doesn't change.
    """

    pid: int
    started: float


def start(settings: Settings, without: Sequence[str] = ()) -> bool:
    """Start unless it runs; True when this call started it. Returns once it answers.

    `without` names state that can't be read and that the emulator is to begin without. Raises
    ProcessError, SetAsideError, and StartInterruptedError on Ctrl-C.
    """
    private_folder(settings.state_dir)
    private_folder(settings.logs)
    with _one_at_a_time(settings):
        if running(settings):
            require_own(settings)
            return False
        unreadable.begin_without(settings.state, without)
        unreadable.require_readable(settings.state)
        for variable, port in settings.ports.items():
            _require_free(settings, variable, port)
        _wait_until_ready(settings, _spawn(settings))
        return True


def stop(settings: Settings) -> bool:
    """Stop, its state saved; False when nothing ran.

    Raises ProcessError when the state can't be saved: it goes on running then, and nothing is lost.
    """
    private_folder(settings.state_dir)
    with _one_at_a_time(settings):
        identity = running(settings)
        if identity is None:
            return False
        _save(settings)
        if not _end(identity):
            raise ProcessError(
                f"It didn't end within {STOP_SECONDS:.0f} s and was killed: its last second may be "
                f"lost. Its log: {settings.log_file}"
            )
        if _pid_file(settings).exists():
            raise ProcessError(f"It ended without saving its last second: {_last_words(settings)}")
        return True


def _save(settings: Settings) -> None:
    try:
        code, answer = _ask(settings, "POST", "/_local/save", SAVE_SECONDS)
    except (OSError, http.client.HTTPException, ValueError, ProcessError):
        return  # It is starting, hangs, or is an older one: it saves as it ends.
    if code not in {200, 503}:
        raise ProcessError(
            f"Not stopped, so that nothing is lost: its state can't be saved. {answer['message']}\n"
            "Put that right and run `make stop` again; `make down` removes everything."
        )


def _end(identity: Identity) -> bool:
    """End a process; False when it had to be killed."""
    handle = os.pidfd_open(identity.pid)
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    ended, _, _ = select.select([handle], [], [], STOP_SECONDS)
    if not ended:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [])
    os.close(handle)
    return bool(ended)


def down(settings: Settings) -> None:
    """Stop, and remove the state, the certificate authority and the logs."""
    private_folder(settings.state_dir)
    with _one_at_a_time(settings):
        identity = running(settings)
        if identity is not None:
            _end(identity)
        for name in OURS:
            shutil.rmtree(settings.state_dir / name, ignore_errors=True)
        for file in (settings.state_dir / FILE, _pid_file(settings)):
            file.unlink(missing_ok=True)


def require_own(settings: Settings) -> bool:
    """See that nobody else is at the ports of these settings; False when nobody is.

    Raises ProcessError.
    """
    try:
        chosen = {name: str(port) for name, port in settings.ports.items()}
        return emulator.require_own(settings.state_dir, chosen)
    except emulator.OwnerError as error:
        raise ProcessError(str(error)) from error


def crashed(settings: Settings) -> bool:
    """Whether the last process ended without saving: killed, or by an error."""
    return _pid_file(settings).exists() and running(settings) is None


def running(settings: Settings) -> Identity | None:
    """The process that serves these settings, if it is alive and truly that one."""
    try:
        identity = Identity(**json.loads(_pid_file(settings).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return identity if identify(identity.pid) == identity else None


def enlist(settings: Settings) -> None:
    """Leave word that this process serves these settings; raises ProcessError when one does.

    The clone remembers the ports.
    """
    private_folder(settings.state_dir)
    other = running(settings)
    if other is not None:
        raise ProcessError(f"The embedded AWS runs already: process {other.pid} (make stop).")
    identity = identify(os.getpid())
    assert identity is not None
    staging = _pid_file(settings).with_suffix(".new")
    staging.write_text(json.dumps(asdict(identity)))
    staging.replace(_pid_file(settings))
    emulator.remember(settings.state_dir, settings.ports)


def delist(settings: Settings) -> None:
    """Leave word that this process ends with everything saved."""
    _pid_file(settings).unlink(missing_ok=True)


def identify(pid: int) -> Identity | None:
    """The process that has this id now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, round(process.create_time() - psutil.boot_time(), 2))
    except psutil.NoSuchProcess:
        return None


def status(settings: Settings, timeout: float = 5.0) -> dict[str, Any] | None:
    """The status document of the process, or None when it doesn't answer.

    Raises ProcessError when somebody else has its ports.
    """
    try:
        code, answer = _ask(settings, "GET", "/_local/status", timeout)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return answer if code == 200 else None


def control(
    settings: Settings, method: str, path: str, document: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What the process answers to one of the emulator's own requests; raises ProcessError."""
    try:
        code, answer = _ask(settings, method, path, CONTROL_SECONDS, document)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ProcessError("The embedded AWS does not answer (make start).") from error
    if code != 200:
        raise ProcessError(str(answer["message"]))
    return answer


def _ask(
    settings: Settings,
    method: str,
    path: str,
    timeout: float,
    document: dict[str, Any] | None = None,
) -> tuple[int, dict[str, Any]]:
    if running(settings) is None:
        # Whoever has the port now, perhaps another user, would learn the token.
        raise ConnectionRefusedError
    require_own(settings)
    connection = http.client.HTTPConnection(LOOPBACK, settings.aws_port, timeout=timeout)
    try:
        token = credentials_of(settings.state_dir).control_token
        body = None if document is None else json.dumps(document)
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


def _require_free(settings: Settings, variable: str, port: int) -> None:
    udp = variable == "LOCAL_DNS_PORT"
    limit = time.monotonic() + LEAVE_SECONDS
    while (problem := _problem_with(port, udp)) and not holder(port) and time.monotonic() < limit:
        time.sleep(0.05)
    if problem:
        by = holder(port)
        raise ProcessError(
            f"Port {port} of {LOOPBACK} can't be used ({problem}): "
            f"{f'in use by {by}' if by else 'its process is not visible to you'}"
            f"{_embedded_aws_at(settings, variable, port)}. "
            f"End that process, or set {variable} to a free port."
        )


def _embedded_aws_at(settings: Settings, variable: str, port: int) -> str:
    """Say which clone's embedded AWS has the port, where one has."""
    if variable != "LOCAL_AWS_PORT":
        return ""
    answer = emulator.ask(port, credentials_of(settings.state_dir), OWNER_SECONDS)
    if answer is None or not answer.folder:
        return ""
    return f": {emulator.named(answer)}, not of {settings.state_dir}"


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


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    environment = process_environment(settings, dict(os.environ))
    with _boot_log(settings).open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local", "serve"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_until_ready(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    try:
        _await_answer(settings, process)
    except KeyboardInterrupt:
        identity = identify(process.pid)
        if identity is not None:
            _end(identity)
        delist(settings)
        raise StartInterruptedError from None


def _await_answer(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        reported = status(settings, timeout=1.0)
        if reported and reported["pid"] == process.pid:
            return
        if process.poll() is not None:
            delist(settings)
            unreadable.require_readable(settings.state, _last_words(settings))
            raise ProcessError(f"It ended while starting:\n{_last_words(settings)}")
        time.sleep(0.05)
    raise ProcessError(f"No answer after {START_SECONDS:.0f} s; see {settings.log_file}.")


def _last_words(settings: Settings) -> str:
    words = _boot_log(settings).read_text(errors="replace").strip().splitlines()[-15:]
    return "\n".join(words) or f"see {settings.log_file}"


def _pid_file(settings: Settings) -> Path:
    return settings.state_dir / "local.pid"


def _boot_log(settings: Settings) -> Path:
    return settings.logs / "boot.log"


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    with (settings.state_dir / "local.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
