"""A planned move of users and of writes from one Region to the other, so that no update is lost.

The row of the switch says at each step who may write, and when that changes by itself: whoever
performs the steps may die between any two of them, and whoever performs them again goes on from
what the row says.

1. Announce: users are to move, and the Region that they leave goes on writing alone until a time
   by which they have moved. Who comes to the other Region early reads there, and is refused writes.
2. Once the public name's writes come to the other Region, let nobody write, until the Region that
   is left has seen that, and what it acknowledged has arrived in the other.
3. Let the other Region write. After a failback it shares writes again, as health checks alone say
   then where users go.

Where the Region that is left isn't ready, or its table can't be reached, there is nothing to wait
for: the other Region may write at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from drills.switch import NORMAL, Order, Switch
from project.console import ToolchainError
from project.switch import KEPT_SECONDS, NOBODY, SEEN_SECONDS, Row

LOOK_AGAIN_SECONDS = 0.5
# Requests through kept connections of the edge and through new ones take turns for a while.
LOOKS_IN_A_ROW = 3
# Between the last look at users and the time at which the announced change comes by itself.
SPARE_SECONDS = 15.0
# How long nobody writes at most while the Regions bring each other up to date; a second is usual.
CATCH_UP_SECONDS = 30.0
# A Region keeps a bad answer to its readiness for a second.
ASK_AGAIN_SECONDS = 2.0
# After users are seen to have come back, others may still be sent to the Region that was left, by a
# resolver's older answer or a connection that the edge keeps. AWS names no bound for these.
LINGER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether users have moved, and for how long writes were refused at most; None if not known."""

    moved: bool
    refused_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a hand-over needs: the switch, eyes, and how patient it is.

    `writes_served_by` names the Region that answers the public name's writes, or says what else is
    seen; `ready` tells whether a Region is; `tell` hears of each step; `pause`
    waits for so many seconds, and `clock` never goes back.
    """

    switch: Switch
    writes_served_by: Callable[[], str]
    ready: Callable[[str], bool]
    tell: Callable[[str], None]
    patience_seconds: float
    linger_seconds: float = LINGER_SECONDS
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def take_over(self) -> Outcome:
        """Make the standby serve and write, or go on with that.

        Raises ToolchainError where it can't be, and botocore's errors as they are.
        """
        primary, standby = self.switch.primary_region, self.switch.standby_region
        return _Move(self, primary, standby, active=True).perform()

    def fail_back(self) -> Outcome:
        """Make the primary serve, and every Region may write again. Raises as `take_over`."""
        primary, standby = self.switch.primary_region, self.switch.standby_region
        return _Move(self, standby, primary, active=False).perform()

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until it is so; False when it isn't in time."""
        deadline = self.clock() + seconds
        while not condition():
            if self.clock() >= deadline:
                return False
            self.pause(LOOK_AGAIN_SECONDS)
        return True


class _State(Enum):
    """How far a move is, by the row alone."""

    DONE = "done"
    ARRIVED = "the Region that is moved to writes already"
    STOPPED = "nobody writes, and the Region that is moved to comes next"
    REVERSED = "nobody writes, and the Region that is left comes next"
    TO_DO = "to do"


class _Move:
    """One hand-over; `active` is what the switch says of the standby once it is done."""

    def __init__(self, hand_over: HandOver, leaving: str, coming: str, *, active: bool) -> None:
        self._hand_over = hand_over
        self._switch = hand_over.switch
        self._leaving = leaving
        self._coming = coming
        self._active = active
        self._row = self._switch.read()
        self._refused_since: float | None = None
        self._seen: set[str] = set()

    def perform(self) -> Outcome:
        """Do what is left to do."""
        if self._row.paused:
            self._tell(
                f"Writes are paused in every Region since {self._row.paused_at}, and stay so: "
                "`make resume-writes` ends that."
            )
        if self._state() is _State.DONE:
            return self._already_done()
        if not self._leaving_is_well():
            return self._at_once()
        self._require_ready()
        # What the row says changes by itself: it isn't what it was before the wait.
        return self._go_on(self._state())

    def _state(self) -> _State:
        row = self._row
        writer = row.writer_at(self._switch.now(), self._switch.standby_region)
        if (row.active, row.writer, row.next_writer) == (self._active, self._final().writer, None):
            return _State.DONE
        if writer == NOBODY:
            return _State.STOPPED if row.next_writer == self._coming else _State.REVERSED
        # Where every Region may, users are already where the switch has sent them.
        if writer == self._coming or (writer is None and row.active == self._active):
            return _State.ARRIVED
        return _State.TO_DO

    def _go_on(self, state: _State) -> Outcome:
        match state:
            case _State.ARRIVED:
                return self._complete()
            case _State.STOPPED:
                self._tell("A hand-over has begun before: this goes on with it.")
            case _State.REVERSED:
                self._tell(f"A hand-over to {self._leaving} has begun: it is completed first.")
                if not self._catch_up(self._coming, self._leaving, active=not self._active):
                    return self._give_back(f"{self._coming} writes on")
                self._set(Order.only(self._leaving, active=not self._active, since=self._now()))
        if state is _State.STOPPED:
            return self._change_writers()
        self._require_replication()
        return self._change_writers() if self._announce() else Outcome(moved=False)

    def _final(self) -> Order:
        return Order(active=True, writer=self._coming) if self._active else NORMAL

    def _already_done(self) -> Outcome:
        self._tell(
            f"{self._switch.standby_region} "
            + ("had taken over before." if self._active else "had not taken over.")
        )
        return Outcome(moved=self._users_come())

    def _leaving_is_well(self) -> bool:
        """Whether the Region that is left can take part. Asked twice: a slip is no lost Region."""
        if not self._switch.reaches(self._leaving):
            self._tell(f"The table in {self._leaving} can't be reached.")
            return False
        if self._hand_over.ready(self._leaving):
            return True
        self._hand_over.pause(ASK_AGAIN_SECONDS)
        if self._hand_over.ready(self._leaving):
            return True
        self._tell(f"{self._leaving} is not ready.")
        return False

    def _at_once(self) -> Outcome:
        if self._active:
            # A failback fences nobody; this does, and must not while the standby is no better.
            self._require_ready()
        self._set(self._final())
        writers = f"{self._coming} may write" if self._active else "Every Region may write"
        self._tell(
            f"{writers} from now on: there is nothing to wait for. If {self._leaving} lives, it "
            "goes on taking writes until the switch reaches it, and what it has acknowledged may "
            "not have left it."
        )
        return Outcome(moved=self._users_come())

    def _require_ready(self) -> None:
        """Wait for the Region that is moved to; nothing has changed until then."""
        if self._hand_over.ready(self._coming):
            return
        self._tell(f"{self._coming} is not ready: users stay where they are until it is.")
        patience = self._hand_over.patience_seconds
        if not self._hand_over.until(lambda: self._hand_over.ready(self._coming), patience):
            command = "takeover" if self._active else "failback"
            raise ToolchainError(
                f"{self._coming} is not ready after {patience:.0f} s. Nothing was changed: run "
                f"`make {command}` again once it is (docs/runbooks/region-serves-errors.md)."
            )

    def _require_replication(self) -> None:
        """See that what is written in the one Region comes to the other; nothing has changed."""
        if not self._arrives(self._leaving, self._coming, CATCH_UP_SECONDS):
            raise ToolchainError(
                f"What is written in {self._leaving} has not come to {self._coming} after "
                f"{CATCH_UP_SECONDS:.0f} s, so that a move would lose it. Nothing was changed. "
                "Look at ReplicationLatency of the table in CloudWatch, and try again."
            )

    def _announce(self) -> bool:
        """Have users move, and await them; take it back, and False, where they stay."""
        patience = self._hand_over.patience_seconds
        due = self._now() + int((patience + SPARE_SECONDS) * 1000)
        self._set(Order(self._active, self._leaving, self._coming, due))
        self._tell(
            f"Users move to {self._coming}; {self._leaving} goes on writing until they have."
        )
        if self._users_come():
            return True
        if self._coming in self._seen or self._leaving not in self._seen:
            self._tell("Who serves users can't be seen: going on, as they were told to move.")
            return True
        self._give_back(f"Users are still in {self._leaving} after {patience:.0f} s")
        return False

    def _give_back(self, why: str) -> Outcome:
        """Let the Region that was to be left go on as before."""
        self._set(NORMAL if self._active else Order(active=True, writer=self._leaving))
        self._tell(f"{why}: the switch is as it was before. See the health checks.")
        return Outcome(moved=False)

    def _change_writers(self) -> Outcome:
        if self._refused_since is None:
            self._refused_since = self._hand_over.clock()
        if not self._catch_up(self._leaving, self._coming, active=self._active):
            return self._give_back(f"{self._leaving} writes on")
        self._set(Order.only(self._coming, active=self._active, since=self._now()))
        self._tell(f"{self._coming} may write.")
        self._sees(self._coming, self._row)
        self._hand_over.pause(KEPT_SECONDS)
        refused = self._hand_over.clock() - self._refused_since
        return replace(self._complete(), refused_seconds=refused)

    def _catch_up(self, leaving: str, coming: str, *, active: bool) -> bool:
        """Let nobody write until what one Region acknowledged is in the other.

        False where it isn't in time. A Region that is lost meanwhile is waited for no longer.
        """
        lasts = CATCH_UP_SECONDS + SPARE_SECONDS
        self._set(Order(active, NOBODY, coming, self._now() + int(lasts * 1000)))
        self._tell(f"{leaving} stops writing.")
        if self._sees(leaving, self._row):
            self._hand_over.pause(SEEN_SECONDS)
            if self._arrives(leaving, coming, CATCH_UP_SECONDS / 2):
                return True
        if not self._switch.reaches(leaving):
            self._tell(
                f"The table in {leaving} can't be reached any more. What it acknowledged last may "
                "not have left it."
            )
            return True
        self._tell(f"What {leaving} acknowledged is not known to have come to {coming}.")
        return False

    def _arrives(self, leaving: str, coming: str, seconds: float) -> bool:
        """Whether what is written in the one Region from now on comes to the other in time."""
        token = self._switch.mark(leaving)
        return token is not None and self._hand_over.until(
            lambda: self._switch.marked(leaving, coming, token), seconds
        )

    def _sees(self, region: str, row: Row) -> bool:
        """Whether a Region has come to hold the row; not waited for once it can't be reached."""

        def same(there: Row) -> bool:
            return there.changed_at == row.changed_at

        seen = False

        def seen_or_lost() -> bool:
            nonlocal seen
            seen = self._switch.shows(region, same)
            return seen or not self._switch.reaches(region)

        self._hand_over.until(seen_or_lost, CATCH_UP_SECONDS / 2)
        return seen

    def _complete(self) -> Outcome:
        """Await users, then leave the switch as it is to be."""
        named = self._coming in {self._row.writer, self._row.next_writer}
        if not named or self._row.active != self._active:
            # Users are still to come, or to come back.
            since = self._now() + int(self._hand_over.patience_seconds * 1000)
            self._set(Order.only(self._coming, active=self._active, since=since))
        moved = self._users_come()
        if moved and not self._active:
            self._tell(f"{self._leaving} is kept from writing until no request goes there.")
            self._hand_over.pause(self._hand_over.linger_seconds)
        self._set_final()
        return Outcome(moved)

    def _set_final(self) -> None:
        final = self._final()
        if (self._row.writer, self._row.next_writer) != (final.writer, None):
            self._set(final)

    def _users_come(self) -> bool:
        """Wait until the Region that is moved to answers writes, several in a row."""
        seen, in_a_row = "", 0

        def come() -> bool:
            nonlocal seen, in_a_row
            now = self._hand_over.writes_served_by()
            self._seen.add(now)
            if now != seen:
                self._tell(f"Writes are served by {now}.")
            if now == self._coming and self._refused_since is None:
                self._refused_since = self._hand_over.clock()
            seen, in_a_row = now, in_a_row + 1 if now == self._coming else 0
            return in_a_row >= LOOKS_IN_A_ROW

        return self._hand_over.until(come, self._hand_over.patience_seconds)

    def _set(self, order: Order) -> None:
        self._row = self._switch.set(order, self._row)

    def _now(self) -> int:
        return self._switch.now()

    def _tell(self, what: str) -> None:
        self._hand_over.tell(what)
