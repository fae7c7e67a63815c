"""Where an apply's time went, unit by unit, out of Terragrunt's log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# 18:11:24.074 STDOUT [us-east-1/api] terraform: …
_LINE = re.compile(r"^(\d\d):(\d\d):(\d\d)\.\d+ \w+ +\[([^\]]+)\] (?:terraform: )?(.*)")
# Terraform's own clock for one resource, as 1m2s or 30s.
_DONE = re.compile(
    r"^(.+): (?:Creation|Modifications|Destruction) complete after (?:(\d+)m)?(\d+)s"
)
_DAY = 24 * 60 * 60
# A resource that takes longer is waited for: mostly it is the provider that asks at intervals.
WAIT_SECONDS = 5
SHOWN = 3


@dataclass(slots=True)
class UnitTimes:
    """One unit, in seconds after the first unit began."""

    name: str
    began: int
    planned: int | None = None
    done: int = 0
    changed: int = 0
    # What was waited for, and how long.
    waits: list[tuple[int, str]] = field(default_factory=list)

    def see(self, at: int, words: str) -> None:
        """Take one line of the unit's in."""
        self.done = at
        if words.startswith("Plan: "):
            self.planned = at
        resource = _DONE.search(words)
        if resource is None:
            return
        self.changed += 1
        took = int(resource[2] or 0) * 60 + int(resource[3])
        if took >= WAIT_SECONDS:
            self.waits.append((took, resource[1]))


def read(log: Iterable[str]) -> list[UnitTimes]:
    """Read a log's units, in the order in which they began."""
    units: dict[str, UnitTimes] = {}
    first: int | None = None
    for line in log:
        found = _LINE.match(line)
        if found is None:
            continue
        clock = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])
        first = clock if first is None else first
        at = (clock - first) % _DAY
        units.setdefault(found[4], UnitTimes(found[4], at)).see(at, found[5])
    return list(units.values())


def table(units: Iterable[UnitTimes]) -> str:
    """Render one line a unit; a unit that changed nothing has no time of a plan's."""
    rows = [("unit", "began", "planned", "done", "changed", "waited for")]
    rows += [
        (
            unit.name,
            str(unit.began),
            "" if unit.planned is None else str(unit.planned),
            str(unit.done),
            str(unit.changed),
            _waits(unit),
        )
        for unit in units
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        f"  {row[0]:<{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:5], widths[1:], strict=True))
        + f"  {row[5]}".rstrip()
        for row in rows
    )


def _waits(unit: UnitTimes) -> str:
    longest = sorted(unit.waits, reverse=True)
    more = len(longest) - SHOWN
    shown = ", ".join(f"{name} {took} s" for took, name in longest[:SHOWN])
    return shown + (f", {more} more" if more > 0 else "")
