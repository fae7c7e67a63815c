"""Drills as a person runs them, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from drills.report.files import REPORTS
from local import process, settings
from project.account import LOCAL, read_account
from project.environment import process_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.clone import Clone


def start(clone: Clone, *arguments: str) -> subprocess.Popen[str]:
    """Begin `python -m drills …`; what it says comes through its standard error."""
    with pytest.MonkeyPatch.context() as patch:
        clone.lead_here(patch)
        account = read_account(clone.tree, LOCAL)
        environment = process_environment(clone.tree, account, clone.environment())
    return subprocess.Popen(
        [sys.executable, "-m", "drills", *arguments],
        cwd=clone.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def drill(clone: Clone, name: str) -> tuple[int, str, dict[str, Any]]:
    """Run a drill to its end: its exit status, its output, and its report."""
    with start(clone, "run", name) as running:
        output, _ = running.communicate()
    left = (last_report(clone, name) / "report.json").read_text()
    report: dict[str, Any] = json.loads(left)
    return running.returncode, output, report


def last_report(clone: Clone, name: str) -> Path:
    """Find the folder that the last drill of this name has left."""
    return max(clone.at(REPORTS).glob(f"*-{name}"))


def faults(clone: Clone) -> list[str]:
    """The faults that are set on the clone's emulator now."""
    ours = settings.read(clone.ports() | {"LOCAL_STATE_DIR": str(clone.state)})
    status = process.status(ours)
    assert status
    return [endpoint["fault"] for endpoint in status["endpoints"] if endpoint["fault"]]
