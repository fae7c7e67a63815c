"""The pages of reports: how they look, and how they are rendered."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup


def render(template: Path, picture: str, **shown: object) -> str:
    """Render a report's page, which needs nothing else: the style sheet and the SVG stand in it.

    The picture is this project's own drawing; whatever else is shown is escaped.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = Markup(picture)  # noqa: S704 - as above
    return environment.get_template(template.name).render(
        picture=drawn, style=_style_sheet(), **shown
    )


def _style_sheet() -> Markup:
    sheet = Path(__file__).with_name("report.css").read_text()
    return Markup(sheet)  # noqa: S704 - this project's own
