"""From what a drill saw to its figures. Pure: a history in, numbers out.

What the figures mean is written beside each; docs/testing-guide.md explains them to readers.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from drills.history import Acknowledged, Attempt, History, Kind, Moment, Row

# Service is good again from the first request on after which so much of this long was good.
GOOD_SHARE = 0.99
GOOD_SECONDS = 5.0
# Two Regions that wrote the same item within this time could not know of each other's write.
CONFLICT_SECONDS = 10.0

Condition = Callable[[Attempt], bool]


@dataclass(frozen=True, slots=True)
class Overwritten:
    """An acknowledged update that a conflict between the Regions took away again, and why."""

    operation: int
    because: str


@dataclass(frozen=True, slots=True)
class DataLoss:
    """What became of acknowledged writes; each named by its operation's number."""

    missing_at_takeover: tuple[int, ...]
    rpo_seconds: float
    missing_after_healing: tuple[int, ...]
    duplicates: tuple[int, ...]
    overwritten: tuple[Overwritten, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """When users noticed what; None for what never came. Seconds since the fault or the healing."""

    first_failure_seconds: float | None
    detection_seconds: float | None
    dns_seconds: float | None
    first_success_in_standby_seconds: float | None
    rto_reads_seconds: float | None
    rto_writes_seconds: float | None
    failback_seconds: float | None
    good_after_healing_seconds: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, retries included. Shares are of the requests in that time."""

    requests: int
    acknowledged_writes: int
    failed: int
    failed_before_the_fault: int
    failed_during_the_fault: int
    failed_after_healing: int
    good_share_before_the_fault: float
    served_by_standby_during_the_fault: int
    slowest_answer_seconds: float
    latest_start_seconds: float


@dataclass(frozen=True, slots=True)
class Replication:
    """How late markers arrived: before the fault, and the last of all after the healing."""

    lag_median_seconds: float | None
    lag_max_seconds: float | None
    catch_up_seconds: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a drill's verdict is made from."""

    timeline: Timeline
    counts: Counts
    data_loss: DataLoss
    replication: Replication


def figures(history: History) -> Figures:
    """Work a drill's figures out."""
    return Figures(timeline(history), counts(history), data_loss(history), replication(history))


def timeline(history: History) -> Timeline:
    """Find when what happened. A drill that made no fault has no timeline."""
    fault = history.first(Moment.FAULT)
    if fault is None:
        return Timeline(None, None, None, None, None, None, None, None)
    healed = history.first(Moment.HEALED)
    until = healed if healed is not None else _end(history)
    during = [each for each in history.attempts if fault <= each.due < until]

    def after_fault(at: float | None) -> float | None:
        return None if at is None else at - fault

    def in_standby(each: Attempt) -> bool:
        return each.good and each.region == history.standby

    return Timeline(
        first_failure_seconds=after_fault(_first(during, lambda each: not each.good)),
        detection_seconds=after_fault(
            _changed(history, f"{history.primary}.", "does not answer", fault, until)
            or _changed(history, "/health/takeover", "answers", fault, until)
        ),
        dns_seconds=after_fault(_changed(history, "DNS", history.standby, fault, until)),
        first_success_in_standby_seconds=after_fault(_first(during, in_standby)),
        rto_reads_seconds=after_fault(_good_again(during, lambda each: not each.kind.writes)),
        rto_writes_seconds=after_fault(_good_again(during, lambda each: each.kind.writes)),
        **_after_healing(history, healed),
    )


def _after_healing(history: History, healed: float | None) -> dict[str, float | None]:
    if healed is None:
        return {"failback_seconds": None, "good_after_healing_seconds": None}
    after = [each for each in history.attempts if each.due >= healed]
    back = _first(after, lambda each: each.good and each.region == history.primary)
    good = _good_again(after, lambda _each: True)
    return {
        "failback_seconds": None if back is None else back - healed,
        "good_after_healing_seconds": None if good is None else good - healed,
    }


def _first(attempts: Iterable[Attempt], condition: Condition) -> float | None:
    return min((each.ended for each in attempts if condition(each)), default=None)


def _good_again(attempts: Sequence[Attempt], condition: Condition) -> float | None:
    """When the first request was answered from which on service was good.

    Where it always was, that is when the first was due. Only first tries count: a retry says how a
    client waits, not how the service is.
    """
    tries = sorted((a for a in attempts if a.number == 1 and condition(a)), key=lambda a: a.due)
    for index, each in enumerate(tries):
        if each.good and _stays_good(tries[index:], each.due):
            return each.due if index == 0 else each.ended
    return None


def _stays_good(tries: Sequence[Attempt], since: float) -> bool:
    window = [each for each in tries if each.due < since + GOOD_SECONDS]
    return sum(each.good for each in window) >= GOOD_SHARE * len(window)


def _changed(history: History, subject: str, seen: str, since: float, until: float) -> float | None:
    times = (
        change.at
        for change in history.changes
        if subject in change.subject and change.seen == seen and since <= change.at < until
    )
    return min(times, default=None)


def _end(history: History) -> float:
    return max((each.ended for each in history.attempts), default=0.0) + 1.0


def counts(history: History) -> Counts:
    """Count requests before the fault, while it lasted, and after it was healed."""
    fault = history.first(Moment.FAULT)
    fault = _end(history) if fault is None else fault
    healed = history.first(Moment.HEALED)
    healed = _end(history) if healed is None else healed
    # What was under way when the fault came, the fault may have spoilt.
    before = [each for each in history.attempts if each.ended < fault]
    during = [each for each in history.attempts if fault <= each.ended and each.due < healed]
    after = [each for each in history.attempts if each.due >= max(fault, healed)]
    return Counts(
        requests=len(history.attempts),
        acknowledged_writes=len(history.acknowledged),
        failed=_failed(history.attempts),
        failed_before_the_fault=_failed(before),
        failed_during_the_fault=_failed(during),
        failed_after_healing=_failed(after),
        good_share_before_the_fault=1 - _failed(before) / len(before) if before else 0.0,
        served_by_standby_during_the_fault=sum(
            each.good and each.region == history.standby for each in during
        ),
        slowest_answer_seconds=max(
            (each.ended - each.sent for each in history.attempts), default=0
        ),
        latest_start_seconds=max((each.sent - each.due for each in history.attempts), default=0),
    )


def _failed(attempts: Iterable[Attempt]) -> int:
    return sum(not each.good for each in attempts)


def data_loss(history: History) -> DataLoss:
    """Compare the journal with each Region's replica, at takeover and in the end."""
    missing = _missing_at_takeover(history)
    absent = _absent_in_the_end(history)
    overwritten = _overwritten(history, absent)
    explained = {each.operation for each in overwritten}
    return DataLoss(
        missing_at_takeover=tuple(sorted({each.operation for each in missing})),
        rpo_seconds=_rpo(history, missing),
        missing_after_healing=tuple(
            sorted({each.operation for each in absent} - explained),
        ),
        duplicates=_duplicates(history),
        overwritten=overwritten,
    )


def _stands(row: Row | None, write: Acknowledged) -> bool:
    if row is None:
        return False
    return write.kind is Kind.CREATE or write.operation in row.updates


def _missing_from(rows: Iterable[Row], writes: Iterable[Acknowledged]) -> list[Acknowledged]:
    rows_by_key = {(row.owner, row.item_id): row for row in rows}
    return [
        each for each in writes if not _stands(rows_by_key.get((each.owner, each.item_id)), each)
    ]


def _missing_at_takeover(history: History) -> list[Acknowledged]:
    taken = history.at_takeover
    if taken is None:
        return []
    left = [
        each for each in history.acknowledged if each.region != taken.region and each.at <= taken.at
    ]
    return _missing_from(taken.rows, left)


def _rpo(history: History, missing: Sequence[Acknowledged]) -> float:
    """Seconds from the oldest missing write to the end of the Region that was left.

    Its end is its last acknowledgement, or the fault where that came later.
    """
    taken = history.at_takeover
    if not missing or taken is None:
        return 0.0
    last = max(
        each.at
        for each in history.acknowledged
        if each.region != taken.region and each.at <= taken.at
    )
    fault = history.first(Moment.FAULT) or 0.0
    return max(last, fault) - min(each.at for each in missing)


def _absent_in_the_end(history: History) -> list[Acknowledged]:
    absent = {
        each
        for snapshot in history.in_the_end
        for each in _missing_from(snapshot.rows, history.acknowledged)
    }
    return sorted(absent, key=lambda each: each.operation)


def _duplicates(history: History) -> tuple[int, ...]:
    found: set[int] = set()
    for snapshot in history.in_the_end:
        # A counter, which no operation made, says 0.
        made = Counter(row.created_by for row in snapshot.rows if row.created_by)
        found |= {operation for operation, times in made.items() if times > 1}
    return tuple(sorted(found))


def _overwritten(history: History, absent: Iterable[Acknowledged]) -> tuple[Overwritten, ...]:
    """Those absent updates that the other Region couldn't know of when it wrote the same item."""
    found = []
    for lost in absent:
        rival = _rival(history, lost) if lost.kind is Kind.UPDATE else None
        if rival:
            found.append(Overwritten(lost.operation, _because(history, lost, rival)))
    return tuple(found)


def _rival(history: History, lost: Acknowledged) -> Acknowledged | None:
    others = (
        each
        for each in history.acknowledged
        if each.kind is Kind.UPDATE
        and (each.owner, each.item_id) == (lost.owner, lost.item_id)
        and each.region != lost.region
        and _unaware(history, lost.at, each.at)
    )
    return min(others, key=lambda each: each.at, default=None)


def _unaware(history: History, lost_at: float, rival_at: float) -> bool:
    if abs(rival_at - lost_at) <= CONFLICT_SECONDS:
        return True
    fault, healed = history.first(Moment.FAULT), history.first(Moment.HEALED)
    if fault is None or healed is None:
        return False
    earliest, latest = sorted((lost_at, rival_at))
    return fault - CONFLICT_SECONDS <= earliest and latest <= healed + CONFLICT_SECONDS


def _because(history: History, lost: Acknowledged, rival: Acknowledged) -> str:
    fault = history.first(Moment.FAULT) or 0.0
    return (
        f"{lost.region} acknowledged it {lost.at - fault:+.2f} s from the fault; it had not "
        f"reached {rival.region} when that wrote the same item (operation {rival.operation}, "
        f"{rival.at - fault:+.2f} s), and the last writer wins"
    )


def replication(history: History) -> Replication:
    """Median and longest lag of the markers that were sent and came before the fault."""
    fault = history.first(Moment.FAULT)
    fault = _end(history) if fault is None else fault
    calm = [
        each.seconds
        for each in history.lags
        if each.seconds is not None and each.sent + each.seconds < fault
    ]
    return Replication(
        lag_median_seconds=statistics.median(calm) if calm else None,
        lag_max_seconds=max(calm, default=None),
        catch_up_seconds=_catch_up(history),
    )


def _catch_up(history: History) -> float | None:
    """From the healing until the last marker of before it had come; None when one never came."""
    healed = history.first(Moment.HEALED)
    if healed is None:
        return None
    before = [each for each in history.lags if each.sent < healed]
    if any(each.seconds is None for each in before):
        return None
    arrived = (each.sent + each.seconds for each in before if each.seconds is not None)
    return max(0.0, max(arrived, default=healed) - healed)
