"""The report for people: one HTML file that needs nothing else, and a short form for terminals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from drills.report import picture
from drills.report.document import Document

# Where each figure stands in the document, and what it says.
FIGURES = {
    ("timeline", "first_failure_seconds"): "First failed request, after the fault",
    ("timeline", "detection_seconds"): "Health check noticed",
    ("timeline", "dns_seconds"): "DNS changed",
    ("timeline", "first_success_in_standby_seconds"): "First success in the standby",
    ("timeline", "rto_reads_seconds"): "RTO for reads: good again",
    ("timeline", "rto_writes_seconds"): "RTO for writes: good again",
    ("timeline", "failback_seconds"): "Failback: served by the primary, after healing",
    ("timeline", "good_after_healing_seconds"): "Good again after healing",
    ("counts", "requests"): "Requests sent",
    ("counts", "acknowledged_writes"): "Writes acknowledged",
    ("counts", "failed_during_the_fault"): "Failed while the fault lasted",
    ("counts", "failed_after_healing"): "Failed after healing (what failback cost)",
    ("counts", "slowest_answer_seconds"): "Slowest answer",
    ("data_loss", "rpo_seconds"): "RPO",
    ("data_loss", "missing_at_takeover"): "Acknowledged, missing at takeover",
    ("data_loss", "missing_after_healing"): "Acknowledged, missing after healing",
    ("data_loss", "duplicates"): "Writes that made two items",
    ("data_loss", "overwritten"): "Updates overwritten by a conflict",
    ("replication", "lag_median_seconds"): "Replication lag before the fault, median",
    ("replication", "lag_max_seconds"): "Replication lag before the fault, longest",
    ("replication", "catch_up_seconds"): "Replication caught up after healing",
}


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
    page = environment.get_template("page.html")
    return page.render(report=document, picture=drawn, figures=list(_figures(document)))


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
        *(f"  {name}: {value}" for name, value in _figures(document)),
    ]
    return "\n".join([*lines, *([f"\n  {document['note']}"] if document["note"] else [])])


def _figures(document: Document) -> Iterator[tuple[str, str]]:
    for (group, name), label in FIGURES.items():
        yield label, _shown(name, document["figures"][group][name])


def _shown(name: str, value: object) -> str:
    if value is None:
        return "not seen"
    if isinstance(value, list):
        return str(len(value))
    return f"{value:.1f} s" if name.endswith("_seconds") else str(value)
