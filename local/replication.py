"""DynamoDB global tables replicate late, in order, and the last writer wins, as under MREC.

ministack applies every write to all replicas at once. Here a write travels on a link (from one
Region to another) and arrives after the lag. A link can be paused, as when a Region is lost;
what waits on it arrives, in order, once it resumes.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.item_store import ItemStore, Key
from local.patches import dynamodb
from local.patches.dynamodb import Item

logger = logging.getLogger("local.replication")

Link = tuple[str, str]
Address = tuple[str, str, str, str, str]  # account, Region, table, partition key, sort key

# What is saved, by kind: writes by their link and stamp, stamps by their address.
WAITING = "on its way"
STAMP = "last write"


@dataclass(frozen=True, slots=True)
class Write:
    """One item's new state on its way; `item` is None for a deletion, the time is Unix ns."""

    account: str
    source: str
    target: str
    table: str
    partition_key: str
    sort_key: str
    item: Item | None
    written_at: int

    def address(self, region: str) -> Address:
        """Where the item is in `region`."""
        return (self.account, region, self.table, self.partition_key, self.sort_key)

    @property
    def saved_as(self) -> tuple[str, str, str]:
        """Its key among what is saved."""
        return (self.source, self.target, str(self.written_at))


class Replication:
    """Takes each write to a global table and delivers it to the table's other replicas.

    What is on its way is kept in `saved`, beside the items, so that a crash can't part them.
    Not thread-safe: ministack's handlers and the delivery run on one event loop.
    """

    def __init__(
        self,
        lag: float,
        clock: Callable[[], int] = time.time_ns,
        store: Callable[[Write], None] | None = None,
        saved: ItemStore | None = None,
    ) -> None:
        self.lag = lag
        # Called with every write that has arrived, and how many seconds it took.
        self.listeners: list[Callable[[Write, float], None]] = []
        self.overwritten = 0
        self._clock = clock
        self._store = store or store_in_replica
        self._saved = saved
        self._waiting: dict[Link, deque[Write]] = {}
        self._paused: frozenset[str] = frozenset()
        self._last_write: dict[Address, int] = {}
        self._last_stamp = 0
        self._changed = asyncio.Event()

    def record(self, write: dynamodb.TableWrite) -> None:
        """Put a write to a global table on its way to the other replicas."""
        account, home = write.scope
        self.send(account, home, write.replicas, write.table, write.keys, write.item)

    def send(  # noqa: PLR0913, PLR0917 - what a write is made of
        self,
        account: str,
        source: str,
        targets: Sequence[str],
        table: str,
        keys: tuple[str, str],
        item: Item | None,
    ) -> None:
        """Put one item's new state on its way to other Regions."""
        stamp = self._stamp()
        self._remember((account, source, table, *keys), stamp)
        for target in targets:
            write = Write(account, source, target, table, *keys, copy.deepcopy(item), stamp)
            self._enqueue(write)
        self._changed.set()

    def _enqueue(self, write: Write) -> None:
        self._waiting.setdefault((write.source, write.target), deque()).append(write)
        if self._saved:
            self._saved.put(WAITING, write.saved_as, _fields(write))

    def _remember(self, address: Address, stamp: int) -> None:
        self._last_write[address] = stamp
        if self._saved:
            self._saved.put(STAMP, address, stamp)

    def _stamp(self) -> int:
        # Two writes never tie, and the clock never goes back.
        self._last_stamp = max(self._clock(), self._last_stamp + 1)
        return self._last_stamp

    @property
    def pending(self) -> int:
        """Writes that have not arrived."""
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def paused(self) -> frozenset[str]:
        """Regions that neither send nor receive."""
        return self._paused

    def pause(self, regions: frozenset[str]) -> None:
        """Cut exactly these Regions off; links of all others flow again."""
        self._paused = regions
        self._changed.set()

    def set_lag(self, seconds: float) -> None:
        """The lag from now on, for those on their way as well."""
        self.lag = seconds
        self._changed.set()

    def deliver_due(self) -> int:
        """Apply every write whose time has come on a link that flows; returns how many."""
        now, delivered = self._clock(), 0
        for queue in self._flowing():
            while queue and self._due(queue[0]) <= now:
                write = queue.popleft()
                if self._saved:
                    self._saved.remove(WAITING, write.saved_as)
                self._apply(write)
                for listener in self.listeners:
                    listener(write, (now - write.written_at) / 1e9)
                delivered += 1
        if delivered:
            self._forget_old_stamps()
        return delivered

    async def run(self, delivered: Callable[[], None]) -> None:
        """Deliver for ever; calls `delivered` after each round that changed something."""
        while True:
            self._changed.clear()
            if self.deliver_due():
                delivered()
            heads = [self._due(queue[0]) for queue in self._flowing() if queue]
            wait = max((min(heads) - self._clock()) / 1e9, 0.001) if heads else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    def _due(self, write: Write) -> int:
        return write.written_at + int(self.lag * 1e9)

    def _flowing(self) -> list[deque[Write]]:
        return [queue for link, queue in self._waiting.items() if not self._paused & set(link)]

    def _apply(self, write: Write) -> None:
        address = write.address(write.target)
        if self._last_write.get(address, 0) > write.written_at:
            self.overwritten += 1
            logger.info("%s keeps its newer write: dropped one from %s", address, write.source)
            return
        self._remember(address, write.written_at)
        self._store(write)

    def _forget_old_stamps(self) -> None:
        # Stamps only grow, so one older than everything on its way can never matter again.
        heads = [queue[0].written_at for queue in self._waiting.values() if queue]
        if heads and len(self._last_write) <= 4 * self.pending + 256:
            return
        oldest = min(heads) if heads else self._last_stamp
        old = [address for address, stamp in self._last_write.items() if stamp <= oldest]
        for address in old:
            del self._last_write[address]
            if self._saved:
                self._saved.remove(STAMP, address)

    def restore(self, writes: Iterable[dict[str, Any]], stamps: Mapping[Key, int]) -> None:
        """Take up what was on its way, and when each address was last written, in Unix ns."""
        for write in sorted((Write(**fields) for fields in writes), key=lambda w: w.written_at):
            self._enqueue(write)
            self._last_stamp = max(self._last_stamp, write.written_at)
        for (account, region, table, *keys), stamp in stamps.items():
            self._remember((account, region, table, keys[0], keys[1]), stamp)
            self._last_stamp = max(self._last_stamp, stamp)


def _fields(write: Write) -> dict[str, Any]:
    """A write's fields; unlike `asdict` it doesn't copy the item."""
    return {name: getattr(write, name) for name in Write.__slots__}


def store_in_replica(write: Write) -> None:
    """Apply a write to the table's replica in its target Region, if it still has one."""
    keys = (write.partition_key, write.sort_key)
    dynamodb.store_in_replica((write.account, write.target), write.table, keys, write.item)


def install(replication: Replication) -> None:
    """Replicate DynamoDB's writes through `replication`."""
    dynamodb.replicate_through(replication.record)
