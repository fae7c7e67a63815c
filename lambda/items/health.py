"""The deep health checks: is this Region's replica usable, and is the operator's switch active.

Both answers are public, so both are cheap: kept for a second in memory, and one key read. Both are
there within a second: Route 53 waits two (dns-failover-determining-health-of-endpoints).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

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

T = TypeVar("T")
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


@dataclass(slots=True)
class OneRetry:
    """The calls of one answer, of which one may be made a second time.

    Lambda freezes an environment between requests and lets its idle connections go, so that the
    first use of one may fail though all is well (Lambda's best-practices, "keep-alive"). botocore's
    own retries wait up to a second before they try again.
    """

    spent: bool = False

    def call(self, request: Callable[[], T]) -> T:
        """Make a call, and once more where no answer came, or one of DynamoDB's own failures."""
        try:
            return request()
        except (BotoCoreError, ClientError) as error:
            if self.spent or not _is_worth_a_retry(error):
                raise
        self.spent = True
        return request()


class Probe:
    """The health checks of one Region's replica.

    wall and tick are clocks: epoch seconds, and seconds that never go back.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table_name: str,
        region: str,
        *,
        wall: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
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
            item = OneRetry().call(lambda: self._read("takeover"))
        except (ClientError, BotoCoreError):
            return None
        return bool(item.get("active", {}).get("BOOL", False))

    def _try(self) -> Readiness:
        stage, one_retry = "read", OneRetry()
        try:
            item = one_retry.call(lambda: self._read("ready"))
            checked_at = int(item.get("checked_at", {}).get("N", "0"))
            if int(self._wall() * 1000) - checked_at >= WRITE_EVERY_MS:
                stage = "write"
                one_retry.call(self._write)
        except (ConnectTimeoutError, ReadTimeoutError):
            return Readiness(stage, "timeout")
        except BotoCoreError:
            return Readiness(stage, "unreachable")
        except ClientError as error:
            return _verdict(stage, error.response["Error"]["Code"])
        return Readiness()

    def _read(self, item_id: str) -> dict[str, Any]:
        answer = self._client.get_item(
            TableName=self._table_name, Key=self._key(item_id), ConsistentRead=True
        )
        return dict(answer.get("Item") or {})

    def _write(self) -> None:
        """Write the time, unless somebody else just has: the refusal proves as much."""
        now = int(self._wall() * 1000)
        self._client.update_item(
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


def _is_worth_a_retry(error: BotoCoreError | ClientError) -> bool:
    if not isinstance(error, ClientError):
        return True
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500


def _verdict(stage: str, code: str) -> Readiness:
    if code == CONDITION_FAILED or code in _BUSY:
        return Readiness()
    return Readiness(stage, "refused")
