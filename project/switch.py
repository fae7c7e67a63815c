"""The operator's switch as data: one row of the table, which says where users go and who writes.

The row's key is `region#<standby>`, `takeover`. The standby's /health/takeover answers by `active`;
the users' functions of both Regions go by the rest (lambda/items/fence.py, whose rules `writer_at`
follows). It replicates like every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# In the place of a Region: none may write.
NOBODY = "nobody"
# For how long a function goes by what it has read, and by when no request goes by it any more.
KEPT_SECONDS = 2.0
SEEN_SECONDS = 3.0
# From next_at, when one Region stops, until the other begins; and until a primary that has writes
# back shares them again (lambda/items/fence.py).
HANDOVER_MS = 5_000
SHARED_AFTER_MS = 60_000


@dataclass(frozen=True, slots=True)
class Row:
    """The switch as it was read. Times are ISO 8601, but for next_at: epoch milliseconds.

    writer and next_writer are Regions or NOBODY; no writer means that every Region may write.
    """

    active: bool = False
    writer: str | None = None
    next_writer: str | None = None
    next_at: int | None = None
    paused: bool = False
    changed_at: str | None = None
    paused_at: str | None = None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Row:
        """Read DynamoDB's attributes; an empty item is a switch that nobody ever touched."""
        next_at = item.get("next_at", {}).get("N")
        return cls(
            active=item.get("active", {}).get("BOOL", False),
            writer=item.get("writer", {}).get("S"),
            next_writer=item.get("next_writer", {}).get("S"),
            next_at=None if next_at is None else int(float(next_at)),
            paused=item.get("paused", {}).get("BOOL", False),
            changed_at=item.get("changed_at", {}).get("S"),
            paused_at=item.get("paused_at", {}).get("S"),
        )

    def is_normal(self, now: int, standby: str) -> bool:
        """Whether at `now` health checks alone say where users go, and every Region may write."""
        return not self.active and not self.paused and self.writer_at(now, standby) is None

    def writer_at(self, now: int, standby: str) -> str | None:
        """Tell who may write at `now` (epoch milliseconds), a pause left aside.

        A Region, NOBODY, or None for every Region.
        """
        if self.next_writer is None or self.next_at is None or now < self.next_at:
            return self.writer
        elapsed = now - self.next_at
        if self.next_writer != standby and elapsed >= SHARED_AFTER_MS:
            return None
        has_begun = elapsed >= HANDOVER_MS or self.next_writer == self.writer
        return self.next_writer if has_begun else NOBODY

    def sentence(self, now: int, standby: str) -> str:
        """Say who may write at `now`, and what a person has to do about it, if anything."""
        if self.paused:
            since = f" since {self.paused_at}" if self.paused_at else ""
            return f"no Region may write: paused{since} (make resume-writes)"
        return self._unpaused(now, standby)

    def _unpaused(self, now: int, standby: str) -> str:
        writer = self.writer_at(now, standby)
        if self.next_writer is not None and self.next_at is not None and now < self.next_at:
            # In both, one Region leaves at next_at and the other begins: only its command ends it.
            command = "takeover" if self.next_writer == standby else "failback"
            at = datetime.fromtimestamp(self.next_at / 1000, UTC).isoformat(timespec="seconds")
            who = "no Region" if writer == NOBODY else f"{writer} alone"
            return f"{who} may write, {self.next_writer} from {at} on (make {command} goes on)"
        if writer == NOBODY:
            if self.next_writer is None:
                return "no Region may write (make failback)"
            return f"no Region may write; {self.next_writer} does within seconds"
        if writer is None:
            if self.active:
                return "every Region may write, and the standby has taken over (make failback)"
            return "every Region may write"
        command = "make failback" if self.active else "make failback ends a failback that broke off"
        return f"{writer} alone may write ({command})"


def key_of(standby: str) -> dict[str, Any]:
    """Give the row's key."""
    return {"owner": {"S": f"region#{standby}"}, "item_id": {"S": "takeover"}}


def read(client: DynamoDBClient, table_name: str, standby: str) -> Row:
    """Read the row in the client's Region, consistently. Raises botocore's errors as they are."""
    answer = client.get_item(TableName=table_name, Key=key_of(standby), ConsistentRead=True)
    return Row.of(answer.get("Item", {}))
