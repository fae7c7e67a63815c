"""Drills of the deployed system, in full, as a person runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drills.command import drill, faults, last_report

if TYPE_CHECKING:
    from tests.support.clone import Clone


@pytest.mark.parametrize("name", ["region-lost", "takeover", "flapping"])
def test_the_drill_passes_and_leaves_a_report(name: str, deployed_clone: Clone) -> None:
    status, said, report = drill(deployed_clone, name)

    assert status == 0, said
    assert report["passed"]
    assert report["experiment"]["name"] == name
    assert report["reasons"] == []
    left = {path.name for path in last_report(deployed_clone, name).iterdir()}
    assert left >= {"report.json", "report.html", "timeline.png", "events.jsonl", "journal.jsonl"}
    assert faults(deployed_clone) == []
