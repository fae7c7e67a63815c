"""What goes between a run and its generator, each a line of JSON: the plan, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from load.phone import SignedIn


@dataclass(frozen=True, slots=True)
class Plan:
    """What the generator is to do.

    `visits_a_second` is the rate at which people open the app, for so many `seconds`. `ca` is the
    certificate authority's file, empty for the system's. Names below `.localhost` are this
    machine's where `resolves_localhost`. Visits under way when the time is over, and their writes'
    retries, have so many seconds more: `drain_seconds`.
    """

    url: str
    token_url: str
    client_id: str
    ca: str
    resolves_localhost: bool
    users: Sequence[SignedIn] = field(repr=False)
    visits_a_second: float
    seconds: float
    drain_seconds: float
    seed: int

    def line(self) -> str:
        """Write it as a line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, line: str) -> Plan:
        """Read a line."""
        document: dict[str, Any] = json.loads(line)
        users = tuple(SignedIn(**user) for user in document.pop("users"))
        return cls(users=users, **document)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it; times are seconds since the traffic began.

    Its wait is counted from when it was due, or a hang would hide the requests that it delays.
    `region` is empty where no Region answered, and `error` where the answer is as it should be.
    """

    route: str
    due: float
    sent: float
    ended: float
    number: int
    status: int | None
    region: str
    error: str = ""
    request_id: str = ""

    @property
    def good(self) -> bool:
        """Whether the service did its part."""
        return not self.error

    @property
    def seconds(self) -> float:
        """How long the user waited."""
        return self.ended - self.due


@dataclass(frozen=True, slots=True)
class Settled:
    """A write that is over, whatever number of tries it took; no problem: acknowledged."""

    route: str
    problem: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The last line. `cut` visits were still under way when the generator stopped waiting."""

    visits: int
    cut: int


Record = Attempt | Settled | Ended
_KINDS: dict[str, type[Attempt | Settled | Ended]] = {
    "attempt": Attempt,
    "settled": Settled,
    "ended": Ended,
}


def line_of(record: Record) -> str:
    """Write a record as a line."""
    return json.dumps({"kind": type(record).__name__.lower(), **asdict(record)})


def record_of(line: str) -> Record:
    """Read a record. Raises ValueError, KeyError or TypeError for what is none."""
    document: dict[str, Any] = json.loads(line)
    return _KINDS[document.pop("kind")](**document)
