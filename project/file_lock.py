"""One at a time: advisory locks that the kernel drops when their holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from project.console import ToolchainError, say


@contextmanager
def exclusive(path: Path, work: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock while the block runs; a second process says what it waits for, and waits.

    Without `wait` it raises ToolchainError instead. The file is never removed: a lock on a removed
    file would shut nobody out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            running = f"Another {work} is running (process {holder})"
            if not wait:
                raise ToolchainError(f"{running}: let it end first.") from None
            say(f"{running}; waiting for it to end.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield
