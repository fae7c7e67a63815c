"""The report for people: one HTML file that needs nothing else, and a short form for terminals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from load.report import picture
from load.report.document import Document
from project.pages import render


def html(document: Document) -> str:
    """Render the page."""
    return render(
        Path(__file__).with_name("page.html"),
        picture.svg(document),
        report=document,
        counts=dict(_counts(document)),
    )


def text(document: Document) -> str:
    """Render the short form: verdict, checks, routes, throttles and cost."""
    size = document["size"]
    verdict = "MET" if document["passed"] else "MISSED"
    lines = [
        f"{size['users']} users, {size['rate']:g} requests a second for {size['minutes']:g} min in "
        f"{document['account']}, {document['began_at']}: {verdict}",
        "",
        *(
            f"  {'met ' if check['met'] else 'MISSED'}  {check['name']}: {check['measured']} "
            f"(expected: {check['expected']})"
            for check in document["checks"]
        ),
        "",
        *_routes(document),
        "",
        *(f"  {label}: {value}" for label, value in _counts(document)),
        *(f"  failed: {number} x {error}" for error, number in document["figures"]["errors"]),
        *(f"  throttled: {number:,.0f} {what}" for what, number in document["throttles"].items()),
    ]
    return "\n".join([*lines, *([f"\n  {document['note']}"] if document["note"] else [])])


def _routes(document: Document) -> Iterator[str]:
    yield f"  {'ms':<24} {'by':<12} {'sent':>7} {'failed':>7} {'p50':>7} {'p95':>7} {'p99':>7}"
    for each in document["figures"]["routes"]:
        waits = " ".join(
            f"{1000 * each[f'{share}_seconds']:>7,.0f}" for share in ("p50", "p95", "p99")
        )
        yield (
            f"  {each['route']:<24} {each['region']:<12} {each['requests']:>7,} "
            f"{each['failed']:>7,} {waits}"
        )


def _counts(document: Document) -> Iterator[tuple[str, str]]:
    figures, usage = document["figures"], document["usage"]
    yield "Requests", f"{figures['requests']:,}, {figures['failed']:,} failed"
    yield "of them tries after the first", f"{figures['retries']:,}"
    yield "of them answered with 304", f"{figures['not_modified']:,}"
    yield "Visits", f"{figures['visits']:,}, {figures['cut']} cut short at the end"
    yield "Writes", f"{figures['writes']:,}, {figures['unfinished']:,} not acknowledged"
    yield "Tokens renewed", f"{figures['refreshes']:,}, {figures['refreshes_failed']:,} failed"
    for region, each in usage.items():
        yield (
            f"CloudWatch, {region}",
            f"{each['invocations']:,.0f} calls, {each['read_units']:,.1f} read and "
            f"{each['write_units']:,.1f} write units",
        )
    yield "A million requests", f"${document['bill']['dollars_per_million']:,.2f}"
