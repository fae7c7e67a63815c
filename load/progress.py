"""What a person sees while a run goes on: one line, as it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from load.size import Size
from load.tally import Tally, percentile
from project.console import Progress, clock

REDRAW_SECONDS = 0.5
# The last seconds that the line is about.
WINDOW = 5


@contextmanager
def shown(tally: Tally, size: Size) -> Iterator[None]:
    """Show the line while the body runs."""
    over = threading.Event()
    with Progress("load") as progress:

        def draw() -> None:
            while not over.wait(REDRAW_SECONDS):
                progress.show(line(tally, size))

        drawing = threading.Thread(target=draw, daemon=True)
        drawing.start()
        try:
            yield
        finally:
            over.set()
            drawing.join()
            progress.show(line(tally, size))


def line(tally: Tally, size: Size) -> str:
    """Say how it goes: how far, how fast, who serves, what failed."""
    last = tally.last()
    recent = tally.recent(last - WINDOW + 1)
    figures = tally.figures()
    served = ", ".join(region for region, _ in recent.served.most_common()) or "nobody"
    waits = sorted(recent.waits)
    return (
        f"{clock(last)} of {clock(size.seconds)} | {len(waits) / WINDOW:.1f}/s served by {served}, "
        f"half within {1000 * percentile(waits, 50):.0f} ms, 99 in 100 within "
        f"{1000 * percentile(waits, 99):.0f} ms | {figures.failed} failed of {figures.requests:,}"
    )
