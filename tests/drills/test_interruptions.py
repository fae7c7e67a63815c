"""However a drill ends, everything is healed and its users are gone."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from drills.rollback_log import note_of
from project.account import LOCAL
from tests.drills.command import faults, start
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.clone import Clone

# The steady state is looked at for 15 s before anything is broken.
FAULT_DEADLINE = 60.0
HEALED_DEADLINE = 60.0


@pytest.fixture
def broken(deployed_clone: Clone) -> Iterator[subprocess.Popen[str]]:
    """A drill that has just broken the primary."""
    with start(deployed_clone, "run", "region-lost") as running:
        try:
            eventually(
                lambda: faults(deployed_clone), lambda seen: seen == ["partition"], FAULT_DEADLINE
            )
            yield running
        finally:
            running.kill()


@pytest.fixture
def note(deployed_clone: Clone) -> Path:
    """Where a drill notes what it has still to roll back."""
    return deployed_clone.at(note_of(LOCAL))


def assert_it_heals_before_it_ends(
    number: signal.Signals, broken: subprocess.Popen[str], clone: Clone, note: Path
) -> None:
    """Send the signal to the drill alone, and look at what it leaves."""
    assert json.loads(note.read_text())["usernames"]

    broken.send_signal(number)
    output, _ = broken.communicate()

    assert broken.returncode == 130, output
    # Its watchdog, which would have healed it in the end, found nothing left.
    assert "did not end by itself" not in (note.parent / "cleanup_watchdog.log").read_text()
    assert faults(clone) == []
    assert not note.exists()


def test_an_interrupted_drill_heals_before_it_ends(
    broken: subprocess.Popen[str], deployed_clone: Clone, note: Path
) -> None:
    assert_it_heals_before_it_ends(signal.SIGTERM, broken, deployed_clone, note)


def test_a_killed_drill_is_healed_by_its_watchdog(
    broken: subprocess.Popen[str], deployed_clone: Clone, note: Path
) -> None:
    os.kill(broken.pid, signal.SIGKILL)

    eventually(lambda: faults(deployed_clone), lambda seen: seen == [], HEALED_DEADLINE)
    eventually(note.exists, lambda there: not there, HEALED_DEADLINE)


def test_a_second_drill_can_not_run_and_ctrl_c_heals_after_the_first(
    broken: subprocess.Popen[str], deployed_clone: Clone, note: Path
) -> None:
    with start(deployed_clone, "run", "takeover") as second:
        output, _ = second.communicate()

    assert second.returncode == 2
    assert "Another drill of local is running" in output
    assert faults(deployed_clone) == ["partition"]
    assert_it_heals_before_it_ends(signal.SIGINT, broken, deployed_clone, note)
