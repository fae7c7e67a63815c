"""How functions start and answer on a machine of few processors."""

import hashlib
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ministack import app
from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import lambda_svc

from local.patches import lambda_functions

CONFIG = {"FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f"}
# At once: more than may start, on a machine of however many processors.
CALLS = 4 * lambda_functions.STARTS_AT_ONCE


class Starts:
    """Environments that start only when the test lets them, and who is starting."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.all_there = threading.Event()
        self._lock = threading.Lock()

    def spawn(self, worker: Any) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.most > lambda_functions.STARTS_AT_ONCE:
                self.all_there.set()
        # Ends early only if more start at a time than may.
        self.all_there.wait(0.3)
        worker._proc = type("Running", (), {"poll": lambda _self: None})()
        with self._lock:
            self.now -= 1


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Starts]:
    watched = Starts()

    def spawn(worker: Any) -> None:
        watched.spawn(worker)

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", spawn)
    monkeypatch.setattr(lambda_svc, "acquire_worker", lambda_svc.acquire_worker)
    yield watched
    lambda_runtime._workers.clear()


def _lease(acquire: Callable[..., Any], calls: int) -> list[Any]:
    def call(_number: int) -> Any:
        worker, _ = acquire("f", CONFIG, b"")
        lambda_runtime.ensure_spawned(worker)
        lambda_runtime.release_worker(worker)
        return worker

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(call, range(calls)))


def test_ministack_still_needs_starts_in_turn(starts: Starts) -> None:
    _lease(lambda_runtime.acquire_worker, CALLS)

    assert starts.most > lambda_functions.STARTS_AT_ONCE


def test_only_so_many_start_at_a_time_and_a_free_one_is_taken_first(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With any patience the first has started, and is free again, before another may start.
    monkeypatch.setattr(lambda_functions, "PATIENCE_SECONDS", 0)
    lambda_functions.starts_in_turn()

    workers = _lease(lambda_svc.acquire_worker, CALLS)

    assert starts.most <= lambda_functions.STARTS_AT_ONCE
    assert len({id(worker) for worker in workers}) < CALLS


def test_calls_beyond_what_a_function_has_room_for_wait_in_a_line(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_functions, "PATIENCE_SECONDS", 0.1)
    starts.all_there.set()
    lambda_functions.starts_in_turn()
    leased: list[Any] = []
    too_many = threading.Event()

    def call(_number: int) -> None:
        worker, _ = lambda_svc.acquire_worker("f", CONFIG, b"")
        leased.append(worker)
        if len(leased) > lambda_functions.ENVIRONMENTS:
            too_many.set()
        # Nobody answers before one more than may has started, or had time enough to.
        too_many.wait(2 * lambda_functions.PATIENCE_SECONDS * lambda_functions.ENVIRONMENTS)
        lambda_runtime.release_worker(worker)

    with ThreadPoolExecutor(2 * lambda_functions.ENVIRONMENTS) as pool:
        list(pool.map(call, range(2 * lambda_functions.ENVIRONMENTS)))

    assert len({id(worker) for worker in leased}) == lambda_functions.ENVIRONMENTS


def test_a_start_that_fails_leaves_its_turn_to_the_next(
    starts: Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_worker: Any) -> None:
        raise RuntimeError("no such runtime")

    monkeypatch.setattr(lambda_runtime.Worker, "_spawn", broken)
    lambda_functions.starts_in_turn()

    calls = lambda_functions.STARTS_AT_ONCE + 1
    leased = [lambda_svc.acquire_worker("f", CONFIG, b"") for _ in range(calls)]

    assert all(worker.in_use for worker, _ in leased)
    assert starts.most == 0


class _Pipe:
    """A function's stderr: what was written to it and not yet read."""

    def __init__(self) -> None:
        self.reads, self.writes = socket.socketpair()
        self._stderr_queue: queue.Queue[str] = queue.Queue()
        self._proc = type("Running", (), {"stderr": self.reads})()


def test_all_lines_of_an_invocation_are_taken_and_a_quiet_one_is_done() -> None:
    worker = _Pipe()
    assert lambda_functions._drain(worker) == ""

    worker.writes.send(b"late")
    threading.Timer(0.05, lambda: worker._stderr_queue.put(worker.reads.recv(9).decode())).start()

    assert lambda_functions._drain(worker) == "late"


def test_ministack_still_needs_quiet_functions_that_answer_at_once() -> None:
    first_line_wait = lambda_runtime.Worker._drain_stderr_bounded.__defaults__[0]

    assert first_line_wait > 10 * lambda_functions.LAST_LINE_SECONDS - 0.001


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A function with reserved concurrency 0: its record as an alias gives it, and its config."""
    monkeypatch.setattr(lambda_svc, "_reserved_concurrency", lambda_svc._reserved_concurrency)
    config = {**CONFIG, "FunctionName": "f"}
    with request_scope("111122223333", "us-east-1"):
        lambda_svc._functions["f"] = {"config": config, "concurrency": 0}
        yield {"config": config}, config
        del lambda_svc._functions["f"]


def test_an_alias_of_a_stopped_function_is_stopped(
    stopped: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    lambda_functions.aliases_share_reserved_concurrency()

    assert lambda_svc._reserved_concurrency(*stopped) == 0


def test_ministack_still_needs_aliases_that_share_reserved_concurrency(
    stopped: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    assert lambda_svc._reserved_concurrency(*stopped) is None


def test_ministack_still_needs_secrets_that_nobody_can_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "AUTH", True)
    secrets = [lambda_runtime.execution_credentials({**CONFIG, "Role": "r"}) for _ in "ab"]

    assert secrets[0] == secrets[1]
    assert (
        secrets[0]["AWS_SECRET_ACCESS_KEY"]
        == hashlib.sha256(
            b"secret:" + hashlib.sha256(f"{CONFIG['FunctionArn']}:r".encode()).hexdigest().encode()
        ).hexdigest()
    )


def test_a_functions_secrets_are_its_own_and_the_same_for_all_its_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lambda_runtime, "execution_credentials", None)
    lambda_functions.secrets_that_nobody_can_guess()

    one, again, other = (
        lambda_runtime.execution_credentials({**CONFIG, "Role": role}) for role in "rrs"
    )

    assert one == again
    assert not set(one.values()) & set(other.values())
