"""A drill of the deployed system, in full, as a person runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drills.command import drill, faults, last_report

if TYPE_CHECKING:
    from tests.support.clone import Clone


# The one that the sabotaged drills are runs of. The others are `make drill-all`'s.
NAME = "region-lost"


def test_the_drill_passes_and_leaves_a_report(deployed_clone: Clone) -> None:
    status, output, report = drill(deployed_clone, NAME)

    assert status == 0, output
    assert report["passed"]
    assert report["experiment"]["name"] == NAME
    assert report["reasons"] == []
    left = {path.name for path in last_report(deployed_clone, NAME).iterdir()}
    assert left >= {"report.json", "report.html", "timeline.png", "events.jsonl", "journal.jsonl"}
    assert faults(deployed_clone) == []
