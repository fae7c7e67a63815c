"""Made-up drills whose figures are known, because they were made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from drills.history import (
    Acknowledged,
    Attempt,
    Change,
    History,
    Kind,
    Lag,
    Moment,
    Row,
    Snapshot,
)

PRIMARY, STANDBY = "us-east-1", "us-west-2"
OWNER = "user#1"
STEP = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill as it is to be: seconds since its begin, operations by number."""

    fault: float = 10.0
    outage: float = 30.0
    healed: float = 60.0
    failback: float = 90.0
    end: float = 100.0
    missing_at_takeover: frozenset[int] = frozenset()
    lost: Mapping[str, frozenset[int]] = field(default_factory=dict)
    duplicates: frozenset[int] = frozenset()

    @property
    def takeover(self) -> float:
        """When the standby begins to serve."""
        return self.fault + self.outage


def attempt(number: int, at: float, region: str | None, status: int | None) -> Attempt:
    """A request that is answered a tenth of a second after it was due; every other one writes."""
    kind = Kind.CREATE if number % 2 else Kind.READ
    return Attempt(number, kind, "1", False, 1, at, at, at + 0.1, status, region)


def attempts(plan: Plan) -> list[Attempt]:
    """Four requests a second: the primary answers, then nobody, the standby, the primary."""
    made = []
    for number in range(int(plan.end / STEP)):
        at = number * STEP
        region = _serving(plan, at)
        made.append(attempt(number, at, region, (201 if number % 2 else 200) if region else 502))
    return made


def _serving(plan: Plan, at: float) -> str | None:
    if at < plan.fault or at >= plan.failback:
        return PRIMARY
    return STANDBY if at >= plan.takeover else None


def acknowledged(made: Sequence[Attempt]) -> list[Acknowledged]:
    """Give the journal of these requests."""
    return [
        Acknowledged(
            each.operation, each.kind, OWNER, f"item-{each.operation}", str(each.region), each.ended
        )
        for each in made
        if each.good and each.kind.writes
    ]


def rows(writes: Sequence[Acknowledged]) -> tuple[Row, ...]:
    """Give the rows that these creates made."""
    return tuple(Row(each.owner, each.item_id, each.operation) for each in writes)


def history(plan: Plan) -> History:
    """Make the drill that a plan asks for."""
    made = attempts(plan)
    writes = acknowledged(made)
    doubles = tuple(Row(OWNER, f"again-{number}", number) for number in sorted(plan.duplicates))
    before = [
        each
        for each in writes
        if each.at <= plan.takeover and each.operation not in plan.missing_at_takeover
    ]
    return History(
        PRIMARY,
        STANDBY,
        attempts=made,
        acknowledged=writes,
        moments={
            Moment.FAULT: plan.fault,
            Moment.TAKEOVER: plan.takeover,
            Moment.HEALED: plan.healed,
            Moment.FAILBACK: plan.failback,
            Moment.END: plan.end,
        },
        changes=_changes(plan),
        lags=(Lag(PRIMARY, STANDBY, 1.0, 1.0), Lag(STANDBY, PRIMARY, 2.0, 3.0)),
        at_takeover=Snapshot(plan.takeover, STANDBY, rows(before)),
        in_the_end=tuple(
            Snapshot(
                plan.end,
                region,
                rows([w for w in writes if w.operation not in plan.lost.get(region, ())]) + doubles,
            )
            for region in (PRIMARY, STANDBY)
        ),
    )


def _changes(plan: Plan) -> tuple[Change, ...]:
    ready = f"health check of {PRIMARY}.example.com/health/ready"
    return (
        Change(0.5, ready, "answers"),
        Change(plan.fault + 10, ready, "does not answer"),
        Change(plan.takeover - 1, "DNS: origin.example.com", STANDBY),
        Change(plan.healed + 10, ready, "answers"),
        Change(plan.failback - 1, "DNS: origin.example.com", PRIMARY),
    )


def with_conflict(base: History, *, apart: float, region: str = STANDBY) -> History:
    """Add two updates of one item, of which the earlier is gone in the end.

    The later one is a Region's own, so many seconds after the earlier, which the primary
    acknowledged half a second before the fault.
    """
    at = base.moments[Moment.FAULT] - 0.5
    earlier = Acknowledged(10_001, Kind.UPDATE, OWNER, "counter", PRIMARY, at)
    later = Acknowledged(10_002, Kind.UPDATE, OWNER, "counter", region, at + apart)
    counter = Row(OWNER, "counter", 0, frozenset({later.operation}))
    return replace(
        base,
        acknowledged=(*base.acknowledged, earlier, later),
        in_the_end=tuple(replace(s, rows=(*s.rows, counter)) for s in base.in_the_end),
    )
