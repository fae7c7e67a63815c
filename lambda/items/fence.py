"""The fence: which Region may write, as the operator's row says.

One row of the table, `region#<standby>` / `takeover`, replicates to both Regions, and each Region's
users' function goes by its own replica of it. So two Regions write at once only for as long as the
row takes to replicate, and two seconds more.

    writer        S     the Region that alone may write; absent, every Region may; `nobody`, none
    next_writer   S     the Region that writes from next_at on
    next_at       N     epoch milliseconds; absent, no change is due
    paused        BOOL  true: no Region may, whatever else the row says

The row names a hand-over's time itself, so that a tool that dies half-way leaves no two Regions
fenced. Health checks move users without asking anybody: the row is absent, or names no writer,
while they may.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOBODY = "nobody"
# How long what was read counts: one read in so many seconds, however many writes come.
KEPT_SECONDS = 2.0
# From the one Region's last write to the other's first: the row's age above, a second of
# replication, and clocks that differ.
HANDOVER_MS = 5_000
# A primary that has writes back shares them again so long after next_at, by when nobody's requests
# come to the standby any more: otherwise a failback that was broken off would leave a standby that
# can't take over.
SHARED_AFTER_MS = 60_000


@dataclass(frozen=True, slots=True)
class Order:
    """What the row says about writes; next_at is in epoch milliseconds."""

    writer: str | None = None
    next_writer: str | None = None
    next_at: int | None = None
    paused: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Order:
        """Read DynamoDB's attributes; one of another type is as if it were absent."""
        next_at = row.get("next_at", {}).get("N")
        return cls(
            writer=row.get("writer", {}).get("S"),
            next_writer=row.get("next_writer", {}).get("S"),
            next_at=None if next_at is None else int(float(next_at)),
            paused=row.get("paused", {}).get("BOOL", False),
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a Region may not write: writer does, now or soon; None where writes are paused."""

    writer: str | None


def refusal(order: Order, region: str, standby: str, now: int) -> Refusal | None:
    """Tell why region may not write at now (epoch milliseconds); None when it may."""
    if order.paused:
        return Refusal(None)
    coming = order.next_writer
    if coming is not None and order.next_at is not None and now >= order.next_at:
        # Who writes already and goes on needs no gap before it.
        stays = region == order.writer == coming
        return None if stays else _handed_over(coming, region, standby, now - order.next_at)
    if order.writer in {None, region}:
        return None
    return Refusal(coming if order.writer == NOBODY else order.writer)


def _handed_over(writer: str, region: str, standby: str, elapsed: int) -> Refusal | None:
    """Tell the same for so many milliseconds after next_at: who leaves stops, and writer begins."""
    if region == writer and elapsed >= HANDOVER_MS:
        return None
    if writer != standby and elapsed >= SHARED_AFTER_MS:
        return None
    return Refusal(writer)


class Fence:
    """One Region's view of the row.

    read gives the row's attributes, empty where there is no row, or raises. wall is a clock, in
    epoch seconds. What read raises is raised to every write, until the row can be read: a write
    needs the table itself and would meet the same, and one that went by what was known before could
    be a second Region's. So a failure costs no more calls than the write would have made.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Any]],
        region: str,
        standby: str,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._region = region
        self._standby = standby
        self._wall = wall
        self._known: tuple[float, Order] | None = None

    def refusal(self) -> Refusal | None:
        """Tell why this Region may not write now; None when it may."""
        order = self._order()
        return refusal(order, self._region, self._standby, int(self._wall() * 1000))

    def _order(self) -> Order:
        # By the wall clock, for an environment may be frozen at any time, and stale whatever is of
        # the future: such a clock has been set back.
        now = self._wall()
        if self._known is None or not 0 <= now - self._known[0] < KEPT_SECONDS:
            self._known = (now, Order.from_row(self._read()))
        return self._known[1]
