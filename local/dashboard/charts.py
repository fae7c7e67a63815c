"""Graphs of time series as SVG, drawn by matplotlib on the server as CloudWatch's own images are.

The title and the legend are not in the picture: the page sets them as text.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from local.dashboard.bodies import Annotation, Axis, Graph
from local.dashboard.client import Line

PALETTE = (
    *("#2563eb", "#ea580c", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#ca8a04", "#db2777"),
    *("#65a30d", "#475569"),
)
INK, FAINT, GRID = "#334155", "#94a3b8", "#e2e8f0"
ALERT = "#dc2626"
POINTS_PER_INCH = 72
STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "svg.fonttype": "path",
    "axes.edgecolor": GRID,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
# Between two ticks of the time axis: CSS pixels, and the steps in seconds to choose from.
TICK_WIDTH = 70
STEPS = (60, 180, 300, 600, 1800, 3600, 7200)
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
# matplotlib's caches are not made for threads.
_drawing = Lock()


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a page shows, and the size of one picture in CSS pixels."""

    start: datetime
    end: datetime
    width: int
    height: int


def color(line: Line, position: int) -> str:
    """The color that a line says itself, or the next of the palette."""
    return line.row.color or PALETTE[position % len(PALETTE)]


def number(value: float) -> str:
    """A value as people read it: 1.2k, 0.034, 99.95."""
    size = abs(value)
    for unit, letter in UNITS:
        if size >= unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.4g}" if size >= 0.001 or not size else f"{value:.1e}"


def draw(graph: Graph, lines: list[Line], window: Window) -> str:
    """The graph as an `<svg>` element."""
    with _drawing, mpl.rc_context(STYLE):
        size = (window.width / POINTS_PER_INCH, window.height / POINTS_PER_INCH)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.04))
        left = figure.add_subplot()
        _frame(left, graph.left, window)
        _plot(graph, lines, left, window)
        for annotation in graph.annotations:
            _annotate(left, annotation)
        _bounds(left, graph.left)
        if not any(line.values for line in lines):
            left.set_yticks([])
        for annotation in graph.annotations:
            _shade(left, annotation)
        picture = io.StringIO()
        figure.savefig(picture, format="svg", transparent=True, metadata={"Date": None})
    svg = picture.getvalue()
    return svg[svg.index("<svg") :]


def _plot(graph: Graph, lines: list[Line], left: Axes, window: Window) -> None:
    colors = [color(line, position) for position, line in enumerate(lines)]
    if graph.stacked:
        _stack(left, lines, colors)
        return
    for line, shade in zip(lines, colors, strict=True):
        if not line.row.right_axis:
            _trace(left, line, shade)
    on_the_right = [pair for pair in zip(lines, colors, strict=True) if pair[0].row.right_axis]
    if on_the_right:
        right = left.twinx()
        _frame(right, graph.right, window)
        right.grid(visible=False)
        for line, shade in on_the_right:
            _trace(right, line, shade)
        _bounds(right, graph.right)


def _frame(axes: Axes, axis: Axis, window: Window) -> None:
    axes.set_xlim(window.start.timestamp(), window.end.timestamp())
    ticks = _ticks(window)
    clock = [datetime.fromtimestamp(at, UTC).strftime("%H:%M") for at in ticks]
    axes.set_xticks(ticks, labels=clock)
    axes.yaxis.set_major_formatter(lambda value, _at: number(value))
    axes.yaxis.set_major_locator(MaxNLocator(5 if window.height > 120 else 3))
    axes.set_ylabel(axis.label, color=INK)
    axes.tick_params(length=0, pad=5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _ticks(window: Window) -> list[int]:
    """Round times, no more of them than their labels have room for."""
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    most = max(2, window.width // TICK_WIDTH)
    step = next((step for step in STEPS if (end - start) / step <= most), STEPS[-1])
    return list(range(start - start % step + step, end, step))


def _trace(axes: Axes, line: Line, shade: str) -> None:
    """A line that breaks where data is missing; a point alone is a dot."""
    times, values = _with_gaps(line)
    axes.plot(times, values, color=shade, linewidth=1.5, solid_capstyle="round")
    alone = [
        at
        for at in range(len(values))
        if not math.isnan(values[at])
        and all(math.isnan(v) for v in (*values[max(at - 1, 0) : at], *values[at + 1 : at + 2]))
    ]
    dots = [times[at] for at in alone], [values[at] for at in alone]
    axes.plot(*dots, "o", color=shade, markersize=3.5)


def _with_gaps(line: Line) -> tuple[list[float], list[float]]:
    times: list[float] = []
    values: list[float] = []
    before = math.inf
    for at, value in zip(line.times, line.values, strict=True):
        if at - before > 1.5 * line.row.period:
            times.append(before + line.row.period)
            values.append(math.nan)
        times.append(at)
        values.append(value)
        before = at
    return times, values


def _stack(axes: Axes, lines: list[Line], colors: list[str]) -> None:
    times = sorted({at for line in lines for at in line.times})
    if not times:
        return
    held = [dict(zip(line.times, line.values, strict=True)) for line in lines]
    layers = [[found.get(at, 0.0) for at in times] for found in held]
    axes.stackplot(times, *layers, colors=colors, alpha=0.75, linewidth=0)


def _annotate(axes: Axes, annotation: Annotation) -> None:
    shade = annotation.color or ALERT
    axes.axhline(annotation.value, color=shade, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        annotation.label,
        (1, annotation.value),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        ha="right",
        color=shade,
        fontsize=9.5,
    )


def _bounds(axes: Axes, axis: Axis) -> None:
    """From zero when the data allows it, with some air above; or as the body says."""
    low, high = axes.get_ylim()
    if axis.low is not None:
        low = axis.low
    elif low > -0.05 * high:
        low = 0.0
    top = axis.high if axis.high is not None else high + 0.06 * (high - low)
    axes.set_ylim(low, top if top > low else low + 1)


def _shade(axes: Axes, annotation: Annotation) -> None:
    low, high = axes.get_ylim()
    spans = {"above": (annotation.value, high), "below": (low, annotation.value)}
    if annotation.fill in spans:
        axes.axhspan(*spans[annotation.fill], color=annotation.color or ALERT, alpha=0.07, lw=0)
