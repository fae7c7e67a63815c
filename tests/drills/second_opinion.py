"""A drill's figures worked out a second time: slowly, obviously, and sharing nothing.

Everything is a loop over plain lists, written from what docs/testing-guide.md says of each figure.
"""

from __future__ import annotations

from drills.history import Acknowledged, Attempt, History, Kind, Moment


def rto_of_writes(history: History) -> float | None:
    """From the fault until the last failure's stretch was over, among first tries of writes.

    When healing begins the fault is over.
    """
    fault, healing = history.moments[Moment.FAULT], history.moments[Moment.HEALING]
    tries = [
        each
        for each in history.attempts
        if each.number == 1 and each.kind is not Kind.READ and fault <= each.due < healing
    ]
    tries.sort(key=lambda each: each.due)
    if not tries:
        return None
    answer: float | None = 0.0
    for index, each in enumerate(tries):
        if not _good(each):
            answer = None
        elif answer is None and _good_for_five_seconds(tries[index:]):
            answer = each.ended - fault
    return answer


def _good(attempt: Attempt) -> bool:
    return attempt.status in {200, 201, 412}


def _good_for_five_seconds(tries: list[Attempt]) -> bool:
    """All but one in a hundred, and something was asked later than that."""
    seen = [each for each in tries if each.due < tries[0].due + 5]
    good = [each for each in seen if _good(each)]
    return len(seen) < len(tries) and len(good) * 100 >= len(seen) * 99


def first_write_in_standby(history: History) -> float | None:
    """From the fault until the standby's first good answer to a write of before healing began."""
    fault, healing = history.moments[Moment.FAULT], history.moments[Moment.HEALING]
    ends = []
    for each in history.attempts:
        if each.kind is Kind.READ or not fault <= each.due < healing:
            continue
        if _good(each) and each.region == history.standby:
            ends.append(each.ended)
    return min(ends) - fault if ends else None


def failback(history: History) -> float | None:
    """From when healing began until the primary's first good answer to a write of since then."""
    healing = history.moments[Moment.HEALING]
    ends = []
    for each in history.attempts:
        if each.kind is Kind.READ or each.due < healing:
            continue
        if _good(each) and each.region == history.primary:
            ends.append(each.ended)
    return min(ends) - healing if ends else None


def good_after_healing(history: History) -> float | None:
    """As the RTO, of reads and writes together, from the end of healing on."""
    healed = history.moments[Moment.HEALED]
    tries = [each for each in history.attempts if each.number == 1 and each.due >= healed]
    tries.sort(key=lambda each: each.due)
    answer = 0.0 if tries else None
    for index, each in enumerate(tries):
        if not _good(each):
            answer = None
        elif answer is None and _good_for_five_seconds(tries[index:]):
            answer = each.ended - healed
    return answer


def longest_interruption(history: History) -> float | None:
    """Of first tries of writes since the fault: from when one was due that failed to good again."""
    fault = history.moments[Moment.FAULT]
    tries = [
        each
        for each in history.attempts
        if each.number == 1 and each.kind is not Kind.READ and each.due >= fault
    ]
    tries.sort(key=lambda each: each.due)
    longest = 0.0
    began: float | None = None
    for index, each in enumerate(tries):
        if not _good(each):
            began = each.due if began is None else began
        elif began is not None and _good_for_five_seconds(tries[index:]):
            longest = max(longest, each.ended - began)
            began = None
    return longest if began is None else None


def never_acknowledged(history: History) -> set[int]:
    """Operations that wrote, and that the journal has nothing of."""
    asked = {each.operation for each in history.attempts if each.kind is not Kind.READ}
    return asked - {each.operation for each in history.acknowledged}


def failed_writes_during_the_fault(history: History) -> int:
    """Those that were under way between the fault and the end of healing."""
    fault, healed = history.moments[Moment.FAULT], history.moments[Moment.HEALED]
    failed = 0
    for each in history.attempts:
        if each.kind is Kind.READ or _good(each):
            continue
        if each.ended >= fault and each.due < healed:
            failed += 1
    return failed


def good_share_before_the_fault(history: History) -> float:
    """Of the requests that had ended by then; 0 where none had."""
    ended = [each for each in history.attempts if each.ended < history.moments[Moment.FAULT]]
    return len([each for each in ended if _good(each)]) / len(ended) if ended else 0.0


def failed_reads(history: History) -> int:
    """Count them."""
    failed = 0
    for each in history.attempts:
        if each.kind is Kind.READ and each.status != 200:
            failed += 1
    return failed


def slowest_read(history: History) -> float:
    """The longest wait."""
    slowest = 0.0
    for each in history.attempts:
        if each.kind is Kind.READ and each.ended - each.due > slowest:
            slowest = each.ended - each.due
    return slowest


def _is_there(history: History, region: str, operation: int) -> bool:
    """Whether a replica shows what an operation wrote, in the end."""
    for write in history.acknowledged:
        if write.operation != operation:
            continue
        for snapshot in history.in_the_end:
            if snapshot.region != region:
                continue
            for row in snapshot.rows:
                if (row.owner, row.item_id) == (write.owner, write.item_id) and (
                    write.kind is Kind.CREATE or operation in row.updates
                ):
                    return True
    return False


def gone(history: History) -> set[int]:
    """Acknowledged, and not in both replicas."""
    lost = set()
    for write in history.acknowledged:
        for region in (history.primary, history.standby):
            if not _is_there(history, region, write.operation):
                lost.add(write.operation)
    return lost


def excused(history: History) -> set[int]:
    """Those of the gone that are updates, with one of the same item in the other Region near."""
    return {
        lost.operation
        for lost in history.acknowledged
        for other in history.acknowledged
        if lost.operation in gone(history)
        and lost.kind is other.kind is Kind.UPDATE
        and (lost.owner, lost.item_id) == (other.owner, other.item_id)
        and lost.region != other.region
        and (_near(lost, other) or _while_nothing_replicated(history, lost, other))
    }


def _near(one: Acknowledged, other: Acknowledged) -> bool:
    return abs(one.at - other.at) <= 10


def _while_nothing_replicated(history: History, one: Acknowledged, other: Acknowledged) -> bool:
    first, second = (one, other) if one.at <= other.at else (other, one)
    if first.at < history.moments[Moment.FAULT] - 10:
        return False
    if second.at > history.moments[Moment.HEALED] + 10:
        return False
    return not any(
        (marker.source, marker.target) == (first.region, second.region)
        and first.at <= marker.sent
        and marker.seconds is not None
        and marker.sent + marker.seconds + 10 < second.at
        for marker in history.lags
    )


def doubled(history: History) -> set[int]:
    """Operations that made two items in a replica."""
    twice = set()
    for snapshot in history.in_the_end:
        seen = []
        for row in snapshot.rows:
            if row.created_by in seen and row.created_by != 0:
                twice.add(row.created_by)
            seen.append(row.created_by)
    return twice


def missing_at_takeover(history: History) -> set[int]:
    """What the primary had acknowledged by then and the standby's replica didn't show."""
    taken = history.at_takeover
    assert taken
    missing = set()
    for write in history.acknowledged:
        if write.region == history.primary and write.at <= taken.at:
            there = False
            for row in taken.rows:
                same = (row.owner, row.item_id) == (write.owner, write.item_id)
                if same and (write.kind is Kind.CREATE or write.operation in row.updates):
                    there = True
            if not there:
                missing.add(write.operation)
    return missing


def rpo(history: History) -> float:
    """From the oldest of those until the primary's last acknowledgement, or the fault."""
    missing = missing_at_takeover(history)
    taken = history.at_takeover
    assert taken
    last = history.moments[Moment.FAULT]
    oldest = None
    for write in history.acknowledged:
        if write.region != history.primary or write.at > taken.at:
            continue
        last = max(last, write.at)
        if write.operation in missing and (oldest is None or write.at < oldest):
            oldest = write.at
    return 0.0 if oldest is None else last - oldest


def held_up(history: History) -> int:
    """Markers sent while the fault lasted that had not come when healing began."""
    fault, healing = history.moments[Moment.FAULT], history.moments[Moment.HEALING]
    count = 0
    for marker in history.lags:
        came = marker.seconds is not None and marker.sent + marker.seconds < healing
        if fault <= marker.sent < healing and not came:
            count += 1
    return count


def both_wrote_at_takeover(history: History) -> float:
    """Between fault and healing: from the standby's first write to the primary's last."""
    longest = 0.0
    for early in history.acknowledged:
        for late in history.acknowledged:
            inside = (
                history.moments[Moment.FAULT] <= early.at
                and late.at < history.moments[Moment.HEALING]
                and not early.found
                and not late.found
            )
            if inside and early.region == history.standby and late.region == history.primary:
                longest = max(longest, late.at - early.at)
    return longest


def both_wrote_at_failback(history: History) -> float:
    """From when healing began to the end: from the primary's first write to the standby's last."""
    longest = 0.0
    for early in history.acknowledged:
        for late in history.acknowledged:
            inside = (
                history.moments[Moment.HEALING] <= early.at
                and late.at < history.end
                and not early.found
                and not late.found
            )
            if inside and early.region == history.primary and late.region == history.standby:
                longest = max(longest, late.at - early.at)
    return longest
