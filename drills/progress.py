"""What a person sees while a drill runs: one line, as it changes, reads and writes apart."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from drills.history import Attempt
from drills.journal import Journal
from project.console import Progress, clock

REDRAW_SECONDS = 0.5
WINDOW_SECONDS = 5.0


class Display:
    """The phase and its time against its target; who serves reads and writes, and what failed."""

    def __init__(self, name: str, journal: Journal, serving: str) -> None:
        self._journal = journal
        self._serving = {"reads": serving, "writes": serving}
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
        self._progress.show(self.line())

    def _draw(self) -> None:
        while not self._over.wait(REDRAW_SECONDS):
            self._progress.show(self.line())

    def line(self) -> str:
        """What is shown now."""
        now = self._journal.clock()
        attempts = list(self._journal.attempts)
        spent = clock(now - self._since)
        against = f"{spent} of {clock(self._target)}" if self._target else spent
        reads = [each for each in attempts if not each.kind.writes]
        writes = [each for each in attempts if each.kind.writes]
        return (
            f"{self._phase} {against} | {self._of('reads', reads, now)} | "
            f"{self._of('writes', writes, now)}"
        )

    def _of(self, name: str, attempts: Sequence[Attempt], now: float) -> str:
        recent = [each for each in attempts[-200:] if each.ended >= now - WINDOW_SECONDS]
        served = [each.region for each in recent if each.good and each.region]
        if recent:
            self._serving[name] = served[-1] if served else "nobody"
        failed = sum(not each.good for each in attempts)
        return f"{name} by {self._serving[name]}, {failed} failed of {len(attempts)}"
