"""The report for people: one HTML file that needs nothing else, and a short form for terminals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drills.report import picture
from drills.report.document import Document
from project.pages import render

# Where each figure stands in the document, and what it says, under what they are about.
FIGURES = {
    "Reads": {
        "counts.reads.sent": "Sent",
        "counts.reads.failed": "Failed",
        "counts.reads.slowest_seconds": "Slowest",
        "timeline.first_read_by_standby_seconds": "First answer of the standby, after the fault",
        "counts.reads.served_by_standby_during_the_fault": "Answered by the standby meanwhile",
        "timeline.rto_reads_seconds": "RTO: good again, after the fault",
    },
    "Writes": {
        "counts.writes.sent": "Sent",
        "counts.acknowledged_writes": "Acknowledged",
        "counts.writes.failed": "Failed",
        "counts.writes.failed_after_healing": "Failed after healing (what failback cost)",
        "interruption.refused": "Refused by a Region",
        "interruption.longest_seconds": "Failed at a stretch, the longest",
        "interruption.never_acknowledged": "Came to nothing, with all their retries",
        "timeline.first_write_in_standby_seconds": "First in the standby, after the fault",
        "timeline.rto_writes_seconds": "RTO: good again, after the fault",
    },
    "The move": {
        "timeline.first_failure_seconds": "First failed request, after the fault",
        "timeline.detection_seconds": "Health check noticed",
        "timeline.dns_seconds": "DNS changed",
        "takeover.answered_after_dns_seconds": "Primary's last answer, after DNS changed",
        "takeover.last_write_seconds": "Primary's last acknowledged write, after the fault",
        "takeover.both_wrote_seconds": "Both Regions took writes for",
    },
    "The way back": {
        "timeline.failback_seconds": "First write in the primary, after healing began",
        "timeline.good_after_healing_seconds": "Good again, after healing",
        "failback.answered_after_dns_seconds": "Standby's last answer, after DNS changed",
        "failback.last_write_seconds": "Standby's last acknowledged write, after healing began",
        "failback.both_wrote_seconds": "Both Regions took writes for",
        "replication.catch_up_seconds": "Replication caught up, after healing",
    },
    "Data": {
        "data_loss.rpo_seconds": "RPO",
        "data_loss.missing_at_takeover": "Acknowledged, missing at takeover",
        "data_loss.missing_after_healing": "Acknowledged, missing after healing",
        "data_loss.lost_updates": "Acknowledged updates that are gone",
        "data_loss.overwritten": "Of these, overwritten by a conflict",
        "data_loss.duplicates": "Writes that made two items",
        "replication.lag_median_seconds": "Replication lag before the fault, median",
        "replication.lag_max_seconds": "Replication lag before the fault, longest",
        "replication.stopped": "Markers that the fault held up",
    },
    "All requests": {
        "counts.slowest_answer_seconds": "Slowest answer",
        "counts.slowest_error_seconds": "Slowest error",
        "counts.unanswered": "Failed without an answer",
    },
}


def html(document: Document) -> str:
    """Render the page."""
    return render(
        Path(__file__).with_name("page.html"),
        picture.svg(document),
        report=document,
        figures=list(_figures(document)),
    )


def text(document: Document) -> str:
    """Render the short form: verdict, checks and figures."""
    verdict = "PASSED" if document["passed"] else "MISSED"
    lines = [
        f"{document['experiment']['name']} in {document['account']}, {document['began_at']}: "
        f"{verdict}",
        "",
        *(
            f"  {'met ' if check['met'] else 'MISSED'}  {check['name']}: {check['measured']} "
            f"(expected: {check['expected']})"
            for check in document["checks"]
        ),
        *(f"  Why: {reason}" for reason in document["reasons"]),
        "",
        *(
            line
            for about, figures in _figures(document)
            for line in (f"  {about}", *(f"    {label}: {value}" for label, value in figures))
        ),
    ]
    return "\n".join([*lines, *([f"\n  {document['note']}"] if document["note"] else [])])


def _figures(document: Document) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for about, labels in FIGURES.items():
        yield about, [(label, _shown(document, path)) for path, label in labels.items()]


def _shown(document: Document, path: str) -> str:
    value: Any = document["figures"]
    for name in path.split("."):
        value = value[name]
    if value is None:
        return "not seen"
    if isinstance(value, list):
        return str(len(value))
    return f"{value:.1f} s" if path.endswith("_seconds") else str(value)
