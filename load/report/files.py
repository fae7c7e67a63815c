"""Where reports lie: a folder a run, named for its time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from load.records import Attempt, line_of
from load.report import page, picture
from load.report.document import Document
from project.paths import TREE

REPORTS = Path(__file__).resolve().parent.parent / "reports"


def write(document: Document, failures: Sequence[Attempt], began: datetime) -> Path:
    """Write the report and what failed into a folder of its own."""
    folder = REPORTS / f"{began:%Y-%m-%dT%H-%M-%SZ}-{document['account']}"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "failures.jsonl").write_text("".join(f"{line_of(each)}\n" for each in failures))
    (folder / "picture.png").write_bytes(picture.png(document))
    (folder / "report.html").write_text(page.html(document))
    return folder


def read(folder: Path) -> str:
    """Give the short form of a folder's report."""
    return page.text(json.loads((folder / "report.json").read_text()))


def shown(folder: Path) -> str:
    """Name the page, within this repository where it is there."""
    return TREE.shown(folder / "report.html")
