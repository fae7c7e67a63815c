"""Tries the mutants of Python: each in a copy, on the tests that reach it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import coverage

from mutants.areas import Area
from mutants.copies import copies, replaced, spread
from mutants.equivalents import Equivalent
from mutants.jobs import Job
from mutants.reach import Reach, importers_of
from mutants.sampling import sampled
from mutants.score import Outcome, Trial
from mutants.sites import Mutant, mutants_of
from project import make_variables
from project.account import LOCAL, read_account
from project.console import ToolchainError, say
from project.environment import process_environment
from project.paths import Tree
from toolchain.testing import NOT_UNIT, NOTHING_COLLECTED

# How long all tests of an area may take with nothing wrong: they are fast ones.
BASELINE_SECONDS = 900.0
# Where tests are named after what is mutated, there may be none of those names any more.
PASSED = frozenset({0, NOTHING_COLLECTED})


@dataclass(frozen=True, slots=True)
class Worker:
    """A copy of the repository, and the process that runs tests in it."""

    copy: Tree
    server: subprocess.Popen[str]

    def run(self, job: Job) -> int | None:
        """Run pytest in the copy as it is now; its status, or None where it took too long."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(json.dumps(asdict(job)), file=self.server.stdin, flush=True)
        line = self.server.stdout.readline()
        if not line:
            raise ToolchainError(f"What runs the tests in {self.copy.root} has ended: see above.")
        status = json.loads(line)["status"]
        assert status is None or isinstance(status, int)
        return status

    @property
    def options(self) -> tuple[str, ...]:
        """How pytest is to run: what it leaves lies beside the copy."""
        return "-q", "-p", "no:cacheprovider", f"--basetemp={self.copy.root}-tests"

    @property
    def log(self) -> Path:
        """Where the last run printed to."""
        return self.copy.root / "pytest.log"


@dataclass(frozen=True, slots=True)
class Round:
    """What all mutants of an area are tried with: the files' texts, what tests reach, the seed."""

    sources: Mapping[str, str]
    reach: Reach
    seed: int
    equivalents: Sequence[Equivalent]

    def tried(self, worker: Worker, numbered: tuple[int, Mutant]) -> Trial:
        """Try a mutant, unless it is known to make no difference."""
        number, mutant = numbered
        change = mutant.change(self.sources[mutant.file])
        for each in self.equivalents:
            if each.is_of(change):
                return Trial(change, Outcome.EQUIVALENT, each.why)
        outcome, note = self._outcome(worker, number, mutant)
        say(f"  {number} {outcome.value}: {change.file}:{change.line}")
        return Trial(change, outcome, note)

    def _outcome(self, worker: Worker, number: int, mutant: Mutant) -> tuple[Outcome, str]:
        tests = self.reach.tests_of(mutant)
        if not tests:
            return Outcome.UNREACHED, ""
        files = sorted({test.partition("::")[0] for test in tests})
        job = Job(
            arguments=(*worker.options, f"--hypothesis-seed={self.seed}", *files),
            seconds=self.reach.limit(tests),
            log=str(worker.log),
            tests=tuple(tests),
        )
        content = mutant.applied(self.sources[mutant.file])
        with replaced(worker.copy, mutant.file, content, number):
            status = worker.run(job)
        survived = status in PASSED
        return (Outcome.SURVIVED if survived else Outcome.KILLED), f"{len(tests)} tests reach it"


@contextmanager
def workers(tree: Tree) -> Iterator[list[Worker]]:
    """Give workers, each with a copy of its own; nothing of them is left afterwards."""
    with copies(tree) as made:
        yield [Worker(copy, _server(copy)) for copy in made]


def _server(copy: Tree) -> subprocess.Popen[str]:
    environment = process_environment(copy, read_account(copy, LOCAL), os.environ)
    return subprocess.Popen(
        [sys.executable, "-m", "mutants.fork_server"],
        cwd=copy.root,
        env=make_variables.untyped(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for who has started it, and ends it with all that works in the copy.
        start_new_session=True,
    )


def try_area(
    tree: Tree, area: Area, seed: int, most: int, equivalents: Sequence[Equivalent]
) -> list[Trial]:
    """Try a sample of an area's mutants, at most so many.

    Raises ToolchainError when its tests fail with nothing wrong.
    """
    sources = {file: (tree.root / file).read_text() for file in area.paths(tree.root)}
    every = (mutant for file, source in sources.items() for mutant in mutants_of(file, source))
    mutants = sampled(every, sources, seed, most)
    with workers(tree) as running:
        say(f"{area.name}: what each test reaches")
        reach = _reach(tree, area, running)
        say(f"{area.name}: {len(mutants)} mutants on {len(reach.seconds)} tests")
        one = Round(sources, reach, seed, equivalents)
        return spread(list(enumerate(mutants, 1)), running, one.tried)


def _reach(tree: Tree, area: Area, running: Sequence[Worker]) -> Reach:
    """Run an area's tests with nothing wrong, half of their files each, and see what they reach."""
    files = sorted(
        path.relative_to(tree.root).as_posix()
        for folder in area.tests
        for path in (tree.root / folder).rglob("test_*.py")
    )
    shares = [files[place :: len(running)] for place in range(len(running))]
    seconds: dict[str, float] = {}
    lines: dict[str, dict[int, set[str]]] = {}
    for data, its_seconds in spread(
        shares, running, lambda worker, share: _watched(worker, area, share)
    ):
        seconds |= its_seconds
        _merge(lines, data)
    sources = {
        path.relative_to(tree.root).as_posix(): path.read_text()
        for folder in (area.source, *area.tests)
        for path in (tree.root / folder).rglob("*.py")
    }
    return Reach(seconds, lines, importers_of(sources))


def _watched(
    worker: Worker, area: Area, files: Sequence[str]
) -> tuple[coverage.CoverageData, Mapping[str, float]]:
    data = worker.copy.root / "watched"
    job = Job(
        arguments=(*worker.options, "-m", f"not ({NOT_UNIT})", *files),
        seconds=BASELINE_SECONDS,
        log=str(worker.log),
        watch=str(data),
        source=area.source,
    )
    if worker.run(job) not in PASSED:
        printed = worker.log.read_text(errors="replace")
        raise ToolchainError(f"The tests of {area.name} fail with nothing wrong:\n{printed}")
    measured = coverage.CoverageData(str(data))
    measured.read()
    seconds: dict[str, float] = json.loads(Path(f"{data}.json").read_text())
    _require_passing_in_another_order(worker, files, seconds)
    return measured, seconds


def _require_passing_in_another_order(
    worker: Worker, files: Sequence[str], seconds: Mapping[str, float]
) -> None:
    """See that tests pass in the order that mutants get: one that needs another would kill all."""
    tests = tuple(sorted(seconds, key=lambda test: (seconds[test], test)))
    job = Job((*worker.options, *files), BASELINE_SECONDS, str(worker.log), tests)
    if worker.run(job) not in PASSED:
        printed = worker.log.read_text(errors="replace")
        raise ToolchainError(f"With nothing wrong, tests fail that run quickest first:\n{printed}")


def _merge(lines: dict[str, dict[int, set[str]]], data: coverage.CoverageData) -> None:
    for file in data.measured_files():
        known = lines.setdefault(Path(file).as_posix(), {})
        for line, contexts in data.contexts_by_lineno(file).items():
            known.setdefault(line, set()).update(contexts)
