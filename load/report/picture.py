"""A run as a picture: requests a second by who served them, and how long users waited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drills.report.picture import COLOURS
from load.report.document import Document
from project import pictures
from project.pictures import FAINT, INK


def svg(document: Document) -> str:
    """Draw it as SVG, to stand inside a page."""
    return pictures.svg(_draw(document))


def png(document: Document) -> bytes:
    """Draw it as PNG, for where a page can't stand."""
    return pictures.png(_draw(document))


def _draw(document: Document) -> Figure:
    with pictures.style():
        figure = Figure(figsize=(11, 5), layout="constrained")
        requests, waits = figure.subplots(2, 1, sharex=True)
        _requests(requests, document)
        _waits(waits, document)
        for axes in (requests, waits):
            pictures.plain(axes)
        waits.set_xlabel("seconds since people began to open the app")
        return figure


def _requests(axes: Axes, document: Document) -> None:
    bars: Sequence[dict[str, Any]] = document["bars"]
    width = document["seconds_a_bar"]
    regions = document["regions"]
    below = [0.0] * len(bars)
    for role in ("primary", "standby", "failed"):
        counts = [
            bar["failed"] if role == "failed" else bar["served"][regions[role]] for bar in bars
        ]
        heights = [count / width for count in counts]
        places = [bar["second"] + width / 2 for bar in bars]
        name = "failed" if role == "failed" else f"served by {regions[role]}"
        axes.bar(places, heights, width, below, color=COLOURS[role], label=name, linewidth=0)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.axhline(document["size"]["rate"], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_ylabel("requests a second")
    axes.margins(x=0)
    axes.set_ylim(0, 1.35 * max([1.0, *below]))
    axes.legend(loc="upper right", ncols=3, frameon=False)


def _waits(axes: Axes, document: Document) -> None:
    bars: Sequence[dict[str, Any]] = document["bars"]
    places = [bar["second"] + document["seconds_a_bar"] / 2 for bar in bars]
    for share, colour in (("p99", INK), ("p50", COLOURS["primary"])):
        waits = [1000 * bar[f"{share}_seconds"] for bar in bars]
        axes.plot(places, waits, color=colour, linewidth=1.2, label=f"{share}, ms")
    objective = document["objectives"]["latency_ms"]
    axes.axhline(objective, color=COLOURS["failed"], linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_ylabel("ms")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right", ncols=2, frameon=False)
