"""Runs pytest in a copy of the repository, many times, without starting from nothing each time.

`python -m mutants.fork_server` in the copy. A line of JSON on stdin is a job, one on stdout its
outcome: pytest's status, or null for one that took longer than it may. What every test needs is
imported once; each job is a fork that imports the copy's own code as it is then. Nothing that is
mutated may be imported here, or a job would not see it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# A fork has these already.
import boto3  # noqa: F401
import coverage
import hypothesis  # noqa: F401
import moto  # noqa: F401
import pytest
import requests  # noqa: F401
import xdist  # noqa: F401

from mutants.jobs import ALL, ALL_OF_FILE, Job


class Chosen:
    """Leaves out all tests but the chosen ones, and begins with the quickest."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the chosen ones, in their order."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places),
            key=lambda item: self._places[item.nodeid],
        )


class Watched:
    """Notes which lines each test reaches, and how long it takes.

    A context is a test by its item, not by its function: of a test that hypothesis wraps, the
    function is nowhere on the stack as pytest knows it.
    """

    def __init__(self, measured: coverage.Coverage) -> None:
        self.seconds: dict[str, float] = {}
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note one test's lines under its name, and its time."""
        began = time.monotonic()
        self._measured.switch_context(item.nodeid)
        outcome = yield
        self._measured.switch_context("")
        self.seconds[item.nodeid] = time.monotonic() - began
        return outcome

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Iterator[None]:
        """Note a fixture's lines for every test that is given it."""
        test = request._pyfuncitem.nodeid
        shared = {"function": test, "session": ALL}.get(
            fixturedef.scope, test.partition("::")[0] + ALL_OF_FILE
        )
        self._measured.switch_context(shared)
        outcome = yield
        self._measured.switch_context(test)
        return outcome


def serve() -> None:
    """Do every job, until there are no more."""
    for line in sys.stdin:
        job = Job(**json.loads(line))
        print(json.dumps({"status": _outcome(job)}), flush=True)


def _outcome(job: Job) -> int | None:
    running = get_context("fork").Process(target=_work, args=(job,))
    running.start()
    running.join(job.seconds)
    status = running.exitcode
    # With what the tests have started and left.
    with suppress(ProcessLookupError):
        os.killpg(running.pid or 0, signal.SIGKILL)
    running.join()
    return status


def _work(job: Job) -> None:
    """Be a process of its own, for one run of pytest. Never returns."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    status = 3
    try:
        status = _watched(job) if job.watch else _chosen(job)
    finally:
        sys.stdout.flush()
        # A thread that a mutant has left behind would be waited for.
        os._exit(int(status))


def _chosen(job: Job) -> int:
    return pytest.main(["-x", *job.arguments], plugins=[Chosen(job.tests)])


def _watched(job: Job) -> int:
    measured = coverage.Coverage(
        data_file=job.watch, source=[job.source], config_file=False, messages=False
    )
    measured.set_option("run:relative_files", True)
    watched = Watched(measured)
    measured.start()
    status = pytest.main([*job.arguments], plugins=[watched])
    measured.stop()
    measured.save()
    Path(f"{job.watch}.json").write_text(json.dumps(watched.seconds))
    return status


if __name__ == "__main__":
    # The tracer of Python's own monitoring knows no contexts.
    os.environ["COVERAGE_CORE"] = "ctrace"
    serve()
