"""What a person sees: one line a step, progress for what takes long, errors that say what to do."""

from __future__ import annotations

import errno
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

LINE_SECONDS = 20.0
REDRAW_SECONDS = 0.5
CLEAR_LINE = "\r\x1b[K"


class ToolchainError(Exception):
    """Something a person can put right; the message says what, and how."""


@contextmanager
def files_explained() -> Iterator[None]:
    """Turn what a file or a folder denies into a sentence: ToolchainError."""
    try:
        yield
    except OSError as error:
        # Without a name it is none of a file's.
        if error.filename is None:
            raise
        do = _REMEDIES.get(error.errno or 0, "put that right, then run this again")
        why = (error.strerror or "no access").lower()
        raise ToolchainError(f"{error.filename}: {why}. What to do: {do}.") from error


_UNWRITABLE = (
    "make it writable, or set LOCAL_STATE_DIR to a folder of your own for what the embedded AWS "
    "keeps, then run this again"
)
_REMEDIES = {
    errno.EACCES: _UNWRITABLE,
    errno.EPERM: _UNWRITABLE,
    errno.EROFS: _UNWRITABLE,
    errno.ENOSPC: "make room on that disk, then run this again",
    errno.EDQUOT: "make room on that disk, then run this again",
}


def on_termination(_number: int, _frame: FrameType | None) -> None:
    """End as by Ctrl-C: a handler for SIGTERM, so that what is open is closed."""
    raise KeyboardInterrupt


def say(message: str) -> None:
    """Print one line about what happens now, on stderr so that stdout stays machine-readable.

    On a terminal it takes the place of a progress that is drawn there, and that draws itself again.
    """
    cleared = CLEAR_LINE if sys.stderr.isatty() else ""
    print(f"{cleared}{message}", file=sys.stderr, flush=True)


class Progress:
    """A clock that ticks while long work runs, with the last thing that is known about it.

    On a terminal one line is redrawn; elsewhere a plain line comes now and then.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._detail = ""
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._clock.join()
        say(self._line())

    def show(self, detail: str) -> None:
        """Say where things stand; it is drawn with the next tick."""
        self._detail = detail

    def _line(self) -> str:
        return f"  {self._label}: {clock(time.monotonic() - self._started)}  {self._detail}"

    def _tick(self) -> None:
        while not self._over.wait(REDRAW_SECONDS if self._terminal else LINE_SECONDS):
            if self._terminal:
                width = shutil.get_terminal_size().columns - 1
                sys.stderr.write(f"{CLEAR_LINE}{self._line()[:width]}")
                sys.stderr.flush()
            else:
                say(self._line())


def clock(seconds: float) -> str:
    """Minutes and seconds, as 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@dataclass(slots=True)
class Phases:
    """How long each phase took, for the table at the end."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what runs inside, also when it fails."""
        say(f"==> {name}")
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - started

    def table(self) -> str:
        """Render one line a phase, seconds with one decimal, and the sum."""
        rows = [*self.seconds.items(), ("total", sum(self.seconds.values()))]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"  {name:<{width}}  {taken:7.1f} s" for name, taken in rows)
