"""The timeline as a picture: reads and writes a second by who served them, what changed when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drills.report.document import Document
from project import pictures
from project.pictures import FAINT, INK

COLOURS = {"primary": "#2a78b8", "standby": "#e8963a", "failed": "#c8323c"}
# Moments of the drill, each a line across the picture, with what stands beside it.
MOMENTS = {
    "fault made": "fault",
    "takeover seen": "standby serves",
    "healed": "healed",
    "failback seen": "primary serves",
}


def svg(document: Document) -> str:
    """Draw it as SVG, to stand inside a page."""
    return pictures.svg(_draw(document))


def png(document: Document) -> bytes:
    """Draw it as PNG, for where a page can't stand."""
    return pictures.png(_draw(document))


def _draw(document: Document) -> Figure:
    with pictures.style():
        figure = Figure(figsize=(11, 6.4), layout="constrained")
        reads, writes, signs = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
        _requests(reads, document, "reads")
        _requests(writes, document, "writes")
        _signs(signs, document)
        for axes in (reads, writes, signs):
            pictures.plain(axes)
            _moments(axes, document)
        _name_moments(reads, document)
        writes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, frameon=False)
        signs.set_xlabel("seconds since the drill began")
        return figure


def _requests(axes: Axes, document: Document, of: str) -> None:
    rows: Sequence[dict[str, Any]] = document["requests_by_second"]
    regions = document["regions"]
    below = [0] * len(rows)
    names = {
        "primary": f"served by {regions['primary']}",
        "standby": f"served by {regions['standby']}",
        "failed": "failed",
    }
    for outcome, name in names.items():
        heights = [row[of][outcome] for row in rows]
        seconds = [row["second"] + 0.5 for row in rows]
        axes.bar(seconds, heights, 1.0, below, color=COLOURS[outcome], label=name, linewidth=0)
        below = [low + height for low, height in zip(below, heights, strict=True)]
    axes.set_ylabel(f"{of} a second")
    axes.margins(x=0)
    axes.set_ylim(0, 1.35 * max([1, *below]))
    failed = sum(row[of]["failed"] for row in rows)
    axes.set_title(f"{of}: {failed} of {_sent(rows, of)} failed", loc="left", fontsize=9)


def _sent(rows: Sequence[dict[str, Any]], of: str) -> int:
    return sum(sum(row[of].values()) for row in rows)


def _signs(axes: Axes, document: Document) -> None:
    """One row a thing that is watched: a bar for as long as it says that all is as usual."""
    end = len(document["requests_by_second"])
    watched = _watched(document)
    for row, (subject, changes) in enumerate(watched.items()):
        ends = [at for at, _ in changes[1:]] + [end]
        for (at, seen), until in zip(changes, ends, strict=True):
            colour = _sign_colour(document, subject, seen)
            axes.barh(row, until - at, left=at, height=0.6, color=colour)
    axes.set_yticks(range(len(watched)), list(watched))
    axes.invert_yaxis()


def _watched(document: Document) -> dict[str, list[tuple[float, str]]]:
    watched: dict[str, list[tuple[float, str]]] = {}
    for entry in document["timeline"]:
        subject, _, seen = entry["what"].rpartition(": ")
        if subject:
            name = subject.removeprefix("health check of ").replace(f".{_domain(document)}", "")
            watched.setdefault(name, []).append((entry["at_seconds"], seen))
    return dict(sorted(watched.items()))


def _domain(document: Document) -> str:
    subjects = (entry["what"] for entry in document["timeline"])
    origin = next((what for what in subjects if what.startswith("DNS: origin.")), "")
    return str(origin).removeprefix("DNS: origin.").rpartition(": ")[0]


def _sign_colour(document: Document, subject: str, seen: str) -> str:
    regions = {region: role for role, region in document["regions"].items()}
    if seen in regions:
        return COLOURS[regions[seen]]
    # The operator's switch is silent when all is as usual; readiness isn't.
    good, bad = (COLOURS["standby"], "#e4e8ec") if "takeover" in subject else ("#57a773", "#d9a5a9")
    return {"answers": good, "does not answer": bad}.get(seen, FAINT)


def _moments(axes: Axes, document: Document) -> None:
    for at, _ in _found(document):
        axes.axvline(at, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))


def _name_moments(axes: Axes, document: Document) -> None:
    _, top = axes.get_ylim()
    for row, (at, name) in enumerate(_found(document)):
        # By turns lower and higher, as two of them are often near each other.
        axes.text(at + 0.8, top * (1 - 0.1 * (row % 2)), f"{name} {at:.0f} s", va="top")


def _found(document: Document) -> list[tuple[float, str]]:
    return [
        (entry["at_seconds"], MOMENTS[entry["what"]])
        for entry in document["timeline"]
        if entry["what"] in MOMENTS
    ]
