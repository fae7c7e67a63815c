"""Made-up drills whose figures are known, because they were made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
# The item that updates go to; no operation made it.
COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill as it is to be: seconds since its begin, operations by number.

    `outage` is that of writes. Reads find the standby within the request, but for `read_outage`.
    """

    fault: float = 10.0
    outage: float = 30.0
    read_outage: float = 0.0
    healed: float = 60.0
    failback: float = 90.0
    end: float = 100.0
    missing_at_takeover: frozenset[int] = frozenset()
    lost: Mapping[str, frozenset[int]] = field(default_factory=dict)
    duplicates: frozenset[int] = frozenset()

    @property
    def takeover(self) -> float:
        """When the standby begins to take writes."""
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
        outage = plan.outage if number % 2 else plan.read_outage
        region = _serving(plan, at, outage)
        made.append(attempt(number, at, region, (201 if number % 2 else 200) if region else 502))
    return made


def _serving(plan: Plan, at: float, outage: float) -> str | None:
    if at < plan.fault or at >= plan.failback:
        return PRIMARY
    return STANDBY if at >= plan.fault + outage else None


def acknowledged(made: Sequence[Attempt]) -> list[Acknowledged]:
    """Give the journal of these requests."""
    return [
        Acknowledged(each.operation, each.kind, OWNER, _item(each), str(each.region), each.ended)
        for each in made
        if each.good and each.kind.writes
    ]


def _item(each: Attempt) -> str:
    return COUNTER if each.kind is Kind.UPDATE else f"item-{each.operation}"


def rows(writes: Sequence[Acknowledged]) -> tuple[Row, ...]:
    """Give the rows that these writes left, the counter with its updates among them."""
    updates = frozenset(each.operation for each in writes if each.kind is Kind.UPDATE)
    counter = (Row(OWNER, COUNTER, 0, updates),) if updates else ()
    creates = (each for each in writes if each.kind is Kind.CREATE)
    return tuple(Row(each.owner, each.item_id, each.operation) for each in creates) + counter


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
    return with_updates(base, -0.5, -0.5 + apart, region)


def with_updates(base: History, lost: float, rival: float, region: str = STANDBY) -> History:
    """Add two updates of one item, seconds from the fault; the primary's, the first, is gone.

    Both replicas hold the second alone.
    """
    fault = base.moments[Moment.FAULT]
    earlier = Acknowledged(10_001, Kind.UPDATE, OWNER, COUNTER, PRIMARY, fault + lost)
    later = Acknowledged(10_002, Kind.UPDATE, OWNER, COUNTER, region, fault + rival)
    counter = Row(OWNER, COUNTER, 0, frozenset({later.operation}))
    return replace(
        base,
        acknowledged=(*base.acknowledged, earlier, later),
        in_the_end=tuple(replace(s, rows=(*s.rows, counter)) for s in base.in_the_end),
    )


@dataclass(frozen=True, slots=True)
class Handover:
    """A planned move and its failback; seconds since the drill's begin.

    Writes are refused for `refused` seconds each way. For `both_write` seconds after DNS named the
    other Region, the one that was left takes every other write all the same.
    """

    fault: float = 10.0
    dns: float = 30.0
    healing: float = 60.0
    dns_back: float = 80.0
    end: float = 100.0
    refused: float = 5.0
    both_write: float = 0.0
    lost: frozenset[int] = frozenset()


def handover(plan: Handover) -> History:
    """Make a planned move under four updates and two reads a second, with retries of both ways."""
    made = list(_handed_over(plan))
    writes = acknowledged(made)
    kept = [each for each in writes if each.operation not in plan.lost]
    at_takeover = [each for each in kept if each.at <= plan.dns + plan.refused]
    return History(
        PRIMARY,
        STANDBY,
        attempts=made,
        acknowledged=writes,
        moments={
            Moment.FAULT: plan.fault,
            Moment.TAKEOVER: plan.dns + plan.refused + 1,
            Moment.HEALING: plan.healing,
            Moment.HEALED: plan.healing + 1,
            Moment.FAILBACK: plan.dns_back + plan.refused + 1,
            Moment.END: plan.end,
        },
        changes=(
            Change(
                plan.fault + 10, f"health check of {STANDBY}.example.com/health/takeover", "answers"
            ),
            Change(plan.dns, "DNS: origin.example.com", STANDBY),
            Change(plan.dns_back, "DNS: origin.example.com", PRIMARY),
        ),
        lags=tuple(
            Lag(source, target, 5.0 * number, 1.0)
            for number in range(int(plan.end / 5))
            for source, target in ((PRIMARY, STANDBY), (STANDBY, PRIMARY))
        ),
        at_takeover=Snapshot(plan.dns + plan.refused, STANDBY, rows(at_takeover)),
        in_the_end=tuple(Snapshot(plan.end, region, rows(kept)) for region in (PRIMARY, STANDBY)),
    )


def _handed_over(plan: Handover) -> Iterator[Attempt]:
    for number in range(1, int(plan.end / STEP)):
        at = number * STEP
        region = STANDBY if plan.dns <= at < plan.dns_back else PRIMARY
        if number % 2:
            yield Attempt(10_000 + number, Kind.READ, "1", True, 1, at, at, at + 0.1, 200, region)
        left = STANDBY if region == PRIMARY else PRIMARY
        for moved in (plan.dns, plan.dns_back):
            if moved <= at < moved + plan.both_write and number % 2:
                region = left
            elif moved <= at < moved + plan.refused:
                yield _update(number, 1, at, 503, region)
                again = max(at, moved + plan.refused)
                yield _update(number, 2, again, 200, region)
                break
        else:
            yield _update(number, 1, at, 200, region)


def _update(number: int, tried: int, at: float, status: int, region: str) -> Attempt:
    return Attempt(number, Kind.UPDATE, "1", True, tried, at, at, at + 0.1, status, region)


def stayed() -> History:
    """A drill in which the primary came back before users moved; reads found the standby."""
    moved = history(Plan(outage=50.0))
    at_home = [
        replace(each, region=PRIMARY) if each.good and each.kind.writes else each
        for each in moved.attempts
    ]
    back = [
        replace(each, region=PRIMARY, status=201)
        if each.kind.writes and each.due >= Plan().healed
        else each
        for each in at_home
    ]
    return replace(moved, attempts=back, changes=(), at_takeover=None)


def nobody() -> History:
    """A drill in which nobody served from 10 to 60 s, and errors came at once."""
    return history(Plan(outage=50.0, read_outage=50.0, failback=60.0))


def held_up() -> History:
    """A drill in which nothing replicated from 10 to 60 s, and users noticed nothing."""
    whole = history(Plan(outage=0.0, failback=10.0))
    markers = tuple(
        Lag(source, target, sent, 61.0 - sent)
        for sent in (10.0, 20.0, 30.0, 40.0, 50.0)
        for source, target in ((PRIMARY, STANDBY), (STANDBY, PRIMARY))
    )
    return replace(whole, changes=(), lags=(*whole.lags, *markers), at_takeover=None)
