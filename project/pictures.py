"""How the pictures of reports look, and how they stand in a page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT = "#24292f", "#8c959f"
# What matplotlib would say of itself and of the day.
UNSAID = ("Creator", "Date", "Format", "Type")
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # Text stays text: smaller, and found by a search in the page.
    "svg.fonttype": "none",
    "svg.hashsalt": "drill",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in this style while the block runs."""
    with mpl.rc_context(STYLE):
        yield


def svg(figure: Figure) -> str:
    """Give a figure as SVG, to stand inside a page."""
    written = io.StringIO()
    with style():
        figure.savefig(written, format="svg", metadata=dict.fromkeys(UNSAID))
    drawn = written.getvalue()
    return drawn[drawn.index("<svg") :]


def png(figure: Figure) -> bytes:
    """Give a figure as PNG, for where a page can't stand."""
    written = io.BytesIO()
    with style():
        figure.savefig(written, format="png", dpi=130)
    return written.getvalue()


def plain(axes: Axes) -> None:
    """Leave nothing of the frame but what is read."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x", color="#eaeef2", linewidth=0.8)
    axes.set_axisbelow(True)
