"""Patches of Lambda's execution environments, which are processes of this machine."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import select
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime as runtime
from ministack.services import lambda_svc, sts

_PROCESSORS = max(2, os.cpu_count() or 2)
# How many environments may start side by side, and be there for one function; and how often the
# call whose turn it is looks for a free one.
STARTS_AT_ONCE = _PROCESSORS
ENVIRONMENTS = 4 * _PROCESSORS
LOOK_AGAIN_SECONDS = 0.005
# No environment free for so long: those that are there are stuck, and one more is of use. A warm
# answer takes far less, on a busy machine too, where a start takes the processor from those that
# answer: then they wait for each other, everybody's patience ends and all of them start.
PATIENCE_SECONDS = 1.0
LAST_LINE_SECONDS = 0.005
LOG_SECONDS = 0.25

_making = threading.Lock()
_starts = threading.BoundedSemaphore(STARTS_AT_ONCE)
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def secrets_that_nobody_can_guess() -> None:
    """A function's role has a secret and a token that are hashes of the function's ARN and role's.

    Whoever knows those could sign as the role. Here they are random, made once in a process.
    """
    made: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(
        lambda: {
            "AWS_ACCESS_KEY_ID": f"ASIA{secrets.token_hex(8).upper()}",
            "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30),
            "AWS_SESSION_TOKEN": secrets.token_urlsafe(48),
        }
    )

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        account, _ = runtime._account_region_from_function_config(config)
        function, role = config.get("FunctionArn", ""), config.get("Role", "")
        with _making:
            given = made[function, role]
        role_name, session = role.rsplit("/", 1)[-1], config.get("FunctionName", "function")[:64]
        sts.register_session(
            given["AWS_ACCESS_KEY_ID"],
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session}",
                "UserId": f"{role_name}:{session}",
                "SecretAccessKey": given["AWS_SECRET_ACCESS_KEY"],
                "SessionToken": given["AWS_SESSION_TOKEN"],
            },
        )
        return dict(given)

    runtime.execution_credentials = execution_credentials


def quiet_functions_answer_at_once() -> None:
    """An invocation that logs nothing waits 50 ms for a line that never comes.

    A function writes its lines before it answers, so that an empty pipe is the end of them.
    """
    runtime.Worker._drain_stderr_bounded = _drain


def _drain(worker: Any, **_waits: float) -> str:  # noqa: ANN401 - ministack's Worker
    lines: list[str] = []
    limit = time.monotonic() + LOG_SECONDS
    while time.monotonic() < limit:
        try:
            lines.append(worker._stderr_queue.get(timeout=LAST_LINE_SECONDS))
        except queue.Empty:
            if worker._proc is None or not select.select([worker._proc.stderr], [], [], 0)[0]:
                break
    return "\n".join(lines)


def starts_in_turn() -> None:
    """Twenty calls at once start twenty interpreters, and each waits for all of them.

    AWS starts environments on machines of their own. Here only so many start at a time as this
    machine has processors; a call takes the first environment that is free, started or done. More
    than a few per processor only take the processor from each other, as when everybody tries again
    after an outage: further calls wait in a line, which takes no processor at all.
    """
    acquire: Callable[..., tuple[Any, str]] = runtime.acquire_worker

    def acquire_worker(
        name: str, config: dict[str, Any], code: bytes, qualifier: str = "$LATEST"
    ) -> tuple[Any, str]:
        key = runtime._worker_key(name, config, qualifier)
        with contextlib.ExitStack() as afterwards:
            with _turns[key]:
                if _await_environment(key):
                    afterwards.callback(_starts.release)
                leased = acquire(name, config, code, qualifier=qualifier)
            return _started(leased)

    lambda_svc.acquire_worker = acquire_worker


def _await_environment(key: str) -> bool:
    """Return once an environment is free (False) or may be started (True, `_starts` is taken)."""
    patient = time.monotonic() + (PATIENCE_SECONDS if runtime._workers.get(key) else 0)
    while not _has_free_worker(key):
        room = len(runtime._workers.get(key, ())) < ENVIRONMENTS
        if room and time.monotonic() >= patient and _starts.acquire(blocking=False):
            return True
        time.sleep(LOOK_AGAIN_SECONDS)
    return False


def _has_free_worker(key: str) -> bool:
    with runtime._lock:
        return any(not worker.in_use for worker in runtime._workers.get(key, []))


def _started(leased: tuple[Any, str]) -> tuple[Any, str]:
    worker, reason = leased
    if reason == "spawn" and hasattr(worker, "_spawn"):
        # What goes wrong here goes wrong again in the invocation, which reports it.
        with contextlib.suppress(Exception):
            runtime.ensure_spawned(worker)
    return leased


def aliases_share_reserved_concurrency() -> None:
    """A call by an alias or a version knows nothing of the function's reserved concurrency.

    It is one for all of them ("configuration-concurrency" in Lambda's guide); with 0 none may run.
    """
    reserved: Callable[..., int | None] = lambda_svc._reserved_concurrency

    def reserved_concurrency(func: dict[str, Any], config: dict[str, Any]) -> int | None:
        own: dict[str, Any] = lambda_svc._functions.get(config.get("FunctionName")) or func
        return reserved(own, config)

    lambda_svc._reserved_concurrency = reserved_concurrency


PATCHES = (
    quiet_functions_answer_at_once,
    starts_in_turn,
    aliases_share_reserved_concurrency,
)
