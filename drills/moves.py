"""A move of users from one Region to the other: who answered and who wrote while it went on."""

from __future__ import annotations

from dataclasses import dataclass

from drills.history import History


@dataclass(frozen=True, slots=True)
class Move:
    """What the Region that was left went on doing; seconds.

    `last_write_seconds`: from the move's begin until its last acknowledgement; None where it gave
    none. `both_wrote_seconds`: from the first acknowledgement of the Region moved to until then; 0
    where one had ended before the other began. `answered_after_dns_seconds`: from when DNS named
    the other Region until its last answer, by connections that were kept; None where DNS didn't.
    """

    last_write_seconds: float | None
    both_wrote_seconds: float
    answered_after_dns_seconds: float | None


def takeover(history: History) -> Move:
    """Follow users from the primary to the standby, while the fault lasted."""
    return _move(history, history.primary, history.standby, history.fault, history.healing)


def failback(history: History) -> Move:
    """Follow users from the standby back to the primary, from when healing began."""
    return _move(history, history.standby, history.primary, history.healing, history.end)


def _move(history: History, left: str, taken: str, begun: float, until: float) -> Move:
    # A read that found an update done says nothing of who wrote it.
    writes = [w for w in history.acknowledged if begun <= w.at < until and not w.found]
    last = max((write.at for write in writes if write.region == left), default=None)
    first = min((write.at for write in writes if write.region == taken), default=None)
    return Move(
        last_write_seconds=None if last is None else last - begun,
        both_wrote_seconds=(0.0 if last is None or first is None else max(0.0, last - first)),
        answered_after_dns_seconds=_answered_after_dns(history, left, taken, begun, until),
    )


def _answered_after_dns(
    history: History, left: str, taken: str, begun: float, until: float
) -> float | None:
    named = history.changed("DNS", taken, begun, until)
    if named is None:
        return None
    answers = [
        each.ended
        for each in history.attempts
        if each.region == left and named <= each.ended < until
    ]
    return max(answers, default=named) - named
