"""The release as a picture: who got which share of the calls, and what became of them."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from project import pictures
from releases.report.document import Document

NEW, OLD, FAILED = "#e8963a", "#2a78b8", "#c8323c"


def svg(document: Document) -> str:
    """Draw it as SVG, to stand inside a page."""
    return pictures.svg(_draw(document))


def _draw(document: Document) -> Figure:
    with pictures.style():
        figure = Figure(figsize=(11, 4.6), layout="constrained")
        shares, calls = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        _shares(shares, document)
        _calls(calls, document)
        for axes in (shares, calls):
            pictures.plain(axes)
        calls.set_xlabel("seconds since the release began")
        return figure


def _shares(axes: Axes, document: Document) -> None:
    """The new version's share of the calls, from the first moment to the last."""
    end = max((row["at_seconds"] for row in document["timeline"]), default=1.0)
    points = [(0.0, 0.0), *((row["at_seconds"], row["share"]) for row in document["shares"])]
    times = [at for at, _ in points] + [end]
    percent = [100 * share for _, share in points]
    axes.step(times, [*percent, percent[-1]], where="post", color=NEW, linewidth=2)
    axes.fill_between(times, [*percent, percent[-1]], step="post", color=NEW, alpha=0.25)
    axes.set_ylim(0, 105)
    axes.set_ylabel("% of calls")
    axes.set_title("the new version's share", loc="left", fontsize=9)


def _calls(axes: Axes, document: Document) -> None:
    """Calls of the users' function since the canary began, and those that failed."""
    seen = [row for row in document["seen"] if row["function"] == "api"]
    for is_new, colour, name in ((False, OLD, "old"), (True, NEW, "new")):
        rows = [row for row in seen if row["is_new"] is is_new]
        times = [row["at_seconds"] for row in rows]
        axes.plot(times, [row["calls"] for row in rows], color=colour, label=f"{name}: calls")
        if any(row["failures"] for row in rows):
            failures = [row["failures"] for row in rows]
            style = "-" if is_new else ":"
            axes.plot(times, failures, style, color=FAILED, label=f"{name}: failed")
    axes.set_ylabel("calls so far")
    axes.set_ylim(bottom=0)
    what = "calls of the users' function" if seen else "no user met it: there was no canary"
    axes.set_title(what, loc="left", fontsize=9)
    if seen:
        axes.legend(loc="upper left", ncols=4, frameon=False)
