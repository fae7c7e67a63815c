"""How the pages of reports look."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup


def style_sheet() -> Markup:
    """Give the style sheet, to stand inside a page that needs nothing else."""
    sheet = Path(__file__).with_name("report.css").read_text()
    return Markup(sheet)  # noqa: S704 - this project's own
