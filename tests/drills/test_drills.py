"""Drills of the deployed system, in full, as a person runs them."""

from __future__ import annotations

import pytest

from drills.report.files import REPORTS
from tests.drills.command import drill, faults

pytestmark = pytest.mark.usefixtures("alone")


@pytest.mark.parametrize("name", ["region-lost", "takeover", "flapping"])
def test_the_drill_passes_and_leaves_a_report(name: str) -> None:
    status, said, report = drill(name)

    assert status == 0, said
    assert report["passed"]
    assert report["experiment"]["name"] == name
    assert report["reasons"] == []
    folder = max(REPORTS.glob(f"*-{name}"))
    left = {path.name for path in folder.iterdir()}
    assert left >= {"report.json", "report.html", "timeline.png", "events.jsonl", "journal.jsonl"}
    assert faults() == []
