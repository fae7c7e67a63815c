"""Runs commands that need not wait for each other; what fails, or Ctrl-C, ends the others."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from project.console import ToolchainError

POLL_SECONDS = 0.1
# What a command that is stopped gets to clean up.
STOP_SECONDS = 10.0


def run_side_by_side(commands: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Run named commands at the same time, in a folder, to the end of each.

    What they say on stderr goes to the person as it comes; stdout is for why one fails. Raises
    ToolchainError with that, once the others have been stopped with all that they had started.
    """
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(_started(command, folder))
            for name, command in commands.items()
        }
        while running:
            for name, (process, words) in list(running.items()):
                if process.poll() is not None:
                    del running[name]
                    _require_success(name, process.returncode, words)
            time.sleep(POLL_SECONDS)


@contextmanager
def _started(
    command: Sequence[str], folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    # In a session of its own: Ctrl-C reaches this process alone, which stops each with its children
    # and says so once.
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(command, cwd=folder, stdout=words, start_new_session=True) as process,
    ):
        try:
            yield process, words
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def _require_success(name: str, status: int, words: IO[bytes]) -> None:
    if status == 0:
        return
    words.seek(0)
    why = words.read().decode(errors="replace").strip()
    raise ToolchainError(why or f"{name} failed with status {status}: see above.")
