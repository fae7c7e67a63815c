"""The report as data: `report.json`. Units are in the names; it is all that a reader needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from project.account import LOCAL
from releases.canary import Sighting
from releases.ledger import iso
from releases.story import Story
from releases.versions import KINDS

Document = Mapping[str, Any]
FORMAT = 1
ON_THE_EMULATOR = (
    "Measured on the embedded AWS, whose metrics are there at once. What only an account can show "
    "is listed in docs/unproven-on-aws.md."
)


def build(story: Story, account: str, region: str, canary_percent: float) -> Document:
    """Put the report of a release together."""
    document = {
        "format": FORMAT,
        "account": account,
        "region": region,
        "note": ON_THE_EMULATOR if account == LOCAL else "",
        "began_at": iso(story.began),
        "outcome": story.outcome,
        "reason": story.reason,
        "versions": {
            "before": asdict(story.before) if story.before else None,
            "new": asdict(story.target) if story.target else None,
        },
        "canary_percent": canary_percent,
        "shares": [
            {"at_seconds": round(at - story.began, 1), "share": share} for at, share in story.shares
        ],
        "seen": [row for sighting in story.sightings for row in _rows(sighting, story)],
        "timeline": [
            {"at_seconds": round(at - story.began, 1), "what": what} for at, what in story.told
        ],
    }
    plain: Document = json.loads(json.dumps(document))
    return plain


def _rows(sighting: Sighting, story: Story) -> Iterator[dict[str, Any]]:
    """What each version had done by then, since the canary began."""
    for kind in KINDS:
        for version, counts in sorted(sighting.counts[kind].items()):
            new = story.target is not None and version == story.target.of(kind)
            yield {
                "at_seconds": round(sighting.at - story.began, 1),
                "function": kind,
                "version": version,
                "is_new": new,
                "calls": counts.calls,
                "failures": counts.failures,
                "median_ms": counts.median_ms,
            }


def last_seen(document: Document) -> list[dict[str, Any]]:
    """The last that was seen of each version."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for row in document["seen"]:
        rows[row["function"], row["version"]] = row
    return list(rows.values())
