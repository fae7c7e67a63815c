"""`make test`: what needs nothing first, then everything against a deployment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from toolchain.console import ToolchainError, say
from toolchain.install import install
from toolchain.package import build_package
from toolchain.paths import Tree
from toolchain.settings import LOCAL, process_environment, read_account
from toolchain.up import up

# Much of a run is waiting: for Terraform, for a health check, for a name to change.
PROCESSES = 2
# What is quick first, so that a small mistake is seen soon. Then what happens to the clone of
# tests/support/clone.py, in order: one process for most of a run. Alarms before
# other tests' faults set them off.
ORDER = (
    *("toolchain", "unit", "interrupted_runs", "drills", "down"),
    *("monitoring", "local", "modules", "live", "e2e"),
)


def checks(tree: Tree) -> list[tuple[str, list[str]]]:
    """Name each static check and its command."""
    python = str(tree.python)
    return [
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [python, "-m", "mypy"]),
        ("terraform fmt", [str(tree.tools_bin / "terraform"), "fmt", "-check", "-recursive"]),
        ("terragrunt fmt", [str(tree.tools_bin / "terragrunt"), "hcl", "fmt", "--check"]),
        ("module tables", [python, "-m", "toolchain.module_readme"]),
    ]


def fmt(tree: Tree) -> None:
    """Put the formatting of every language right. Raises ToolchainError when a tool fails."""
    install(tree)
    ruff = [str(tree.python), "-m", "ruff"]
    commands = (
        [*ruff, "check", "--select", "I", "--fix", "."],
        [*ruff, "format", "."],
        [str(tree.tools_bin / "terraform"), "fmt", "-recursive"],
        [str(tree.tools_bin / "terragrunt"), "hcl", "fmt"],
        [str(tree.python), "-m", "toolchain.module_readme", "--write"],
    )
    environment = process_environment(tree, read_account(tree, LOCAL), os.environ)
    for command in commands:
        if subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode != 0:
            raise ToolchainError(f"{Path(command[0]).name} failed: see above.")


def end_to_end(tree: Tree, account: str) -> int:
    """Run the end-to-end suite against what is deployed in an account; pytest's exit status."""
    environment = process_environment(tree, read_account(tree, account), os.environ)
    command = [str(tree.python), "-m", "pytest", "tests/e2e"]
    return subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode


def check(tree: Tree) -> int:
    """Run every static check, all of them even when one fails; 0 when all pass."""
    install(tree)
    environment = process_environment(tree, read_account(tree, LOCAL), os.environ)
    failed = []
    for name, command in checks(tree):
        say(f"==> {name}")
        if subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode != 0:
            failed.append(name)
    if failed:
        raise ToolchainError(f"Failed: {', '.join(failed)}. `make fmt` puts formatting right.")
    return 0


def test(tree: Tree, arguments: Sequence[str]) -> int:
    """Check, bring the embedded AWS up, run every test; pytest's summary is the last line.

    What ran before goes on running; what was brought up for the tests is stopped.
    """
    check(tree)
    build_package(tree)
    ran_before = _runs(tree)
    up(tree)
    try:
        return _pytest(tree, arguments)
    finally:
        if not ran_before:
            _stop_quietly(tree)


def alarms(tree: Tree) -> int:
    """Set off every alarm that pages, and wait until it goes back; pytest's exit status."""
    return _pytest(tree, ["-s", "tests/monitoring/alarm_recovery.py"])


def _pytest(tree: Tree, arguments: Sequence[str]) -> int:
    folders = [
        path.name for path in (tree.root / "tests").iterdir() if any(path.rglob("test_*.py"))
    ]
    ordered = [f"tests/{name}" for name in (*ORDER, *sorted(folders)) if name in folders]
    # In this order, and not the files with the most tests first (tests/support/scheduling.py).
    side_by_side = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]
    chosen = arguments or [*side_by_side, *dict.fromkeys(ordered)]
    command = [str(tree.python), "-m", "pytest", *chosen]
    environment = process_environment(tree, read_account(tree, LOCAL), os.environ)
    return subprocess.run(command, cwd=tree.root, env=environment, check=False).returncode


def _runs(tree: Tree) -> bool:
    command = [str(tree.python), "-m", "local", "status"]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, check=False)
    return done.returncode == 0


def _stop_quietly(tree: Tree) -> None:
    command = [str(tree.python), "-m", "local", "stop"]
    subprocess.run(command, cwd=tree.root, capture_output=True, check=False)
