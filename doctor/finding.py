"""What one check has found, and what all of them mean for the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

WELL, WRONG, COULD_NOT_LOOK = 0, 1, 2


class Verdict(StrEnum):
    """What is held of a subject. NOT_KNOWN is also what isn't there yet."""

    OK = "ok"
    WRONG = "wrong"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for a person: what was looked at, what was found, and what to do, if anything.

    `refused` says that somebody who should have answered didn't: nobody has looked.
    """

    subject: str
    verdict: Verdict
    found: str
    do: str = ""
    refused: bool = False


def ok(subject: str, found: str, do: str = "") -> Finding:
    """Nothing is wrong; `do` is advice."""
    return Finding(subject, Verdict.OK, found, do)


def wrong(subject: str, found: str, do: str) -> Finding:
    """Something is wrong, and this puts it right."""
    return Finding(subject, Verdict.WRONG, found, do)


def not_known(subject: str, found: str, do: str = "") -> Finding:
    """Nobody can tell by reading, and nothing failed."""
    return Finding(subject, Verdict.NOT_KNOWN, found, do)


def not_yet(subject: str, unit: str) -> Finding:
    """Give what a first apply of `unit` makes."""
    return not_known(subject, "not there yet", f"apply {unit}")


def exit_status(findings: Iterable[Finding]) -> int:
    """Give 1 when something is wrong, else 2 when somebody didn't answer, else 0."""
    seen = list(findings)
    if any(finding.verdict is Verdict.WRONG for finding in seen):
        return WRONG
    return COULD_NOT_LOOK if any(finding.refused for finding in seen) else WELL
