"""Terragrunt over all units of an account: a plan of each, as JSON, or why there is none.

Plans are written to a file, so that no mock stands in for an output (live/_units/command.hcl), and
hold secrets: they lie in a folder for their owner alone, which goes however a run ends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from project.console import Progress, ToolchainError
from project.credentials import CredentialsError, private_folder
from project.file_lock import exclusive
from project.paths import Tree

FOLDER = "drift"
REPORT = "report.json"
JSON_PLAN = "tfplan.json"
# Terraform ends what it is at, which changes nothing.
STOP_SECONDS = 20.0
# No plan waits for another's: what they read of each other is in the state. One that fails keeps
# none from being made.
QUEUE = ("--queue-ignore-dag-order", "--queue-ignore-errors", "--summary-disable")
# Nobody is kept from an apply meanwhile: what it changes under a plan shows as drift.
PLAN = ("plan", "-lock=false", "-input=false")
SCHEMAS = ("--tf-forward-stdout", "--", "providers", "schema", "-json")
# Flags that Terraform takes from there could leave out resources, or what they are like now.
NOT_INHERITED = "TF_CLI_ARGS"
MAX_REASON_LINES = 6
_EMPTY_WORDS = re.compile(
    r"^(\* )?(Failed to execute .*|error occurred:|\d+ errors occurred:|exit status \d+|)$"
)
# What the root terragrunt.hcl has said on a line of its own before.
_REFUSED = "refused: the reason stands above"


@dataclass(slots=True)
class Planned:
    """What came of a run: plans by unit, and of the others why there is none."""

    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)


@contextmanager
def private(tree: Tree) -> Iterator[Path]:
    """Give a folder for plans, for one run at a time.

    It is removed in the end, and so is what a run has left that was killed.
    """
    with exclusive(tree.lock(FOLDER), "`make drift`"):
        try:
            folder = private_folder(private_folder(tree.local_state) / FOLDER)
        except CredentialsError as error:
            raise ToolchainError(str(error)) from error
        try:
            yield Path(tempfile.mkdtemp(dir=folder))
        finally:
            shutil.rmtree(folder)


def plan_all(tree: Tree, account: str, units: Sequence[str], folder: Path) -> Planned:
    """Plan every unit; a unit that Terragrunt passes by is among the reasons, too."""
    out = ("--out-dir", str(folder), "--json-out-dir", str(folder))
    report = ("--report-file", str(folder / REPORT), "--report-format", "json")
    errors = _Errors()
    with Progress(f"planning {len(units)} units of {account}") as progress:

        def seen(line: str) -> None:
            errors.see(line)
            progress.show(f"{len(_plans(folder))} planned")

        command = _command(tree, "--all", "--log-format", "json", *QUEUE, *out, *report)
        _run([*command, "--", *PLAN], tree.account(account), seen)
        found = _plans(folder)
        progress.show(f"{len(found)} planned")
    causes = _causes(folder / REPORT)
    return Planned(
        plans={unit: json.loads(found[unit].read_bytes()) for unit in units if unit in found},
        reasons={
            unit: _reason(causes.get(unit, ""), errors, unit) for unit in units if unit not in found
        },
    )


def read_schemas(tree: Tree, account: str, unit: str) -> dict[str, Any]:
    """Ask the provider, as it is installed for a unit, what it says of its resources.

    Raises ToolchainError when it doesn't answer.
    """
    done = subprocess.run(
        _command(tree, *SCHEMAS),
        cwd=tree.account(account) / unit,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolchainError(f"The provider's schemas can't be read:\n{done.stderr.strip()}")
    schemas: dict[str, Any] = json.loads(done.stdout)
    return schemas


def _command(tree: Tree, *arguments: str) -> list[str]:
    terragrunt = str(tree.tools_bin / "terragrunt")
    return [terragrunt, "run", "--non-interactive", "--no-color", *arguments]


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(NOT_INHERITED)}


def _plans(folder: Path) -> dict[str, Path]:
    return {file.parent.relative_to(folder).as_posix(): file for file in folder.rglob(JSON_PLAN)}


def _run(command: Sequence[str], folder: Path, seen: Callable[[str], None]) -> None:
    """Run Terragrunt to its end, whatever that is, and hand on what it says.

    Ctrl-C reaches this process alone, which then ends all of the other's, so that nothing writes a
    plan any more.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        try:
            for line in running.stdout:
                seen(line)
        except BaseException:
            _stop(running)
            raise


def _stop(running: subprocess.Popen[str]) -> None:
    try:
        os.killpg(running.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.wait(STOP_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@dataclass(slots=True)
class _Errors:
    """What Terragrunt said: lines of hooks, which write no JSON, and errors of its own."""

    of_hooks: list[str] = field(default_factory=list)
    last: str = ""

    def see(self, line: str) -> None:
        """Take a line in."""
        try:
            entry = json.loads(line)
        except ValueError:
            self.of_hooks.append(line.rstrip())
            return
        if isinstance(entry, dict) and entry.get("level") == "error":
            self.last = str(entry.get("msg", ""))

    def about(self, unit: str) -> str:
        """Give the error that names a unit, or all of them when none does."""
        items = self.last.split("\n\n* ")
        return next((item for item in items if f"/{unit}/" in item), self.last)


def _causes(report: Path) -> dict[str, str]:
    """Read why units failed, where Terragrunt's report says so."""
    if not report.is_file():
        return {}
    entries: list[Mapping[str, str]] = json.loads(report.read_text() or "[]")
    return {entry["Name"]: entry.get("Cause", "") for entry in entries}


def _reason(cause: str, errors: _Errors, unit: str) -> tuple[str, ...]:
    if _REFUSED in cause and errors.of_hooks:
        return tuple(dict.fromkeys(errors.of_hooks))[:MAX_REASON_LINES]
    lines = [line.strip() for line in (cause or errors.about(unit)).splitlines()]
    said = tuple(dict.fromkeys(line for line in lines if not _EMPTY_WORDS.match(line)))
    return said[:MAX_REASON_LINES] or ("Terragrunt has made no plan of it, and doesn't say why.",)
