"""`make plan` and `make apply`: what a pipeline runs, and a person can.

A plan is of every unit of an account, or of those that a change touches. It reads and changes
nothing, and takes no lock. It is kept under a name, which an apply takes: then each unit gets the
plan that was made, in the order of what they read of each other, or none at all where what it reads
has changed since (live/kept_plan.py), where its own state has (Terraform's own check), or where the
code has.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from project.account import read_account, read_settings
from project.console import ToolchainError, say
from project.environment import process_environment
from project.paths import Tree, write_atomically
from toolchain.install import install
from toolchain.kept_plans import Manifest, client_for, pack, shelf_of, unpack
from toolchain.package import build_package
from toolchain.plan_page import UnitPlan, read_plan, render
from toolchain.touched_units import read_layout, touched

# Terragrunt's own names for a unit's plan, and live/kept_plan.py's for the inputs that it is for.
PLAN = "tfplan.tfplan"
PLAN_JSON = "tfplan.json"
INPUTS = f"{PLAN}.inputs"
# Whoever works through the pipeline must not change what the pipeline may do.
BY_HAND = "global/pipeline"


@dataclass(frozen=True, slots=True)
class Made:
    """Where a plan lies, what each unit's would do, and which units have none."""

    folder: Path
    plans: tuple[UnitPlan, ...]
    unplanned: tuple[str, ...]


def plan(tree: Tree, account: str, since: str, keep: bool) -> int:
    """Plan every unit, or those touched since a commit; 0 when all of them could be planned.

    `keep` keeps it where another machine can apply it. A page and its figures are left beside.
    Raises ToolchainError when nothing could be planned.
    """
    install(tree)
    if since and keep:
        raise ToolchainError("KEEP=1 keeps a plan of the whole account: leave SINCE out.")
    layout = read_layout(tree, account)
    units = touched(_changed(tree, since), layout) if since else layout.units
    folder = _emptied(tree, account)
    if units:
        _terragrunt(tree, account, folder, units if since else (), "plan", "-lock=false")
    made = _read(folder, _expected(folder, units))
    name = "" if made.unplanned or since or not made.plans else _keep(tree, account, made, keep)
    _leave(tree, account, made, name)
    return 1 if made.unplanned else 0


def apply(tree: Tree, account: str, name: str) -> int:
    """Apply a kept plan; without one, plan and apply each unit in its turn. Terragrunt's status.

    Raises ToolchainError when that plan may not be applied here, or one is needed.
    """
    install(tree)
    if not name:
        _require_unprotected(tree, account)
        everything = read_layout(tree, account).units - {BY_HAND}
        return _terragrunt(tree, account, None, everything, "apply")
    shelf = shelf_of(tree, account)
    s3 = client_for(shelf, account)
    folder = _emptied(tree, account)
    manifest = unpack(shelf.fetch(name, s3), folder)
    _require_same(tree, account, manifest)
    units = set(manifest.units) - {BY_HAND}
    status = _terragrunt(tree, account, folder, units, "apply")
    if status == 0:
        shelf.forget(name, s3)
    _remove_plans(folder)
    return status


def _require_unprotected(tree: Tree, account: str) -> None:
    if read_settings(tree, account)["deletion_protection"]:
        raise ToolchainError(
            f"live/{account}/account.hcl has deletion_protection = true: {account} is applied by a "
            f"plan that somebody has seen. `make plan ACCOUNT={account}` says at its end how."
        )


def _require_same(tree: Tree, account: str, manifest: Manifest) -> None:
    if manifest.account != account:
        raise ToolchainError(f"This is a plan of {manifest.account}, not of {account}.")
    if manifest.commit != _commit(tree):
        raise ToolchainError(
            f"This plan was made of commit {manifest.commit or 'none'}, and here is "
            f"{_commit(tree) or 'none'}: check that one out, or plan again."
        )
    if manifest.package != _package(tree):
        raise ToolchainError(
            "The Lambda package that is built here isn't the one that was planned: the same "
            "sources have to be packed by the same kind of machine. Plan again here."
        )


def _terragrunt(
    tree: Tree, account: str, folder: Path | None, units: Collection[str], *command: str
) -> int:
    """Run a command of Terraform's in some units, or all where none are named; its status."""
    chosen = [part for unit in sorted(units) for part in ("--filter", f"./{unit}")]
    kept = ["--out-dir", str(folder)] if folder else []
    if folder and command[0] == "plan":
        kept += ["--json-out-dir", str(folder), "--report-file", str(folder / "report.json")]
    words = [str(tree.tools_bin / "terragrunt"), "run", "--all", "--non-interactive"]
    return _run_to_its_end(
        [*words, *kept, *chosen, "--", *command],
        tree.account(account),
        process_environment(tree, read_account(tree, account), os.environ),
    )


def _run_to_its_end(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run a tool, and when interrupted let it end what it is at and save its state; its status.

    Ctrl-C reaches it by itself, being in the same terminal, and a second one would have it stop
    half-way. A signal to this process alone is passed on, once.
    """
    interrupts: list[int] = []

    def interrupted(number: int, _frame: FrameType | None) -> None:
        interrupts.append(number)
        say("\nStopping: Terraform ends what it is at and saves its state (up to a minute).")
        if number == signal.SIGTERM and interrupts == [number]:
            running.send_signal(signal.SIGINT)

    with subprocess.Popen(command, cwd=folder, env=environment) as running:
        before = {
            each: signal.signal(each, interrupted) for each in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            status = running.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    if interrupts:
        raise KeyboardInterrupt
    return status


def _expected(folder: Path, units: Collection[str]) -> list[str]:
    """Name the units that should have a plan: what is left out of a queue on purpose has none."""
    report = folder / "report.json"
    runs: list[dict[str, Any]] = json.loads(report.read_text()) if report.is_file() else []
    excluded = {run["Name"] for run in runs if run["Result"] == "excluded"}
    found = {run["Name"] for run in runs} - excluded
    return sorted(found or set(units) - excluded)


def _read(folder: Path, units: Sequence[str]) -> Made:
    """Read what was planned. A plan without its inputs wasn't ended, and is none."""
    whole = (PLAN, PLAN_JSON, INPUTS)
    planned = [unit for unit in units if all((folder / unit / name).is_file() for name in whole)]
    plans = tuple(read_plan(unit, _json(folder / unit / PLAN_JSON)) for unit in planned)
    return Made(folder, plans, tuple(unit for unit in units if unit not in planned))


def _json(file: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(file.read_text())
    return document


def _keep(tree: Tree, account: str, made: Made, elsewhere: bool) -> str:
    manifest = Manifest(
        account=account,
        commit=_commit(tree),
        package=_package(tree),
        units=tuple(sorted(plan.unit for plan in made.plans)),
    )
    names = [f"{unit}/{name}" for unit in manifest.units for name in (PLAN, INPUTS)]
    shelf = shelf_of(tree, account)
    s3 = client_for(shelf, account) if elsewhere else None
    return shelf.keep(pack(manifest, made.folder, names), s3)


def _leave(tree: Tree, account: str, made: Made, name: str) -> None:
    """Write the page and the figures, and say what can be done now."""
    footer = f"Plan `{name}` of commit `{_commit(tree) or 'none'}`." if name else ""
    figures = {
        "account": account,
        "plan": name,
        "changed": [plan.unit for plan in made.plans if not plan.is_empty],
        "unplanned": list(made.unplanned),
    }
    page = render(account, made.plans, made.unplanned, footer)
    folder = tree.root / ".build" / "plan"
    write_atomically(folder / f"{account}.md", page.encode())
    write_atomically(folder / f"{account}.json", json.dumps(figures, indent=2).encode())
    say(f"\n{page}")
    if name:
        say(f"Nothing is changed yet: make apply ACCOUNT={account} PLAN={name}")
    # In the clear, unlike the plans themselves, of which Terraform shows no secret.
    for file in made.folder.rglob(PLAN_JSON):
        file.unlink()


def _emptied(tree: Tree, account: str) -> Path:
    folder = tree.root / ".build" / "plans" / account / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _remove_plans(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _package(tree: Tree) -> str:
    build_package(tree)
    return hashlib.sha256(tree.package.read_bytes()).hexdigest()


def _commit(tree: Tree) -> str:
    """Name the commit that is checked out; empty where this is no repository of git's."""
    return _git(tree, "rev-parse", "HEAD", fails="").strip()


def _changed(tree: Tree, since: str) -> list[str]:
    """Name the files that differ from where this branch left another: committed, edited or new."""
    # A name with a dash in front would be an option.
    reference = f"{since}^{{commit}}"
    base = _git(tree, "merge-base", reference, "HEAD").strip()
    edited = _git(tree, "diff", "--name-only", "--no-renames", base)
    new = _git(tree, "ls-files", "--others", "--exclude-standard")
    return [*edited.splitlines(), *new.splitlines()]


def _git(tree: Tree, *arguments: str, fails: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=tree.root, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return done.stdout
    if fails is None:
        raise ToolchainError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return fails
