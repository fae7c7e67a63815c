"""Drills as a person runs them, and what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from drills.report.files import REPORTS
from local import process, settings
from toolchain.paths import TREE
from toolchain.settings import LOCAL, process_environment, read_account


def start(*arguments: str) -> subprocess.Popen[str]:
    """Begin `python -m drills …`; what it says comes through its standard error."""
    return subprocess.Popen(
        [sys.executable, "-m", "drills", *arguments],
        cwd=TREE.root,
        env=process_environment(TREE, read_account(TREE, LOCAL), os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def drill(name: str) -> tuple[int, str, dict[str, Any]]:
    """Run a drill to its end: its exit status, what it said, and its report."""
    with start("run", name) as running:
        said, _ = running.communicate()
    folder = max(REPORTS.glob(f"*-{name}"))
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return running.returncode, said, report


def faults() -> list[str]:
    """The faults that are set on the bench now."""
    told = process.status(settings.read())
    assert told
    return [door["fault"] for door in told["doors"] if door["fault"]]
