"""The process that runs the tests, in a small folder of its own in the place of a copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import coverage
import pytest

from mutants.copies import copies, replaced
from mutants.jobs import ALL_OF_FILE, Job
from mutants.python_mutants import Worker
from project.paths import TREE, Tree

RULES = """\
LIMIT = 3


def is_below(number):
    return number < LIMIT


def shared():
    return 1
"""
TESTS = """\
import time

import pytest
from hypothesis import given, strategies

from room.rules import is_below, shared


@pytest.fixture(scope="module")
def one():
    return shared()


@given(strategies.integers(max_value=2))
def test_by_hypothesis(number):
    assert is_below(number)


def test_with_the_fixture(one):
    assert one == 1


def test_slow():
    time.sleep(0.2)
    assert not is_below(3)
"""
FILE = "test_rules.py"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("copy")
    (folder / "room").mkdir()
    (folder / "room" / "rules.py").write_text(RULES)
    (folder / FILE).write_text(TESTS)
    (folder / "mutants").symlink_to(TREE.root / "mutants")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    with subprocess.Popen(
        [sys.executable, "-m", "mutants.fork_server"],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Worker(Tree(folder), server)


def job(worker: Worker, *tests: str) -> Job:
    arguments = (*worker.options, "-p", "no:randomly", f"--rootdir={worker.copy.root}", FILE)
    named = tuple(f"{FILE}::{test}" for test in tests)
    return Job(arguments, seconds=60, log=str(worker.log), tests=named)


def watched(worker: Worker) -> tuple[dict[int, list[str]], dict[str, float]]:
    data = worker.copy.root / "watched"
    assert worker.run(replace(job(worker), watch=str(data), source="room")) == 0
    measured = coverage.CoverageData(str(data))
    measured.read()
    [file] = measured.measured_files()
    assert Path(file) == Path("room/rules.py")
    return measured.contexts_by_lineno(file), json.loads(Path(f"{data}.json").read_text())


def test_each_test_is_noted_at_the_lines_that_it_reaches_hypothesis_too(worker: Worker) -> None:
    lines, seconds = watched(worker)
    assert set(lines[5]) == {f"{FILE}::test_by_hypothesis", f"{FILE}::test_slow"}
    assert lines[9] == [FILE + ALL_OF_FILE]
    assert lines[1] == [""]
    assert seconds[f"{FILE}::test_slow"] > 0.2
    assert len(seconds) == 3


def test_only_the_chosen_tests_are_run(worker: Worker) -> None:
    with replaced(worker.copy, "room/rules.py", RULES.replace("return 1", "return 2"), 1):
        assert worker.run(job(worker, "test_by_hypothesis", "test_slow")) == 0
        assert worker.run(job(worker, "test_with_the_fixture")) == 1


def test_each_run_sees_the_code_as_it_is_then(worker: Worker) -> None:
    """Compiled code of a file of the same size and second would be taken for current."""
    for number, (sign, status) in enumerate({"<": 0, ">": 1}.items(), start=2):
        with replaced(worker.copy, "room/rules.py", RULES.replace("<", sign), number):
            assert worker.run(job(worker, "test_by_hypothesis")) == status
    assert worker.run(job(worker, "test_by_hypothesis")) == 0
    assert (worker.copy.root / "room/rules.py").read_text() == RULES


def test_a_run_that_takes_too_long_is_ended_and_the_next_one_runs(worker: Worker) -> None:
    endless = RULES.replace("    return number < LIMIT", "    while True:\n        pass")
    with replaced(worker.copy, "room/rules.py", endless, 10):
        assert worker.run(replace(job(worker, "test_slow"), seconds=2.0)) is None
    assert worker.run(job(worker, "test_slow")) == 0


def test_code_that_ends_its_process_ends_no_other(worker: Worker) -> None:
    with replaced(worker.copy, "room/rules.py", "import os\nos._exit(7)\n", 11):
        assert worker.run(job(worker, "test_slow")) == 7
    assert worker.run(job(worker, "test_slow")) == 0


def test_copies_are_of_the_tree_and_gone_afterwards_with_what_runs_in_them() -> None:
    with pytest.raises(KeyboardInterrupt), copies(TREE) as made:  # noqa: PT012
        for copy in made:
            assert (copy.root / "Makefile").read_bytes() == (TREE.root / "Makefile").read_bytes()
        [running, _] = [
            subprocess.Popen([sys.executable, "-c", "input()"], cwd=copy.root / "docs",
                             stdin=subprocess.PIPE, start_new_session=True)
            for copy in made
        ]  # fmt: skip
        raise KeyboardInterrupt
    assert running.poll() is not None
    assert not made[0].root.parent.exists()
