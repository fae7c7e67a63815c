"""What a killed release leaves to its watchdog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE
from releases.ledger import Claim
from releases.versions import Versions
from releases.watchdog import left_over, watching
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

CLAIM = Claim("run", "ada", "2026", 0.0, Versions(3, 3), Versions(4, 4))
SAID = json.dumps(asdict(CLAIM))
LATER = json.dumps(asdict(Claim("run", "ada", "2026", 0.0, Versions(4, 4), Versions(5, 5))))


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("", None),
        (f"{SAID}\n", CLAIM),
        (f"{LATER}\n{SAID}\n", CLAIM),
        (f"{SAID}\n{SAID[:40]}", CLAIM),
        (f"{SAID}\ndone\n", None),
        (f"{SAID}\ndone\n{SAID}\n", CLAIM),
    ],
    ids=["nothing", "one", "last", "half", "done", "again"],
)
def test_it_goes_by_the_last_thing_that_was_said_whole(lines: str, left: Claim | None) -> None:
    assert left_over(lines) == left


@pytest.mark.parametrize("done", [True, False], ids=["done", "not-done"])
def test_it_is_there_for_as_long_as_the_release_and_then_puts_back_what_is_not_done(
    done: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    with watching("no-such-account", "us-east-1", CLAIM.run) as watched:
        watched.about(CLAIM)
        if done:
            watched.done()

    log = (tmp_path / "releases" / "watchdog-us-east-1.log").read_text()
    if done:
        assert log == ""
    else:
        # What it does first of all that it has to do.
        assert "There is no account 'no-such-account'" in log


def test_it_outlives_a_release_that_is_killed(tmp_path: Path) -> None:
    """It goes by its end of the pipe alone."""
    release = (
        "import os, signal\n"
        "from releases.watchdog import watching\n"
        "with watching('no-such-account', 'us-east-1', 'run') as watched:\n"
        f"    watched.stream.write({SAID!r} + chr(10)); watched.stream.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "LOCAL_STATE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", release], cwd=TREE.root, env=environment, check=False
    )
    assert done.returncode == -9
    log = tmp_path / "releases" / "watchdog-us-east-1.log"
    # What it does first of all that it has to do.
    eventually(log.read_text, lambda text: "There is no account 'no-such-account'" in text, 60)
