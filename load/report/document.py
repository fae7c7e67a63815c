"""The report as data: `report.json`. Units are in the names.

Whoever reads it later, a page or a machine, needs nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from costs import arithmetic
from drills.system import System
from load import bill
from load.run import Seen
from load.size import Size
from load.tally import NOBODY, Second, joined, percentile
from load.targets import Targets
from load.usage import Usage
from load.verdict import judge

Document = Mapping[str, Any]
FORMAT = 1
# As many bars as the picture has room for.
MOST_BARS = 120
ON_THE_EMULATOR = (
    "Measured on the embedded AWS, beside all else that this machine does: it shows that the "
    "harness works and how far this machine goes, not how fast AWS is. Its capacity units are "
    "smaller than AWS's: a query is one unit whatever it reads, and what is replicated costs none."
)


def build(system: System, size: Size, targets: Targets, seen: Seen, began: datetime) -> Document:
    """Measure, judge, and put the report together."""
    figures = seen.tally.figures()
    verdict = judge(size, figures, targets)
    estimate = arithmetic.read()
    consumption = bill.measured(seen.usage) or bill.assumed(estimate)
    lines = list(bill.items(consumption, targets, estimate))
    document = {
        "format": FORMAT,
        "account": system.account.name,
        "note": ON_THE_EMULATOR if system.on_emulator else "",
        "regions": {"primary": system.primary, "standby": system.standby},
        "began_at": began.astimezone(UTC).isoformat(timespec="seconds"),
        "size": asdict(size),
        "objectives": {"availability": targets.availability, "latency_ms": targets.latency_ms},
        "passed": verdict.passed,
        "checks": [asdict(check) for check in verdict.checks],
        "figures": asdict(figures),
        "usage": {region: asdict(each) for region, each in seen.usage.items()},
        "throttles": _throttles(figures.throttled, seen.usage),
        "bill": {
            "prices_as_of": estimate.as_of,
            "dollars_per_million": sum(each.dollars for each in lines),
            "lines": [asdict(each) for each in lines],
        },
        **_over_time(seen.tally.seconds(), system.regions),
    }
    plain: Document = json.loads(json.dumps(document))
    return plain


def _throttles(answered_429: int, usage: Usage) -> dict[str, float]:
    """Everything that was throttled, by who says so; what was seen by none is left out."""
    found = {"requests answered with 429": float(answered_429)}
    for region, each in usage.items():
        found |= {f"{what} in {region}": number for what, number in each.throttles.items()}
    return {what: number for what, number in found.items() if number}


def _over_time(seconds: Sequence[Second], regions: Sequence[str]) -> dict[str, Any]:
    width = max(1, -(-len(seconds) // MOST_BARS))
    bars = [joined(seconds[at : at + width]) for at in range(0, len(seconds), width)]
    return {
        "seconds_a_bar": width,
        "bars": [
            {
                "second": index * width,
                "served": {name: each.served[name] for name in (*regions, NOBODY)},
                "failed": each.failed,
                "p50_seconds": percentile(waits, 50),
                "p99_seconds": percentile(waits, 99),
            }
            for index, each in enumerate(bars)
            for waits in [sorted(each.waits)]
        ],
    }
