"""The generator in its own process: an open loop, which ends with whoever started it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from load.phone import LIST, REFRESH
from load.records import Attempt, Ended, Plan, Record, record_of
from project.paths import TREE
from tests.load.plans import PLAN

SECONDS = 1.0
# So many people wait at once before the first of them is answered.
ENOUGH = 6


class Handler(BaseHTTPRequestHandler):
    """Answers as the API and the pool do, once `released`; counts who waits for that."""

    released: threading.Event
    waiting: int = 0
    most_waiting: int = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        self._hold()
        self._answer({"items": [{"id": "tea"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if "x-amz-target" in self.headers:
            self._answer({"AuthenticationResult": {"AccessToken": "another"}})
        else:
            self._answer({"id": "tea"}, 201 if self.command == "POST" else 200)

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()

    def _hold(self) -> None:
        counted = type(self)
        with self.lock:
            counted.waiting += 1
            counted.most_waiting = max(counted.most_waiting, counted.waiting)
            if counted.waiting >= ENOUGH:
                counted.released.set()
        self.released.wait(30)
        with self.lock:
            counted.waiting -= 1

    def _answer(self, document: Any, status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("x-served-by", "us-east-1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def service(*, released: bool) -> Iterator[type[Handler]]:
    """Somebody who answers at a port of this machine, at once or when released."""

    class Own(Handler):
        pass

    Own.released = threading.Event()
    if released:
        Own.released.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    server.daemon_threads = True
    Own.port = server.server_address[1]  # type: ignore[attr-defined]
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield Own
    finally:
        Own.released.set()
        server.shutdown()
        server.server_close()


def plan_for(handler: type[Handler]) -> Plan:
    url = f"http://127.0.0.1:{handler.port}"  # type: ignore[attr-defined]
    return replace(PLAN, url=url, token_url=f"{url}/", seconds=SECONDS)


def start(plan: Plan) -> subprocess.Popen[str]:
    running = subprocess.Popen(
        [sys.executable, "-m", "load.generator"],
        cwd=TREE.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdin
    running.stdin.write(plan.line() + "\n")
    running.stdin.flush()
    return running


def records(running: subprocess.Popen[str]) -> Iterator[Record]:
    assert running.stdout
    return (record_of(line) for line in running.stdout)


def test_people_come_by_the_clock_though_nobody_before_them_was_answered() -> None:
    """A closed loop would have one request under way for its one user, and wait for it."""
    lists: list[Attempt] = []
    with (
        service(released=False) as handler,
        # How many come within a second, the speed of the machine decides.
        start(replace(plan_for(handler), seconds=3600.0)) as running,
    ):
        for record in records(running):
            if isinstance(record, Attempt) and record.route == LIST:
                lists.append(record)
            if len(lists) == ENOUGH:
                break
        assert running.stdin
        running.stdin.close()
        list(records(running))

    assert handler.most_waiting >= ENOUGH
    assert {each.region for each in lists} == {"us-east-1"}
    # Who came first has waited for all the others, and is counted so.
    assert lists[0].ended > max(each.due for each in lists[1:ENOUGH])


def test_it_sends_until_whoever_started_it_has_enough() -> None:
    seen: list[Record] = []
    with (
        service(released=True) as handler,
        start(replace(plan_for(handler), seconds=3600.0)) as running,
    ):
        for record in records(running):
            seen.append(record)
            if {LIST, REFRESH} <= {each.route for each in seen if isinstance(each, Attempt)}:
                break
        assert running.stdin
        running.stdin.close()
        seen += records(running)

    assert running.returncode == 0
    assert {each.error for each in seen if isinstance(each, Attempt)} == {""}
    end = seen[-1]
    assert isinstance(end, Ended)
    assert end.visits > 0


def test_nobody_who_answers_is_no_answer_by_its_name() -> None:
    with start(replace(PLAN, seconds=SECONDS)) as running:
        seen = [each for each in records(running) if isinstance(each, Attempt)]

    assert {each.error for each in seen} == {"no answer: ConnectionRefusedError"}
    assert {each.status for each in seen} == {None}


def test_no_other_module_of_the_room_brings_gevent() -> None:
    """It patches sockets and threads wherever it is imported."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pkgutil, importlib, sys, load\n"
            "for each in pkgutil.walk_packages(load.__path__, 'load.'):\n"
            "    if each.name not in {'load.generator', 'load.__main__'}:\n"
            "        importlib.import_module(each.name)\n"
            "import load.__main__\n"
            "print([name for name in ('gevent', 'locust') if name in sys.modules])",
        ],
        cwd=TREE.root,
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "[]"
    assert "gevent" not in sys.modules
