"""What was found of a unit, and what all of it means for the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

IN_STEP, COULD_NOT_LOOK, DRIFT = 0, 1, 2


class Cause(StrEnum):
    """How code and cloud came to differ."""

    BY_HAND = "by hand"
    CODE = "code"


class Verdict(StrEnum):
    """What is held of a unit."""

    IN_STEP = "in step"
    BY_HAND = "changed by hand"
    NOT_APPLIED = "code not applied"
    BOTH = "both"
    COULD_NOT_LOOK = "could not look"


@dataclass(frozen=True, slots=True)
class Difference:
    """A resource, or an output, that isn't as it is written.

    `what` is what happened to it, or what an apply would do. `attributes` are names without values.
    `stays` says that no apply will put it right.
    """

    cause: Cause
    address: str
    what: str
    attributes: tuple[str, ...] = ()
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, such as global/data. `reason` says why nobody could look; empty if somebody did."""

    name: str
    differences: tuple[Difference, ...] = ()
    reason: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What all of it comes to."""
        if self.reason:
            return Verdict.COULD_NOT_LOOK
        causes = {difference.cause for difference in self.differences}
        if len(causes) > 1:
            return Verdict.BOTH
        if Cause.BY_HAND in causes:
            return Verdict.BY_HAND
        return Verdict.NOT_APPLIED if causes else Verdict.IN_STEP


def exit_status(units: Iterable[Unit]) -> int:
    """Give 1 when a unit couldn't be looked at, else 2 when one isn't in step, else 0.

    An answer that isn't whole is none, whatever else is known: so 1 comes first.
    """
    seen = {unit.verdict for unit in units}
    if Verdict.COULD_NOT_LOOK in seen:
        return COULD_NOT_LOOK
    return DRIFT if seen - {Verdict.IN_STEP} else IN_STEP
