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
    HEALING = "healing begun"
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
    def refused(self) -> bool:
        """Whether a Region answered that it may not or cannot serve this now (503)."""
        return self.status == 503 and self.region is not None

    @property
    def seconds(self) -> float:
        """How long the user waited."""
        return self.ended - self.due


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An acknowledged write; the journal's line.

    `found` is an update that its retry found done: `region` then answered a read, and another may
    have written.
    """

    operation: int
    kind: Kind
    owner: str
    item_id: str
    region: str
    at: float
    found: bool = False


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

    @property
    def arrived(self) -> float | None:
        """When it was seen in the other Region; None where it never was."""
        return None if self.seconds is None else self.sent + self.seconds


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

    @property
    def end(self) -> float:
        """A time after every request's."""
        return max((each.ended for each in self.attempts), default=0.0) + 1.0

    @property
    def fault(self) -> float:
        """When the fault was made; after the end where there was none."""
        return self._at(Moment.FAULT)

    @property
    def healing(self) -> float:
        """When healing began, and the fault was over; after the end where it never did."""
        return self._at(Moment.HEALING if Moment.HEALING in self.moments else Moment.HEALED)

    @property
    def healed(self) -> float:
        """When healing was done; after the end where it never was."""
        return self._at(Moment.HEALED)

    def _at(self, moment: Moment) -> float:
        # Not as a default of get(): the end is looked for in every request.
        at = self.moments.get(moment)
        return self.end if at is None else at

    def changed(self, subject: str, seen: str, since: float, until: float) -> float | None:
        """When something whose name holds `subject` first changed to `seen` in that time."""
        times = (
            change.at
            for change in self.changes
            if subject in change.subject and change.seen == seen and since <= change.at < until
        )
        return min(times, default=None)
