"""Where reports lie: a folder a drill, named for its time and its experiment."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from drills.report import page, picture
from drills.report.document import FORMAT, Document
from project.account import LOCAL
from project.console import ToolchainError

REPORTS = Path(__file__).resolve().parent.parent / "reports"


def new_folder(began: datetime, name: str) -> Path:
    """Make the folder of a drill that begins."""
    folder = REPORTS / f"{began:%Y-%m-%dT%H-%M-%SZ}-{name}"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, document: Document) -> Path:
    """Write the report beside the drill's journal; return the page."""
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "timeline.png").write_bytes(picture.png(document))
    shown = folder / "report.html"
    shown.write_text(page.html(document))
    return shown


def read(folder: Path) -> str:
    """Give the short form of a folder's report."""
    return page.text(json.loads((folder / "report.json").read_text()))


def last(account_name: str) -> str:
    """Give the short form of an account's last report. Raises ToolchainError when there is none."""
    for path in sorted(REPORTS.glob("*/report.json"), reverse=True):
        document = json.loads(path.read_text())
        # One that an older version wrote has other figures.
        if (document["format"], document["account"]) == (FORMAT, account_name):
            return f"{read(path.parent)}\n\n  {path.parent / 'report.html'}"
    of = "" if account_name == LOCAL else f" ACCOUNT={account_name}"
    raise ToolchainError(f"There is no report of {account_name} yet: run `make drill{of}`.")
