"""Tries the mutants of Terraform: each in a copy, on the module's own tests."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

from mutants.copies import copies, replaced, spread
from mutants.score import Outcome, Trial
from mutants.terraform_edits import Edit, read_edits
from project import make_variables
from project.account import LOCAL, provider_version, read_account
from project.console import ToolchainError, say
from project.environment import process_environment
from project.paths import Tree
from toolchain.provider_locks import LOCK, provider_lock
from toolchain.testing import NOTHING_COLLECTED

# pytest's exit status when tests were run, and some failed.
SOME_FAILED = 1
# Markers of what needs more than a module.
DEPLOYED = "deployed or clone or emulator"
# What a run block prints that failed: the rest would tell no more.
FAILED = re.compile(r"\.\.\. fail$")
# The last line where none did; "0 passed" tells of nothing that was run.
PASSED = re.compile(r"^Success! [1-9]\d* passed, 0 failed\.$")


def try_edits(tree: Tree, seed: int, most: int) -> list[Trial]:
    """Try a sample of the edits, at most so many.

    Raises ToolchainError when a module's tests fail with nothing wrong, or an edit has no place.
    """
    edits = read_edits(tree.root)
    ranked = sorted(edits, key=lambda edit: hashlib.sha256(f"{seed} {edit}".encode()).digest())
    chosen = sorted(ranked[:most], key=edits.index)
    with copies(tree) as made:
        files = {(edit.module, file) for edit in chosen for file in _order(tree, edit)}
        say(f"modules: {len(files)} test files with nothing wrong")
        spread(sorted(files), made, lambda copy, file: _require_passing(copy, *file))
        named = sorted({edit.test for edit in chosen if edit.test})
        spread(named, made, _require_named_passing)
        say(f"modules: {len(chosen)} edits")
        return spread(chosen, made, _tried)


def _tried(copy: Tree, edit: Edit) -> Trial:
    _initialise(copy, edit.module)
    source, files = (copy.root / edit.path).read_text(), _order(copy, edit)
    with replaced(copy, edit.path, edit.applied(source), number=1):
        if edit.test:
            outcome, note = _by_a_named_test(copy, edit)
        else:
            outcome, note = _by_the_module(copy, edit, files)
    trial = Trial(edit.change(source), outcome, note)
    say(f"  {outcome.value}: {trial.change.file}:{trial.change.line}")
    return trial


def _by_the_module(copy: Tree, edit: Edit, files: Iterable[str]) -> tuple[Outcome, str]:
    noticed = any(not _passes(copy, edit.module, file) for file in files)
    return (Outcome.KILLED if noticed else Outcome.SURVIVED), edit.why


def _by_a_named_test(copy: Tree, edit: Edit) -> tuple[Outcome, str]:
    passes = _named_passes(copy, edit.test)
    return (Outcome.SURVIVED if passes else Outcome.KILLED), edit.why


def _require_named_passing(copy: Tree, test: str) -> None:
    if not _named_passes(copy, test):
        raise ToolchainError(f"{test} fails with nothing wrong.")


def _named_passes(copy: Tree, test: str) -> bool:
    """Run a pytest. Raises ToolchainError where it neither passes nor fails, or isn't run here."""
    command = [str(copy.python), "-m", "pytest", "-q", "-m", f"not ({DEPLOYED})", test]
    done = subprocess.run(
        command, cwd=copy.root, env=_environment(copy), capture_output=True, text=True, check=False
    )
    if done.returncode == NOTHING_COLLECTED:
        raise ToolchainError(f"{test} needs a deployment: it can't notice an edit here.")
    if done.returncode not in {0, SOME_FAILED}:
        raise ToolchainError(f"{test} can't be run:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def _order(tree: Tree, edit: Edit) -> list[str]:
    """Name the module's test files that are run for an edit; none where it names a pytest."""
    if edit.test:
        return []
    folder = tree.root / "modules" / edit.module
    files = sorted(folder.glob("tests/*.tftest.hcl"))
    texts = {file.relative_to(folder).as_posix(): file.read_text() for file in files}
    return edit.ordered((tree.root / edit.path).read_text(), texts)


def _require_passing(copy: Tree, module: str, file: str) -> None:
    _initialise(copy, module)
    if not _passes(copy, module, file):
        raise ToolchainError(f"modules/{module}/{file} fails with nothing wrong.")


def _initialise(copy: Tree, module: str) -> None:
    """Have a module of a copy know its provider. Raises ToolchainError when that fails."""
    lock = copy.root / "modules" / module / LOCK
    if lock.exists():
        return
    lock.write_bytes(provider_lock(copy, provider_version(copy, LOCAL)).read_bytes())
    options = ("-backend=false", "-input=false", "-lockfile=readonly")
    with _terraform(copy, module, "init", *options) as lines:
        printed = "".join(lines)
    if "successfully initialized" not in printed:
        raise ToolchainError(f"modules/{module}:\n{printed}")


def _passes(copy: Tree, module: str, file: str) -> bool:
    """Run one test file of a module, until something in it fails."""
    with _terraform(copy, module, "test", f"-filter={file}") as lines:
        return bool(PASSED.match(_until_a_failure(lines)))


def _until_a_failure(lines: Iterable[str]) -> str:
    """Give the last line, or the first of a run that failed."""
    line = ""
    for line in lines:
        if FAILED.search(line):
            break
    return line


@contextmanager
def _terraform(copy: Tree, module: str, command: str, *options: str) -> Iterator[Iterable[str]]:
    """Run Terraform in a module of a copy, and give what it prints; it ends when this is left.

    Nothing is lost by that: providers are mocked.
    """
    with subprocess.Popen(
        ["terraform", command, "-no-color", *options],
        cwd=copy.root / "modules" / module,
        env={**_environment(copy), "TF_DATA_DIR": str(copy.tools / "modules" / module)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        try:
            yield running.stdout
        finally:
            # The providers that it has started as well.
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@cache
def _environment(copy: Tree) -> dict[str, str]:
    # Each run block starts the provider anew, and its start is mostly garbage collection.
    sparing = {"GOGC": "400", "GOMEMLIMIT": "1GiB", "TF_IN_AUTOMATION": "1"}
    environment = process_environment(copy, read_account(copy, LOCAL), os.environ)
    return {**sparing, **make_variables.untyped(environment)}
