"""What a person sees while a drill runs: one line, as it changes."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from drills.journal import Journal
from project.console import Progress, clock

REDRAW_SECONDS = 0.5
WINDOW_SECONDS = 5.0


class Display:
    """The phase, the Region that serves, requests and failures, and the time against its target."""

    def __init__(self, name: str, journal: Journal, serving: str) -> None:
        self._journal = journal
        self._serving = serving
        self._phase = ""
        self._since = 0.0
        self._target: float | None = None
        self._progress = Progress(name)
        self._over = threading.Event()
        self._drawing = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        self._drawing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._drawing.join()
        self._progress.__exit__(kind, error, trace)

    def phase(self, name: str, target: float | None = None) -> None:
        """Begin a phase, with how many seconds it may take where there is such a target."""
        self._phase, self._target, self._since = name, target, self._journal.clock()
        self._progress.show(self._line())

    def _draw(self) -> None:
        while not self._over.wait(REDRAW_SECONDS):
            self._progress.show(self._line())

    def _line(self) -> str:
        now = self._journal.clock()
        attempts = list(self._journal.attempts)
        recent = [each for each in attempts[-200:] if each.ended >= now - WINDOW_SECONDS]
        served = [each.region for each in recent if each.good and each.region]
        self._serving = served[-1] if served else ("nobody" if recent else self._serving)
        failed = sum(not each.good for each in attempts)
        spent = clock(now - self._since)
        against = f"{spent} of {clock(self._target)}" if self._target else spent
        return (
            f"{self._phase} {against} | served by {self._serving} | "
            f"{len(recent) / WINDOW_SECONDS:.1f} requests/s | {failed} failed of {len(attempts)}"
        )
