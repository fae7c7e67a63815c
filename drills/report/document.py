"""The report as data: `report.json`, whose form `report.schema.json` fixes. Units are in the names.

Whoever reads it later, a page or a machine, needs nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import fastjsonschema

from drills.diagnosis import diagnose
from drills.experiment import Experiment
from drills.history import History
from drills.measure import figures
from drills.system import System
from drills.verdict import judge

Document = Mapping[str, Any]
SCHEMA = Path(__file__).parent / "report.schema.json"
FORMAT = 3
ON_THE_EMULATOR = (
    "Measured on the embedded AWS: the lag is its own setting, and nothing here "
    "is the network's or AWS's own. It shows that the parts work together, not how fast AWS is. "
    "What only an account can show is listed in docs/unproven-on-aws.md."
)


def build(experiment: Experiment, system: System, history: History, began: datetime) -> Document:
    """Measure, judge, and put the report together.

    Raises fastjsonschema's error when that breaks its own schema.
    """
    targets, seen = system.targets, figures(history)
    verdict = judge(experiment, seen, targets)
    document = {
        "format": FORMAT,
        "experiment": {
            "name": experiment.name,
            "hypothesis": experiment.hypothesis,
            "fault": experiment.fault,
            "proves": experiment.proves,
            "expects": str(experiment.expects),
            "prerequisites": list(experiment.prerequisites),
            "stop_conditions": list(experiment.stop_conditions),
        },
        "account": system.account.name,
        "note": ON_THE_EMULATOR if system.on_emulator else "",
        "regions": {"primary": system.primary, "standby": system.standby},
        "began_at": began.astimezone(UTC).isoformat(timespec="seconds"),
        "targets": {
            "failed_reads": targets.failed_reads,
            "slowest_read_seconds": targets.slowest_read_seconds,
            "rto_seconds": targets.rto_seconds,
            "rpo_seconds": targets.rpo_seconds,
            "lost_updates": targets.lost_updates,
            "limit_seconds": targets.limit_seconds,
            "health_check_interval_seconds": targets.interval_seconds,
            "health_check_threshold": targets.threshold,
            "record_ttl_seconds": targets.ttl_seconds,
        },
        "passed": verdict.passed,
        "checks": [asdict(check) for check in verdict.checks],
        "reasons": list(diagnose(experiment, seen)),
        "figures": asdict(seen),
        "timeline": _timeline(history),
        "alarms": [
            {"at_seconds": change.at, "alarm": change.subject, "state": change.seen}
            for change in history.alarms
        ],
        "requests_by_second": _by_second(history),
    }
    plain: Document = json.loads(json.dumps(document))
    _validator()(plain)
    return plain


def _timeline(history: History) -> list[dict[str, Any]]:
    moments = [{"at_seconds": at, "what": str(moment)} for moment, at in history.moments.items()]
    changes = [
        {"at_seconds": change.at, "what": f"{change.subject}: {change.seen}"}
        for change in history.changes
    ]
    return sorted((*moments, *changes), key=lambda each: float(str(each["at_seconds"])))


def _by_second(history: History) -> list[dict[str, Any]]:
    """Count reads and writes by the second in which they were due, and by what came of them."""
    last = int(max((each.due for each in history.attempts), default=0))
    rows = [
        {"second": second, "reads": _none_yet(), "writes": _none_yet()}
        for second in range(last + 1)
    ]
    for each in history.attempts:
        outcome = "primary" if each.region == history.primary else "standby"
        counted: Any = rows[int(each.due)]["writes" if each.kind.writes else "reads"]
        counted[outcome if each.good else "failed"] += 1
    return rows


def _none_yet() -> dict[str, int]:
    return {"primary": 0, "standby": 0, "failed": 0}


@cache
def _validator() -> Any:  # noqa: ANN401 - a function that fastjsonschema makes
    return fastjsonschema.compile(json.loads(SCHEMA.read_text()))
