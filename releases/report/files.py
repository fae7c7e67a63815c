"""Where reports lie: a folder a release, named for its time and its Region."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from project.pages import render
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
    return render(
        Path(__file__).with_name("page.html"),
        picture.svg(document),
        report=document,
        seen=last_seen(document),
    )
