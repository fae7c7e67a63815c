"""Putting back, and removing, what a release has left that was killed."""

from __future__ import annotations

from releases.interfaces import Surroundings
from releases.ledger import STOPPED, Claim, Event, iso
from releases.smoke import usernames
from releases.stack import AWS_ERRORS, Stack


def clean_up(stack: Stack, around: Surroundings, run: str, claim: Claim) -> None:
    """Let what served before serve again, unless the release had ended, or another one begun.

    What its throw-away owners left is removed in any case. Raises botocore's errors as they are,
    and MovedMeanwhileError.
    """
    if _is_claimed(stack, around, run):
        _put_back(stack, around, run, claim)
    around.sweep(stack.region, usernames(run))


def _is_claimed(stack: Stack, around: Surroundings, run: str) -> bool:
    try:
        current = stack.records.read().claim
    except AWS_ERRORS as error:
        around.tell(f"The claim can't be read, and is taken for this release's: {error}")
        return True
    return current is not None and current.run == run


def _put_back(stack: Stack, around: Surroundings, run: str, claim: Claim) -> None:
    stack.put_back(claim, around.tell)
    now = iso(around.wall())
    reason = "its process was killed"
    event = Event(now, run, STOPPED, claim.who, claim.target, claim.before, reason)
    stack.records.conclude(run, event)
