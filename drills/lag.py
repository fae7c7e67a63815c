"""How late a write reaches the other Region: markers, written in one and looked for there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from botocore.exceptions import BotoCoreError, ClientError

from drills.history import Lag
from drills.journal import Journal
from drills.rollback_log import RollbackLog
from drills.system import System
from project.owned_rows import owner_of

EVERY_SECONDS = 5.0
# Looked for ever less often, as one that waits for a partition's end would take all the attention.
LOOK_AGAIN_SECONDS = (0.1, 1.0)
AT_ONCE = 128


@dataclass(slots=True)
class Markers:
    """Markers both ways for as long as `flowing` runs; their owner is noted to be removed."""

    system: System
    journal: Journal
    username: str
    rollback: RollbackLog
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Send while the block runs; what hasn't come by then is kept as never come."""
        self.rollback.expect(self.username)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sender = pool.submit(self._send, pool)
            try:
                yield
            finally:
                self._over.set()
                sender.result()

    def _send(self, pool: ThreadPoolExecutor) -> None:
        primary, standby = self.system.regions
        for number in count():
            pool.submit(self._marker, primary, standby, number)
            pool.submit(self._marker, standby, primary, number)
            if self._over.wait(EVERY_SECONDS):
                return

    def _marker(self, source: str, target: str, number: int) -> None:
        table = self.system.deployment.table_name
        key = {
            "owner": {"S": owner_of(self.username)},
            "item_id": {"S": f"marker-{source}-{number}"},
        }
        sent = self.journal.clock()
        try:
            self.system.dynamodb(source).put_item(TableName=table, Item=key)
        except (BotoCoreError, ClientError):
            return
        shortest, longest = LOOK_AGAIN_SECONDS
        while not self._over.wait(min(longest, max(shortest, (self.journal.clock() - sent) / 20))):
            if self._is_in(target, key):
                self.journal.lag(Lag(source, target, sent, self.journal.clock() - sent))
                return
        self.journal.lag(Lag(source, target, sent, None))

    def _is_in(self, region: str, key: dict[str, dict[str, str]]) -> bool:
        table = self.system.deployment.table_name
        try:
            found = self.system.dynamodb(region).get_item(
                TableName=table,
                Key=key,
                ConsistentRead=True,
            )
        except (BotoCoreError, ClientError):
            return False
        return "Item" in found
