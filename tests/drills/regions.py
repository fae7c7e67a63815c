"""Two Regions that replicate, their users, and a clock that only waiting moves.

Each Region's function is the real one's rules over its own replica of the switch, kept for as long
as a function keeps it: who may write is asked at every moment, and of everything that a function
may still go by.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from drills.hand_over import HandOver
from drills.switch import Order, Switch
from items.fence import KEPT_SECONDS, refusal
from items.fence import Order as FenceOrder
from project.console import ToolchainError
from project.switch import Row
from tests.drills.histories import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Callable

LAG_SECONDS = 1.0
# Health checks and DNS: interval x threshold + TTL.
MOVE_SECONDS = 40.0
PATIENCE_SECONDS = 69.0
TICK_SECONDS = 0.25


@dataclass
class Replica:
    """One Region's copy of the switch, with all that it has been and since when."""

    rows: list[tuple[float, Row]] = field(default_factory=lambda: [(-1e9, Row())])
    marker: str = ""
    gone: bool = False
    ready: bool = True

    @property
    def row(self) -> Row:
        return self.rows[-1][1]

    def kept(self, now: float) -> list[Row]:
        """Every row that a function may go by: read at most KEPT_SECONDS ago."""
        old = [row for at, row in self.rows if at <= now - KEPT_SECONDS]
        return [*old[-1:], *(row for at, row in self.rows if at > now - KEPT_SECONDS)]


class World:
    """Both Regions. `broken` may raise at any step of a hand-over: its name is handed to it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.replicas = {PRIMARY: Replica(), STANDBY: Replica()}
        self.replicates = True
        self.users_move = True
        self.served_by = PRIMARY
        self.told: list[str] = []
        self.broken: Callable[[str], None] = lambda _step: None
        self.two_writers: list[float] = []
        self.no_writer_seconds = 0.0
        self._on_their_way: list[tuple[float, Callable[[], None]]] = []
        self._users_go: tuple[float, str] = (0.0, PRIMARY)

    @property
    def milliseconds(self) -> int:
        """The time as the switch has it."""
        return int(self.now * 1000)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now = min(end, self.now + TICK_SECONDS)
            self._arrive()
            self._move_users()
            writers = self.writers()
            if len(writers) > 1 and not self._all_normal():
                self.two_writers.append(self.now)
            self.no_writer_seconds += TICK_SECONDS * (self.served_by not in writers)

    def writers(self) -> set[str]:
        """The Regions of which a function may write now."""
        return {region for region in self.replicas if self._may_write(region)}

    def send(self, source: str, change: Callable[[Replica], None]) -> None:
        """Change a replica, and the other one later."""
        change(self.replicas[source])
        other = self.replicas[STANDBY if source == PRIMARY else PRIMARY]
        self._on_their_way.append((self.now + LAG_SECONDS, lambda: change(other)))

    def step(self, name: str) -> None:
        """A hand-over does something."""
        self.broken(name)

    def hand_over(self) -> HandOver:
        """Give an operator's hand-over, as a command makes a new one each time."""
        return HandOver(
            switch=FakeSwitch(self),
            writes_served_by=lambda: self.served_by,
            ready=lambda region: self.replicas[region].ready,
            tell=self._tell,
            patience_seconds=PATIENCE_SECONDS,
            pause=self.wait,
            clock=lambda: self.now,
        )

    def _tell(self, what: str) -> None:
        self.told.append(what)
        self.step(what)

    def _may_write(self, region: str) -> bool:
        replica = self.replicas[region]
        if replica.gone:
            return False
        return any(
            refusal(
                FenceOrder(row.writer, row.next_writer, row.next_at, row.paused),
                region,
                STANDBY,
                int(self.now * 1000),
            )
            is None
            for row in replica.kept(self.now)
        )

    def _all_normal(self) -> bool:
        """Whether a Region goes by a row that lets every one write, as usual."""
        now = int(self.now * 1000)
        return any(
            row.writer_at(now, STANDBY) is None
            for replica in self.replicas.values()
            for row in replica.kept(self.now)
        )

    def _arrive(self) -> None:
        if self.replicates:
            due = [each for each in self._on_their_way if each[0] <= self.now]
            self._on_their_way = [each for each in self._on_their_way if each[0] > self.now]
            for _, change in due:
                change()

    def _move_users(self) -> None:
        if not self.users_move:
            return
        standby, primary = self.replicas[STANDBY], self.replicas[PRIMARY]
        active = standby.row.active and not standby.gone
        wanted = STANDBY if active or not primary.ready else PRIMARY
        if self._users_go[1] != wanted:
            self._users_go = (self.now + MOVE_SECONDS, wanted)
        if self.now >= self._users_go[0]:
            self.served_by = self._users_go[1]


class FakeSwitch(Switch):
    """The switch in the world's replicas; its calls of DynamoDB are tested apart."""

    def __init__(self, world: World) -> None:
        super().__init__(PRIMARY, STANDBY, {}, "items", world._tell, lambda: world.now)
        self._world = world

    def read(self) -> Row:
        return self._replica().row

    def shows(self, region: str, condition: Callable[[Row], bool]) -> bool:
        replica = self._world.replicas[region]
        return not replica.gone and condition(replica.row)

    def set(self, order: Order, before: Row) -> Row:
        if self.read().changed_at != before.changed_at:
            raise ToolchainError("Somebody else has set the switch meanwhile.")
        self._world.step(f"before {order}")
        row = replace(
            self.read(),
            active=order.active,
            writer=order.writer,
            next_writer=order.next_writer,
            next_at=order.next_at,
            changed_at=f"{self._world.now:.3f} {order}",
        )
        self._send(lambda replica: replica.rows.append((self._world.now, row)))
        self._world.step(f"after {order}")
        return row

    def mark(self, region: str) -> str | None:
        if self._world.replicas[region].gone:
            return None
        token = f"marker of {self._world.now}"
        self._world.send(region, lambda replica: setattr(replica, "marker", token))
        return token

    def marked(self, source: str, target: str, token: str) -> bool:
        del source
        return self._world.replicas[target].marker == token

    def _replica(self) -> Replica:
        standby = self._world.replicas[STANDBY]
        return self._world.replicas[PRIMARY] if standby.gone else standby

    def _send(self, change: Callable[[Replica], None]) -> None:
        gone = self._world.replicas[STANDBY].gone
        self._world.send(PRIMARY if gone else STANDBY, change)
