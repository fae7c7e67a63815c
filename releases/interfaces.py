"""What a release needs beside the two Regions' own APIs; tests have a world of their own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from releases.ledger import Claim
from releases.smoke import Send, Writes
from releases.stack import Stack
from releases.versions import Kind


class Watchdog(Protocol):
    """What puts back a release that is killed."""

    def about(self, claim: Claim) -> None:
        """Say what it would have to put back."""

    def done(self) -> None:
        """Say that nothing is left to put back."""


class Surroundings(Protocol):
    """An account: its clocks, its users' ways in, and what is told of it."""

    def tell(self, what: str) -> None:
        """Say what happens."""

    def pause(self, seconds: float) -> None:
        """Wait."""

    def wall(self) -> float:
        """Tell the time, in epoch seconds."""

    def writes(self, region: str) -> Writes:
        """Say what the fence does with a Region's writes."""

    def has_users(self, region: str) -> bool:
        """Whether users' requests come to a Region."""

    def direct(self, stack: Stack, kind: Kind, qualifier: str) -> Send:
        """Give what calls a function as the gateway does."""

    def by_name(self, region: str, username: str) -> AbstractContextManager[Send | None]:
        """Give what asks at the Region's own name as a new user; None where there is none yet."""

    def watchdog(self, region: str, run: str) -> AbstractContextManager[Watchdog]:
        """Watch over this process while the block runs."""

    def sweep(self, region: str, usernames: list[str]) -> None:
        """Remove what throw-away owners have left."""
