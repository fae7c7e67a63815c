"""The deep health checks: is this Region's replica usable, and is the operator's switch active.

Both answers are public, so both are cheap: kept for a second in memory, and one key read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from items.table import CONDITION_FAILED

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS = 1.0
# However many checkers ask, and wherever: one write in so many seconds.
WRITE_EVERY_MS = 3_000
# The replica answers and lets us in; it is busy, and so would the other Region's be.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the replica can be used; failed is `read` or `write`, reason why, in one word."""

    failed: str | None = None
    reason: str | None = None


class Probe:
    """The health checks of one Region's replica.

    make_client is called once, when it is first needed. wall and tick are clocks: epoch seconds,
    and seconds that never go back.
    """

    def __init__(
        self,
        make_client: Callable[[], DynamoDBClient],
        table_name: str,
        region: str,
        *,
        wall: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_client = make_client
        self._made: DynamoDBClient | None = None
        self._table_name = table_name
        self._owner = f"region#{region}"
        self._wall = wall
        self._tick = tick
        self._readiness: tuple[float, Readiness] | None = None
        self._takeover: tuple[float, bool | None] | None = None

    def ready(self) -> Readiness:
        """Read the probe's item consistently, and write it when nobody has for a while."""
        if self._readiness is None or self._tick() - self._readiness[0] >= KEPT_SECONDS:
            readiness = self._try()
            self._readiness = (self._tick(), readiness)
        return self._readiness[1]

    def takeover(self) -> bool | None:
        """Tell whether the operator's switch is active; None when that can't be known."""
        if self._takeover is None or self._tick() - self._takeover[0] >= KEPT_SECONDS:
            active = self._takeover_active()
            self._takeover = (self._tick(), active)
        return self._takeover[1]

    def _takeover_active(self) -> bool | None:
        try:
            item = self._read("takeover")
        except (ClientError, BotoCoreError):
            return None
        return bool(item.get("active", {}).get("BOOL", False))

    def _try(self) -> Readiness:
        stage = "read"
        try:
            item = self._read("ready")
            checked_at = int(item.get("checked_at", {}).get("N", "0"))
            if int(self._wall() * 1000) - checked_at >= WRITE_EVERY_MS:
                stage = "write"
                self._write()
        except (ConnectTimeoutError, ReadTimeoutError):
            return Readiness(stage, "timeout")
        except BotoCoreError:
            return Readiness(stage, "unreachable")
        except ClientError as error:
            return _verdict(stage, error.response["Error"]["Code"])
        return Readiness()

    def _read(self, item_id: str) -> dict[str, Any]:
        answer = self._client().get_item(
            TableName=self._table_name, Key=self._key(item_id), ConsistentRead=True
        )
        return dict(answer.get("Item") or {})

    def _write(self) -> None:
        """Write the time, unless somebody else just has: the refusal proves as much."""
        now = int(self._wall() * 1000)
        self._client().update_item(
            TableName=self._table_name,
            Key=self._key("ready"),
            UpdateExpression="SET checked_at = :now",
            ConditionExpression="attribute_not_exists(checked_at) OR checked_at <= :old",
            ExpressionAttributeValues={
                ":now": {"N": str(now)},
                ":old": {"N": str(now - WRITE_EVERY_MS)},
            },
        )

    def _key(self, item_id: str) -> Any:  # noqa: ANN401 - botocore's attribute values
        return {"owner": {"S": self._owner}, "item_id": {"S": item_id}}

    def _client(self) -> DynamoDBClient:
        if self._made is None:
            self._made = self._make_client()
        return self._made


def _verdict(stage: str, code: str) -> Readiness:
    if code == CONDITION_FAILED or code in _BUSY:
        return Readiness()
    return Readiness(stage, "refused")
