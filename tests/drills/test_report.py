"""What a drill leaves, for machines and for people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import fastjsonschema
import pytest

from drills.experiments import EXPERIMENTS
from drills.history import Change, History
from drills.report import document as documents
from drills.report import page, picture
from drills.report.document import Document
from project.account import LOCAL
from tests.drills.histories import PRIMARY, STANDBY, Plan, history, with_conflict
from tests.drills.systems import system

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def document(seen: History) -> Document:
    """Report a made-up drill."""
    return documents.build(EXPERIMENTS["region-lost"], system(), seen, BEGAN)


def test_the_report_says_what_was_expected_and_what_was_measured() -> None:
    report = document(history(Plan(outage=48.0)))

    assert not report["passed"]
    missed = {check["name"]: check for check in report["checks"] if not check["met"]}
    assert set(missed) == {"Users moved", "RTO for reads", "RTO for writes"}
    assert missed["RTO for writes"]["expected"] == "at most 46.0 s"
    assert report["targets"]["limit_seconds"] == 40


def test_the_report_keeps_its_schema_whatever_was_never_seen() -> None:
    report = document(History(PRIMARY, STANDBY))

    assert report["figures"]["timeline"]["rto_writes_seconds"] is None
    assert json.loads(json.dumps(report)) == report


def test_a_report_that_breaks_its_schema_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FORMAT", 3)

    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        document(history(Plan()))


def test_requests_are_counted_by_the_second_and_by_who_served_them() -> None:
    rows = document(history(Plan(outage=30.0)))["requests_by_second"]

    assert rows[5] == {"second": 5, "primary": 4, "standby": 0, "failed": 0}
    assert rows[20] == {"second": 20, "primary": 0, "standby": 0, "failed": 4}
    assert rows[50] == {"second": 50, "primary": 0, "standby": 4, "failed": 0}


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

    assert "MISSED  Served by the standby: 0 requests" in shown
    assert "Why: No health check of the primary failed" in shown


def test_the_picture_names_the_moments() -> None:
    drawn = picture.svg(document(history(Plan())))

    for name in ("fault 10 s", "standby serves 40 s", "healed 60 s", "primary serves 90 s"):
        assert name in drawn
    assert picture.png(document(history(Plan()))).startswith(b"\x89PNG")
