"""Putting back what a release has left that was killed."""

from __future__ import annotations

from releases.interfaces import Surroundings
from releases.ledger import STOPPED, Claim, Event, iso
from releases.smoke import usernames
from releases.stack import AWS_ERRORS, Stack


def clean_up(stack: Stack, around: Surroundings, run: str, claim: Claim) -> None:
    """Let what served before serve again, unless the release had ended, or another one begun.

    Raises botocore's errors as they are, and MovedMeanwhileError.
    """
    try:
        current = stack.records.read().claim
        if current is None or current.run != run:
            return
    except AWS_ERRORS as error:
        around.tell(f"The claim can't be read, and is taken for this release's: {error}")
    stack.put_back(claim, around.tell)
    now = iso(around.wall())
    reason = "its process was killed"
    event = Event(now, run, STOPPED, claim.who, claim.target, claim.before, reason)
    stack.records.conclude(run, event)
    around.sweep(stack.region, usernames(run))
