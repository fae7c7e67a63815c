"""What was measured, as rows with budgets; the table for people, the document for machines."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OURS, RIVAL = "ours", "FastAPI with bytecode"

# By package: the figures of its runs, each by name.
Runs = Mapping[str, Sequence[Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A row: which figure, in which unit (scale turns seconds or bytes into it).

    budget is how much of FastAPI's with bytecode ours may be, limit how much in the unit itself;
    None where nothing is promised.
    """

    label: str
    key: str
    unit: str
    scale: float
    budget: float | None = None
    limit: float | None = None


MEASURES = (
    Measure("import", "import", "ms", 1e3),
    Measure("first POST", "first", "ms", 1e3),
    Measure("cold start", "cold", "ms", 1e3, budget=0.42),
    Measure("warm POST", "POST", "ms", 1e3, budget=0.95),
    Measure("warm GET", "GET", "ms", 1e3, budget=0.85),
    Measure("warm LIST", "LIST", "ms", 1e3, budget=0.9),
    Measure("POST without SDK", "POST alone", "ms", 1e3, budget=0.4),
    Measure("GET without SDK", "GET alone", "ms", 1e3, budget=0.3),
    Measure("LIST without SDK", "LIST alone", "ms", 1e3, budget=0.6),
    Measure("traced POST", "POST traced", "ms", 1e3),
    Measure("traced GET", "GET traced", "ms", 1e3),
    Measure("peak memory", "memory", "MB", 1e-6, budget=0.65),
    Measure("zip", "bytes", "MB", 1e-6, limit=6.0),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of the runs, and the quartiles around it."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Make it from one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of every package that has it."""

    measure: Measure
    figures: Mapping[str, Figure]

    @property
    def ratio(self) -> float | None:
        """Ours in parts of FastAPI's with bytecode."""
        if RIVAL not in self.figures:
            return None
        return self.figures[OURS].median / self.figures[RIVAL].median

    @property
    def kept(self) -> bool:
        """Whether no budget is missed."""
        budget, limit, ratio = self.measure.budget, self.measure.limit, self.ratio
        within = budget is None or ratio is None or ratio <= budget
        return within and (limit is None or self.figures[OURS].median <= limit)


def rows(runs: Runs) -> list[Row]:
    """Make every row out of what was measured."""
    return [
        Row(
            measure,
            {
                package: Figure.of([run[measure.key] * measure.scale for run in figures])
                for package, figures in runs.items()
                if measure.key in figures[0]
            },
        )
        for measure in MEASURES
    ]


def table(compared: Sequence[Row], packages: Sequence[str]) -> str:
    """Write a table in Markdown: medians, and half of what lies between the quartiles."""
    head = ["", *packages, "ratio", "budget"]
    lines = [
        head,
        ["---", *["---:"] * (len(head) - 1)],
        *(_cells(row, packages) for row in compared),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(x, widths, strict=True)] for x in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)


def _cells(row: Row, packages: Sequence[str]) -> list[str]:
    figures = (row.figures.get(package) for package in packages)
    return [
        f"{row.measure.label}, {row.measure.unit}",
        *("" if figure is None else _figure(figure) for figure in figures),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        _budget(row),
    ]


def _figure(figure: Figure) -> str:
    spread = (figure.high - figure.low) / 2
    digits = 2 if figure.median < 10 else 0
    written = f"{figure.median:.{digits}f}"
    return f"{written} ± {spread:.{digits}f}" if spread else written


def _budget(row: Row) -> str:
    measure = row.measure
    budget = "" if measure.budget is None else f"{measure.budget:.2f}"
    budget = budget if measure.limit is None else f"{measure.limit:g} {measure.unit}"
    return budget if row.kept else f"{budget}, missed"


def document(compared: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a machine reads: the same figures, whole."""
    return {
        **about,
        "kept": all(row.kept for row in compared),
        "rows": [
            {
                "name": row.measure.label,
                "unit": row.measure.unit,
                "figures": {
                    package: {"low": one.low, "median": one.median, "high": one.high}
                    for package, one in row.figures.items()
                },
                "ratio": row.ratio,
                "budget": row.measure.budget,
                "limit": row.measure.limit,
                "kept": row.kept,
            }
            for row in compared
        ],
    }
