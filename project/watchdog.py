"""A process that outlives the one that started it, and learns of its end.

The one that is watched holds the other end of the watchdog's standard input, which the kernel
closes with it, however it dies. The watchdog is in a session of its own, so that neither Ctrl-C nor
a closed terminal ends it as well.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from project.paths import TREE


@contextmanager
def started(log: Path, module: str, *arguments: str) -> Iterator[IO[str]]:
    """Have a module as a watchdog while the block runs, and wait for its end afterwards.

    Gives the stream that it reads. What it says goes to the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=TREE.root,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            start_new_session=True,
            text=True,
        ) as watchdog,
    ):
        assert watchdog.stdin
        try:
            yield watchdog.stdin
        finally:
            with suppress(BrokenPipeError):
                watchdog.stdin.close()
            watchdog.wait()
