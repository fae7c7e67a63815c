"""What a drill saw: every request, every acknowledged write, every change; all else is worked out.

Times are seconds since the drill began, on a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a user does."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self is not Kind.READ


class Moment(StrEnum):
    """A point of a drill's timeline that its figures are counted from."""

    FAULT = "fault made"
    TAKEOVER = "takeover seen"
    HEALED = "healed"
    FAILBACK = "failback seen"
    END = "traffic ended"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and what came of it.

    `due` is when it was to be sent, whatever became of those before it: its wait is counted from
    there, or a hang would hide the requests that it delays. `number` is 1 for the first try.
    """

    operation: int
    kind: Kind
    user: str
    kept_connection: bool
    number: int
    due: float
    sent: float
    ended: float
    status: int | None
    region: str | None
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether the service did its part; a 412 keeps two writers apart, as it should."""
        return self.status in {200, 201, 412}

    @property
    def seconds(self) -> float:
        """How long the user waited."""
        return self.ended - self.due


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An acknowledged write; the journal's line."""

    operation: int
    kind: Kind
    owner: str
    item_id: str
    region: str
    at: float


@dataclass(frozen=True, slots=True)
class Change:
    """Something watched from outside that changed: a health check, DNS, an alarm."""

    at: float
    subject: str
    seen: str


@dataclass(frozen=True, slots=True)
class Lag:
    """A marker written in one Region and looked for in the other; None while it never came."""

    source: str
    target: str
    sent: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """An item as a Region's replica holds it.

    `created_by` is the number of the operation that made it, and `updates` are those of the
    updates that stand in it.
    """

    owner: str
    item_id: str
    created_by: int
    updates: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of the drill's users in one Region, read from `at` on."""

    at: float
    region: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class History:
    """One drill: what it did and saw."""

    primary: str
    standby: str
    attempts: Sequence[Attempt] = ()
    acknowledged: Sequence[Acknowledged] = ()
    moments: dict[Moment, float] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    lags: Sequence[Lag] = ()
    alarms: Sequence[Change] = ()
    at_takeover: Snapshot | None = None
    in_the_end: Sequence[Snapshot] = ()

    def first(self, moment: Moment) -> float | None:
        """When it came, if it did."""
        return self.moments.get(moment)
