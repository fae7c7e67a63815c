"""Where reports lie: a folder a release, named for its time and its Region."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from project.pages import style_sheet
from releases.report import picture
from releases.report.document import Document, last_seen

REPORTS = Path(__file__).resolve().parent.parent / "reports"


def write(document: Document) -> Path:
    """Write a report; return its page."""
    began = datetime.fromisoformat(document["began_at"])
    folder = REPORTS / f"{began:%Y-%m-%dT%H-%M-%SZ}-{document['region']}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    page = folder / "report.html"
    page.write_text(html(document))
    return page


def html(document: Document) -> str:
    """Render the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The picture is this project's own drawing; whatever else stands in the page is escaped.
    drawn = Markup(picture.svg(document))  # noqa: S704
    return environment.get_template("page.html").render(
        report=document, picture=drawn, style=style_sheet(), seen=last_seen(document)
    )
