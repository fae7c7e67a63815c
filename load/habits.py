"""What somebody does who opens the app: how often of what, chosen by chance.

The shares are those that the costs are computed with (costs/estimate.toml): of the requests a fifth
writes, and half of the writes creates. A test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of visits, but where something else is said.

    `refreshes` find the access token too old. Every visit lists the newest items; `lists_by_status`
    look at what is under way as well, and 0 to `most_opened` items are opened, each number as
    likely. `offline` and `repeated` are shares of creates: written without a network and sent when
    there is one; and sent again, as by an app that lost the answer. Two numbers of seconds are
    bounds: what a person thinks before the next tap, and how long there is no network.
    """

    refreshes: float = 0.25
    lists_by_status: float = 0.2
    most_opened: int = 4
    creates: float = 0.4
    changes: float = 0.3
    deletes: float = 0.1
    offline: float = 0.1
    repeated: float = 0.05
    think_seconds: tuple[float, float] = (0.5, 3.0)
    offline_seconds: tuple[float, float] = (3.0, 15.0)

    @property
    def reads_a_visit(self) -> float:
        """How many reads a visit takes on average."""
        return 1 + self.lists_by_status + self.most_opened / 2

    @property
    def writes_a_visit(self) -> float:
        """How many writes a visit takes on average, repeated ones left aside."""
        return self.creates + self.changes + self.deletes

    @property
    def requests_a_visit(self) -> float:
        """How many requests of the API a visit takes on average, retries left aside."""
        return self.reads_a_visit + self.writes_a_visit + self.creates * self.repeated

    @property
    def busiest_share(self) -> float:
        """The share of requests that the busiest method gets."""
        return max(1 + self.lists_by_status, self.most_opened / 2) / self.requests_a_visit


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit is going to do."""

    refreshes: bool = False
    lists_by_status: bool = False
    opens: int = 0
    creates: bool = False
    changes: bool = False
    deletes: bool = False
    offline: bool = False
    repeated: bool = False


def a_visit(habits: Habits, chance: Random) -> Visit:
    """Choose what a visit does."""
    return Visit(
        refreshes=chance.random() < habits.refreshes,
        lists_by_status=chance.random() < habits.lists_by_status,
        opens=chance.randint(0, habits.most_opened),
        creates=chance.random() < habits.creates,
        changes=chance.random() < habits.changes,
        deletes=chance.random() < habits.deletes,
        offline=chance.random() < habits.offline,
        repeated=chance.random() < habits.repeated,
    )
