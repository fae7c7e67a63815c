"""From what a drill saw to its figures. Pure: a history in, numbers out.

What the figures mean is written beside each; docs/testing-guide.md explains them to readers.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drills import service
from drills.data_loss import DataLoss, data_loss
from drills.history import Attempt, History, Kind, Moment
from drills.moves import Move, failback, takeover

Condition = Callable[[Attempt], bool]


@dataclass(frozen=True, slots=True)
class Timeline:
    """When users noticed what; None for what never came.

    Seconds since the fault; the last two since the healing, `failback_seconds` since it began.
    """

    first_failure_seconds: float | None
    detection_seconds: float | None
    dns_seconds: float | None
    first_read_by_standby_seconds: float | None
    first_write_in_standby_seconds: float | None
    rto_reads_seconds: float | None
    rto_writes_seconds: float | None
    failback_seconds: float | None
    good_after_healing_seconds: float | None


@dataclass(frozen=True, slots=True)
class Requests:
    """All reads or all writes, retries included. `slowest_seconds` is the longest wait of any."""

    sent: int
    sent_during_the_fault: int
    failed: int
    failed_before_the_fault: int
    failed_during_the_fault: int
    failed_after_healing: int
    served_by_standby_during_the_fault: int
    slowest_seconds: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of every kind. The share is of the requests that ended before the fault.

    `unanswered` are those that failed without any answer, and `slowest_error_seconds` is the
    longest that one waited which got an error for an answer; None where none did.
    """

    requests: int
    reads: Requests
    writes: Requests
    acknowledged_writes: int
    acknowledged_updates: int
    good_share_before_the_fault: float
    slowest_answer_seconds: float
    slowest_error_seconds: float | None
    unanswered: int
    latest_start_seconds: float


@dataclass(frozen=True, slots=True)
class Interruption:
    """Writes that failed from the fault to the end, and what became of them.

    `refused` counts those that a Region answered with 503. `longest_seconds` is how long writes
    failed at a stretch, 0 where none did, None where that never ended. `never_acknowledged` are
    operations that no try of theirs brought to an end.
    """

    refused: int
    longest_seconds: float | None
    never_acknowledged: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Which replicas were read: whether the standby's was at takeover, and whose in the end."""

    standby_at_takeover: bool
    in_the_end: tuple[str, ...]
    missing_in_the_end: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replication:
    """How late markers arrived: before the fault, and the last of all after the healing.

    `stopped` are the markers sent while the fault lasted that hadn't arrived when it was healed.
    """

    lag_median_seconds: float | None
    lag_max_seconds: float | None
    catch_up_seconds: float | None
    stopped: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a drill's verdict is made from."""

    timeline: Timeline
    counts: Counts
    interruption: Interruption
    takeover: Move
    failback: Move
    snapshots: Snapshots
    data_loss: DataLoss
    replication: Replication


def figures(history: History) -> Figures:
    """Work a drill's figures out."""
    return Figures(
        timeline=timeline(history),
        counts=counts(history),
        interruption=interruption(history),
        takeover=takeover(history),
        failback=failback(history),
        snapshots=snapshots(history),
        data_loss=data_loss(history),
        replication=replication(history),
    )


def timeline(history: History) -> Timeline:
    """Find when what happened. All of it is None in a drill that made no fault and healed none."""
    fault, until = history.fault, history.healing
    during = [each for each in history.attempts if fault <= each.due < until]
    reads = [each for each in during if not each.kind.writes]
    writes = [each for each in during if each.kind.writes]

    def after_fault(at: float | None) -> float | None:
        return None if at is None else at - fault

    def in_standby(each: Attempt) -> bool:
        return each.good and each.region == history.standby

    return Timeline(
        first_failure_seconds=after_fault(_first(during, lambda each: not each.good)),
        detection_seconds=after_fault(
            history.changed(f"{history.primary}.", "does not answer", fault, until)
            or history.changed("/health/takeover", "answers", fault, until)
        ),
        dns_seconds=after_fault(history.changed("DNS", history.standby, fault, until)),
        first_read_by_standby_seconds=after_fault(_first(reads, in_standby)),
        first_write_in_standby_seconds=after_fault(_first(writes, in_standby)),
        rto_reads_seconds=after_fault(service.good_from(reads, fault)),
        rto_writes_seconds=after_fault(service.good_from(writes, fault)),
        **_after_healing(history),
    )


def _after_healing(history: History) -> dict[str, float | None]:
    healing, healed = history.healing, history.healed
    back = _first(
        [each for each in history.attempts if each.due >= healing],
        lambda each: each.kind.writes and each.good and each.region == history.primary,
    )
    after = [each for each in history.attempts if each.due >= healed]
    good = service.good_from(after, healed)
    return {
        "failback_seconds": None if back is None else back - healing,
        "good_after_healing_seconds": None if good is None else good - healed,
    }


def _first(attempts: Iterable[Attempt], condition: Condition) -> float | None:
    return min((each.ended for each in attempts if condition(each)), default=None)


def counts(history: History) -> Counts:
    """Count requests before the fault, while it lasted, and after it was healed."""
    attempts = history.attempts
    before = [each for each in attempts if each.ended < history.fault]
    errors = [each for each in attempts if not each.good]
    return Counts(
        requests=len(attempts),
        reads=_requests(history, [each for each in attempts if not each.kind.writes]),
        writes=_requests(history, [each for each in attempts if each.kind.writes]),
        acknowledged_writes=len(history.acknowledged),
        acknowledged_updates=sum(each.kind is Kind.UPDATE for each in history.acknowledged),
        good_share_before_the_fault=1 - _failed(before) / len(before) if before else 0.0,
        slowest_answer_seconds=max((each.ended - each.sent for each in attempts), default=0.0),
        slowest_error_seconds=max(
            (each.ended - each.sent for each in errors if each.status is not None), default=None
        ),
        unanswered=sum(each.status is None for each in errors),
        latest_start_seconds=max((each.sent - each.due for each in attempts), default=0.0),
    )


def _requests(history: History, attempts: list[Attempt]) -> Requests:
    fault, healed = history.fault, history.healed
    # What was under way when the fault came, the fault may have spoilt.
    before = [each for each in attempts if each.ended < fault]
    during = [each for each in attempts if fault <= each.ended and each.due < healed]
    after = [each for each in attempts if each.due >= max(fault, healed)]
    # From when healing begins, users may be on their way back.
    served = [each for each in during if each.due < history.healing]
    return Requests(
        sent=len(attempts),
        sent_during_the_fault=len(during),
        failed=_failed(attempts),
        failed_before_the_fault=_failed(before),
        failed_during_the_fault=_failed(during),
        failed_after_healing=_failed(after),
        served_by_standby_during_the_fault=sum(
            each.good and each.region == history.standby for each in served
        ),
        slowest_seconds=max((each.seconds for each in attempts), default=0.0),
    )


def _failed(attempts: Iterable[Attempt]) -> int:
    return sum(not each.good for each in attempts)


def interruption(history: History) -> Interruption:
    """Find how long writes failed at a stretch, and which of them came to nothing."""
    writes = [each for each in history.attempts if each.kind.writes]
    since = [each for each in writes if each.due >= history.fault]
    acknowledged = {each.operation for each in history.acknowledged}
    return Interruption(
        refused=sum(each.refused for each in since),
        longest_seconds=service.longest_interruption(since),
        never_acknowledged=tuple(sorted({each.operation for each in writes} - acknowledged)),
    )


def snapshots(history: History) -> Snapshots:
    """Say whose replicas were read, and whether each was at its time."""
    taken = history.at_takeover
    read = tuple(each.region for each in history.in_the_end)
    return Snapshots(
        standby_at_takeover=(
            taken is not None and taken.region == history.standby and taken.at >= history.fault
        ),
        in_the_end=read,
        missing_in_the_end=tuple(
            region for region in (history.primary, history.standby) if region not in read
        ),
    )


def replication(history: History) -> Replication:
    """Median and longest lag of the markers that were sent and came before the fault."""
    calm = [
        each.seconds
        for each in history.lags
        if each.seconds is not None and each.sent + each.seconds < history.fault
    ]
    return Replication(
        lag_median_seconds=statistics.median(calm) if calm else None,
        lag_max_seconds=max(calm, default=None),
        catch_up_seconds=_catch_up(history),
        stopped=sum(
            history.fault <= each.sent < history.healing
            and (each.arrived is None or each.arrived >= history.healing)
            for each in history.lags
        ),
    )


def _catch_up(history: History) -> float | None:
    """From the healing until the last marker of before it had come; None when one never came."""
    healed = history.first(Moment.HEALED)
    if healed is None:
        return None
    before = [each.arrived for each in history.lags if each.sent < healed]
    if any(each is None for each in before):
        return None
    arrived = (each for each in before if each is not None)
    return max(0.0, max(arrived, default=healed) - healed)
