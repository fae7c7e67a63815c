"""What became of acknowledged writes: the journal held against each Region's replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drills.history import Acknowledged, History, Kind, Row

# Two Regions that wrote the same item within this time could not know of each other's write.
CONFLICT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Overwritten:
    """An acknowledged update that a conflict between the Regions took away again, and why."""

    operation: int
    because: str


@dataclass(frozen=True, slots=True)
class DataLoss:
    """What became of acknowledged writes; each named by its operation's number.

    `lost_updates` are all that are gone in the end, whether a conflict explains it or not.
    """

    missing_at_takeover: tuple[int, ...]
    rpo_seconds: float
    missing_after_healing: tuple[int, ...]
    duplicates: tuple[int, ...]
    lost_updates: tuple[int, ...]
    overwritten: tuple[Overwritten, ...]


def data_loss(history: History) -> DataLoss:
    """Compare the journal with each Region's replica, at takeover and in the end."""
    missing = _missing_at_takeover(history)
    absent = _absent_in_the_end(history)
    overwritten = _overwritten(history, absent)
    explained = {each.operation for each in overwritten}
    return DataLoss(
        missing_at_takeover=_operations(missing),
        rpo_seconds=_rpo(history, missing),
        missing_after_healing=_operations(
            each for each in absent if each.operation not in explained
        ),
        duplicates=_duplicates(history),
        lost_updates=_operations(each for each in absent if each.kind is Kind.UPDATE),
        overwritten=overwritten,
    )


def _operations(writes: Iterable[Acknowledged]) -> tuple[int, ...]:
    return tuple(sorted({each.operation for each in writes}))


def _stands(row: Row | None, write: Acknowledged) -> bool:
    if row is None:
        return False
    return write.kind is Kind.CREATE or write.operation in row.updates


def _missing_from(rows: Iterable[Row], writes: Iterable[Acknowledged]) -> list[Acknowledged]:
    rows_by_key = {(row.owner, row.item_id): row for row in rows}
    return [
        each for each in writes if not _stands(rows_by_key.get((each.owner, each.item_id)), each)
    ]


def _left_behind(history: History) -> list[Acknowledged]:
    """What the Region that was left had acknowledged when the other's replica was read."""
    taken = history.at_takeover
    if taken is None:
        return []
    return [
        each for each in history.acknowledged if each.region != taken.region and each.at <= taken.at
    ]


def _missing_at_takeover(history: History) -> list[Acknowledged]:
    taken = history.at_takeover
    return _missing_from(taken.rows, _left_behind(history)) if taken else []


def _rpo(history: History, missing: Sequence[Acknowledged]) -> float:
    """Seconds from the oldest missing write to the end of the Region that was left.

    Its end is its last acknowledgement, or the fault where that came later.
    """
    if not missing:
        return 0.0
    last = max(each.at for each in _left_behind(history))
    return max(last, history.fault) - min(each.at for each in missing)


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
        and _unaware(history, *sorted((lost, each), key=lambda write: write.at))
    )
    return min(others, key=lambda each: each.at, default=None)


def _unaware(history: History, earlier: Acknowledged, later: Acknowledged) -> bool:
    """Whether the later write's Region couldn't have the earlier one yet.

    Beyond the usual lag only while replication stood still: the fault, and no sign of the contrary.
    """
    if later.at - earlier.at <= CONFLICT_SECONDS:
        return True
    return (
        history.fault - CONFLICT_SECONDS <= earlier.at
        and later.at <= history.healed + CONFLICT_SECONDS
        and not _overtaken(history, earlier, later)
    )


def _overtaken(history: History, earlier: Acknowledged, later: Acknowledged) -> bool:
    """Whether a marker sent after the earlier write was there well before the later one."""
    return any(
        marker.source == earlier.region
        and marker.target == later.region
        and marker.sent >= earlier.at
        and marker.arrived is not None
        and marker.arrived + CONFLICT_SECONDS < later.at
        for marker in history.lags
    )


def _because(history: History, lost: Acknowledged, rival: Acknowledged) -> str:
    fault = history.fault
    return (
        f"{lost.region} acknowledged it {lost.at - fault:+.2f} s from the fault; it had not "
        f"reached {rival.region} when that wrote the same item (operation {rival.operation}, "
        f"{rival.at - fault:+.2f} s), and the last writer wins"
    )
