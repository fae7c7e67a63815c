"""What a drill leaves, for machines and for people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import fastjsonschema
import pytest

from drills.experiments import EXPERIMENTS
from drills.history import Change, History
from drills.journal import Journal
from drills.progress import Display
from drills.report import document as documents
from drills.report import page, picture
from drills.report.document import Document
from project.account import LOCAL
from tests.drills.histories import (
    PRIMARY,
    STANDBY,
    Handover,
    Plan,
    handover,
    history,
    with_conflict,
)
from tests.drills.systems import system

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def document(seen: History) -> Document:
    """Report a made-up drill."""
    return documents.build(EXPERIMENTS["region-lost"], system(), seen, BEGAN)


def test_the_report_says_what_was_expected_and_what_was_measured() -> None:
    report = document(history(Plan(outage=48.0)))

    assert not report["passed"]
    missed = {check["name"]: check for check in report["checks"] if not check["met"]}
    assert set(missed) == {"First write in the standby", "RTO for writes"}
    assert missed["RTO for writes"]["expected"] == "at most 46.0 s"
    assert report["targets"] == {
        "failed_reads": 0,
        "slowest_read_seconds": 5,
        "rto_seconds": 46,
        "rpo_seconds": 5,
        "lost_updates": 0,
        "limit_seconds": 40,
        "health_check_interval_seconds": 10,
        "health_check_threshold": 3,
        "record_ttl_seconds": 10,
    }


def test_the_report_keeps_its_schema_whatever_was_never_seen() -> None:
    report = document(History(PRIMARY, STANDBY))

    assert report["figures"]["timeline"]["rto_writes_seconds"] is None
    assert json.loads(json.dumps(report)) == report


def test_a_report_that_breaks_its_schema_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FORMAT", 2)

    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        document(history(Plan()))


def test_reads_and_writes_are_counted_by_the_second_and_by_who_served_them() -> None:
    rows = document(history(Plan(outage=30.0, read_outage=3.0)))["requests_by_second"]

    def row(second: int, reads: str, writes: str) -> dict[str, object]:
        nobody = {"primary": 0, "standby": 0, "failed": 0}
        return {"second": second, "reads": nobody | {reads: 2}, "writes": nobody | {writes: 2}}

    assert rows[5] == row(5, "primary", "primary")
    assert rows[12] == row(12, "failed", "failed")
    assert rows[20] == row(20, "standby", "failed")
    assert rows[50] == row(50, "standby", "standby")


def test_alarms_that_went_off_are_listed() -> None:
    seen = replace(history(Plan()), alarms=(Change(42.0, "edge-serves-errors", "ALARM"),))

    assert document(seen)["alarms"] == [
        {"at_seconds": 42.0, "alarm": "edge-serves-errors", "state": "ALARM"}
    ]


def test_the_page_needs_nothing_else_and_trusts_no_text() -> None:
    seen = replace(history(Plan()), alarms=(Change(42.0, "<script>x</script>", "ALARM"),))
    shown = page.html(document(with_conflict(seen, apart=40.0)))

    assert "region-lost" in shown
    assert "the last writer wins" in shown
    assert "<svg" in shown
    assert "<script" not in shown
    assert "src=" not in shown


def test_page_and_short_form_of_the_emulator_name_what_only_an_account_can_show() -> None:
    dev = system()
    local = replace(dev, account=replace(dev.account, name=LOCAL))
    report = documents.build(EXPERIMENTS["region-lost"], local, history(Plan()), BEGAN)

    assert "docs/unproven-on-aws.md" in page.html(report)
    assert "docs/unproven-on-aws.md" in page.text(report)


def test_the_short_form_names_what_was_missed_and_why() -> None:
    never = replace(history(Plan(outage=50.0)), changes=())

    shown = page.text(document(never))

    assert "MISSED  First write in the standby: never (expected: at most 46.0 s)" in shown
    assert "met   Failed reads: 0 of 200 (expected: at most 0)" in shown
    assert "\n  Writes\n    Sent: 200\n" in shown
    assert "Why: No health check of the primary failed" in shown


def test_the_figures_that_targets_speak_of_are_shown() -> None:
    assert {
        "counts.reads.failed",
        "counts.reads.slowest_seconds",
        "timeline.rto_writes_seconds",
        "data_loss.rpo_seconds",
        "data_loss.lost_updates",
    } <= {path for labels in page.FIGURES.values() for path in labels}


def test_every_figure_that_is_shown_is_there_and_has_a_name_of_its_own() -> None:
    shown = page.text(document(handover(Handover())))

    for about, labels in page.FIGURES.items():
        assert len(set(labels.values())) == len(labels)
        assert f"\n  {about}\n" in shown
        assert all(f"\n    {label}: " in shown for label in labels.values())
    assert shown.count("    Both Regions took writes for: 0.0 s") == 2
    assert "    Acknowledged updates that are gone: 0" in shown
    assert "    Primary's last answer, after DNS changed: 0.0 s" in shown


def test_the_page_says_the_targets_and_tells_reads_from_writes() -> None:
    shown = page.html(document(history(Plan())))

    assert "Reads: at most 0 fail, the slowest within 5.0 s." in shown
    assert "Writes: RTO 46.0 s, RPO 5.0 s." in shown
    for about in page.FIGURES:
        assert f"<h3>{about}</h3>" in shown


def test_the_picture_names_the_moments() -> None:
    drawn = picture.svg(document(history(Plan())))

    for name in ("fault 10 s", "standby serves 40 s", "healed 60 s", "primary serves 90 s"):
        assert name in drawn
    assert picture.png(document(history(Plan()))).startswith(b"\x89PNG")


def test_the_picture_shows_reads_and_writes_apart() -> None:
    drawn = picture.svg(document(history(Plan(outage=30.0, read_outage=3.0))))

    assert "reads: 6 of 200 failed" in drawn
    assert "writes: 60 of 200 failed" in drawn


def test_the_line_of_a_drill_under_way_tells_reads_from_writes(tmp_path: Path) -> None:
    journal = Journal(tmp_path, lambda: 20.0)
    for each in history(Plan()).attempts:
        if each.ended <= journal.clock():
            journal.attempt(each)
    display = Display("region-lost", journal, PRIMARY)
    display.phase("broken", 46.0)

    assert display.line() == (
        f"broken 0:00 of 0:46 | reads by {STANDBY}, 0 failed of 40 | "
        "writes by nobody, 20 failed of 40"
    )
