"""However a drill ends, everything is healed and its users are gone."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from drills.undo import note_of
from tests.drills.command import faults, start
from tests.e2e.waiting import eventually
from toolchain.settings import LOCAL

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("alone")

# The steady state is looked at for 15 s before anything is broken.
FAULT_DEADLINE = 60.0
HEALED_DEADLINE = 60.0


@pytest.fixture
def broken() -> Iterator[subprocess.Popen[str]]:
    """A drill that has just broken the primary."""
    with start("run", "region-lost") as running:
        try:
            eventually(faults, lambda seen: seen == ["partition"], FAULT_DEADLINE)
            yield running
        finally:
            running.kill()


def noted_usernames() -> list[str]:
    """The users that a drill has still to remove."""
    note = note_of(LOCAL)
    return list(json.loads(note.read_text())["usernames"]) if note.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_heals_before_it_ends(
    number: signal.Signals, broken: subprocess.Popen[str]
) -> None:
    assert noted_usernames()

    broken.send_signal(number)
    said, _ = broken.communicate()

    assert broken.returncode == 130, said
    assert "healed" in said
    assert faults() == []
    assert not note_of(LOCAL).exists()


def test_a_killed_drill_is_healed_by_its_guardian(broken: subprocess.Popen[str]) -> None:
    os.kill(broken.pid, signal.SIGKILL)

    eventually(faults, lambda seen: seen == [], HEALED_DEADLINE)
    eventually(note_of(LOCAL).exists, lambda there: not there, HEALED_DEADLINE)


def test_a_second_drill_at_the_same_time_could_not_run(broken: subprocess.Popen[str]) -> None:
    with start("run", "takeover") as second:
        said, _ = second.communicate()

    assert second.returncode == 2
    assert "Another drill of local is running" in said
    assert faults() == ["partition"]
    broken.send_signal(signal.SIGINT)
    broken.communicate()
    assert faults() == []
