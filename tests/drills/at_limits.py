"""Drills at the limit of each check: all is well in one, and its twin misses that check alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from drills.history import Attempt, Change, History, Kind
from tests.drills.histories import (
    PRIMARY,
    STANDBY,
    Handover,
    Plan,
    handover,
    held_up,
    history,
    nobody,
    stayed,
)

# The fault lasts long enough to be looked at for five seconds after writes are good again.
LONG = Plan(healed=70.0, failback=100.0, end=110.0)
# A hundred requests end before it.
LATE_FAULT = Plan(fault=25.25, healed=75.25, failback=105.0, end=115.0)
# Both Regions are good again only after healing, and are looked at for long.
BOTH_LOST_FOR_LONG = Plan(outage=50.0, read_outage=50.0, failback=60.0, end=120.0)


def one(**given: Any) -> Attempt:
    """A read before the fault that is answered in time, but for what is given."""
    read = Attempt(20_000, Kind.READ, "1", True, 1, 1.0, 1.0, 1.1, 200, PRIMARY)
    return replace(read, **given)


def more(seen: History, *attempts: Attempt) -> History:
    return replace(seen, attempts=(*seen.attempts, *attempts))


def failing(seen: History, *dues: float) -> History:
    """The writes that were due then fail."""
    attempts = [replace(a, status=502) if a.due in dues else a for a in seen.attempts]
    assert sum(a.due in dues and a.kind.writes for a in attempts) == len(dues)
    return replace(seen, attempts=attempts)


def asked(number: int) -> History:
    """So many requests in all: the writes and reads that decide, and reads of before the fault."""
    seen = history(Plan())
    writes = [a for a in seen.attempts if a.kind.writes and a.due in {0.25, 40.25, 46.25, 90.25}]
    reads = [a for a in seen.attempts if a.kind is Kind.READ]
    kept = [*writes, *[a for a in reads if seen.fault <= a.due < seen.healed][::3]]
    early = [a for a in reads if a.due < seen.fault - 1][: number - len(kept)]
    assert len(kept) + len(early) == number
    return replace(seen, attempts=[*kept, *early])


def acknowledged_only(number: int) -> History:
    seen = history(Plan())
    return replace(seen, acknowledged=seen.acknowledged[:number])


def reads_during(number: int) -> History:
    """So many reads are under way while the fault lasts."""
    seen = history(Plan())
    during = [
        a
        for a in seen.attempts
        if a.kind is Kind.READ and a.ended >= seen.fault and a.due < seen.healed
    ]
    return replace(seen, attempts=[a for a in seen.attempts if a not in during[number:]])


def taken(at: float) -> History:
    """The standby's replica is read then, and lacks nothing."""
    seen = history(Plan())
    assert seen.at_takeover
    return replace(seen, at_takeover=replace(seen.at_takeover, at=at))


def read_in_the_end(*regions: str) -> History:
    seen = history(Plan())
    return replace(seen, in_the_end=[each for each in seen.in_the_end if each.region in regions])


def in_primary_until(due: float) -> History:
    """Writes are taken again after 30 s, and until then by the primary."""
    seen = history(LONG)
    attempts = [
        replace(a, region=PRIMARY) if a.kind.writes and a.region == STANDBY and a.due < due else a
        for a in seen.attempts
    ]
    return replace(seen, attempts=attempts)


def updates(number: int) -> History:
    """A planned move with so many updates, those that were refused among them."""
    seen = handover(Handover())
    refused = {a.operation for a in seen.attempts if a.refused}
    dues = (36.0, 42.0, 55.0, 70.0, 86.0, 90.0, 94.0, 98.0, 1.0, 5.0)[: number - len(refused)]
    kept = refused | {a.operation for a in seen.attempts if a.kind.writes and a.due in dues}
    assert len(kept) == number
    return replace(
        seen,
        attempts=[a for a in seen.attempts if a.kind is Kind.READ or a.operation in kept],
        acknowledged=[w for w in seen.acknowledged if w.operation in kept],
    )


def unacknowledged(number: int) -> History:
    """A planned move in which so many refused updates were never acknowledged."""
    seen = handover(Handover())
    refused = sorted({a.operation for a in seen.attempts if a.refused})[:number]
    left = [w for w in seen.acknowledged if w.operation not in refused]
    return replace(seen, acknowledged=left)


def wrote(region: str, at: float) -> History:
    """A planned move in which a Region writes once more."""
    seen = handover(Handover())
    late = replace(seen.acknowledged[0], region=region, at=at)
    return replace(seen, acknowledged=(*seen.acknowledged, late))


def conflicting() -> History:
    """A planned move in which an update is lost beside one of the other Region."""
    seen = handover(Handover())
    lost = next(each for each in seen.acknowledged if each.at > Handover().dns - 1)
    gone = tuple(
        replace(s, rows=tuple(replace(r, updates=r.updates - {lost.operation}) for r in s.rows))
        for s in seen.in_the_end
    )
    return replace(seen, in_the_end=gone)


def served(seen: History, due: float) -> History:
    """The standby takes a write that is due then."""
    write = one(kind=Kind.CREATE, due=due, sent=due, ended=due + 0.1, status=201, region=STANDBY)
    return more(seen, write)


def moved(seen: History, at: float) -> History:
    return replace(seen, changes=(Change(at, "DNS: origin.example.com", STANDBY),))


def unanswered(number: int) -> History:
    return more(nobody(), *[one(due=20.0, sent=20.0, ended=20.1, status=None)] * number)


def clear_error_after(seconds: float) -> History:
    return more(nobody(), one(due=20.0, sent=20.0, ended=20.0 + seconds, status=502))


# A drill's name, a history just inside a check's limit, one just outside, and the check.
# Limits are those of test_verdict.py, which holds the figures themselves to them; the requests of
# these histories are 0.25 s apart, and each is answered after 0.1 s.
HISTORIES = [
    ("region-lost", asked(50), asked(49), "Requests sent"),
    ("region-lost", acknowledged_only(1), acknowledged_only(0), "Writes acknowledged"),
    ("region-lost", reads_during(20), reads_during(19), "Reads while the fault lasted"),
    (
        "region-lost",
        failing(history(LATE_FAULT), 0.25),
        failing(history(LATE_FAULT), 0.25, 0.75),
        "Good answers before the fault",
    ),
    (
        "region-lost",
        more(history(Plan()), one(sent=3.0, ended=3.1)),
        more(history(Plan()), one(sent=3.001, ended=3.1)),
        "Latest start of a request",
    ),
    ("region-lost", taken(10.0), taken(9.9), "Standby's replica read at takeover"),
    *(
        (
            "region-lost",
            read_in_the_end(PRIMARY, STANDBY),
            read_in_the_end(region),
            "Replicas read in the end",
        )
        for region in (PRIMARY, STANDBY)
    ),
    ("region-lost", history(Plan()), history(Plan(read_outage=0.25)), "Failed reads"),
    (
        "region-lost",
        more(history(Plan()), one(ended=6.0)),
        more(history(Plan()), one(ended=6.001)),
        "Slowest read",
    ),
    (
        "region-lost",
        in_primary_until(55.75),
        in_primary_until(56.0),
        "First write in the standby",
    ),
    ("region-lost", failing(history(LONG), 55.25), failing(history(LONG), 55.75), "RTO for writes"),
    (
        "region-lost",
        history(Plan(failback=128.5, end=140.0)),
        history(Plan(failback=129.0, end=140.0)),
        "Failback of writes",
    ),
    (
        "region-lost",
        history(Plan(missing_at_takeover=frozenset({21}))),
        history(Plan(missing_at_takeover=frozenset({19}))),
        "RPO",
    ),
    *(
        (
            "region-lost",
            history(Plan()),
            history(Plan(lost={region: frozenset({3})})),
            "Acknowledged writes missing after healing",
        )
        for region in (PRIMARY, STANDBY)
    ),
    (
        "region-lost",
        history(Plan()),
        history(Plan(duplicates=frozenset({3}))),
        "Writes that made two items",
    ),
    ("takeover", updates(50), updates(49), "Updates acknowledged"),
    (
        "takeover",
        handover(Handover(refused=0.25)),
        handover(Handover(refused=0.0)),
        "Writes refused by a Region that may not write",
    ),
    (
        "takeover",
        handover(Handover(refused=14.75)),
        handover(Handover(refused=15.0)),
        "Writes refused at a stretch",
    ),
    (
        "takeover",
        unacknowledged(0),
        unacknowledged(1),
        "Writes that no retry brought to an end",
    ),
    ("takeover", wrote(PRIMARY, 38.0), wrote(PRIMARY, 38.2), "Both Regions wrote, at takeover"),
    ("takeover", wrote(STANDBY, 88.0), wrote(STANDBY, 88.2), "Both Regions wrote, at failback"),
    ("takeover", handover(Handover()), conflicting(), "Lost updates"),
    (
        "takeover",
        handover(Handover(dns=65.75, healing=90.0, dns_back=110.0, end=130.0)),
        handover(Handover(dns=66.0, healing=90.0, dns_back=110.0, end=130.0)),
        "First write in the standby",
    ),
    (
        "takeover",
        handover(Handover(dns_back=123.75, end=145.0)),
        handover(Handover(dns_back=124.0, end=145.0)),
        "Failback of writes",
    ),
    ("flapping", served(stayed(), 60.0), served(stayed(), 59.9), "Writes in the standby"),
    (
        "replication-paused",
        served(held_up(), 60.0),
        served(held_up(), 59.9),
        "Writes in the standby",
    ),
    ("flapping", moved(stayed(), 60.0), moved(stayed(), 59.9), "DNS"),
    (
        "flapping",
        failing(stayed(), 71.25),
        failing(stayed(), 71.75),
        "Good again after healing",
    ),
    (
        "replication-paused",
        held_up(),
        replace(held_up(), lags=held_up().lags[:-1]),
        "Markers that the fault held up",
    ),
    (
        "replication-paused",
        held_up(),
        failing(held_up(), 20.25),
        "Writes that the fault failed",
    ),
    (
        "both-lost",
        more(nobody(), one(ended=13.0)),
        more(nobody(), one(ended=13.001)),
        "Slowest answer",
    ),
    ("both-lost", unanswered(0), unanswered(1), "Requests that failed without an answer"),
    ("both-lost", clear_error_after(7.0), clear_error_after(7.001), "Time to a clear error"),
    (
        "both-lost",
        failing(history(BOTH_LOST_FOR_LONG), 105.25),
        failing(history(BOTH_LOST_FOR_LONG), 105.75),
        "Good again after healing",
    ),
]
