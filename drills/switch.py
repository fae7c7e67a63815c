"""The operator's switch: its writes, and how far they have come.

The standby's /health/takeover reads the row, an inverted Route 53 health check watches that answer,
and the primary's record follows the check; each Region's users' function reads in it who may write.
So the switch needs neither the primary Region nor Route 53's control plane. It is written in the
standby's replica, so that no two writes of it conflict; only where that can't be reached, in the
primary's, whose newer write wins once the Regions replicate again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from project.console import ToolchainError
from project.switch import HANDOVER_MS, Row, key_of, read

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
# A Region may be gone, and users wait: two tries, at most 10 s.
PROMPT = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
SERVERS_FAULT = 500
CONDITION_FAILED = "ConditionalCheckFailedException"
# Rows that are written in one Region and awaited in the other. DynamoDB promises no order between
# rows; several keys are as many samples of the table's partitions.
MARKERS = 8
# HTTP's Date has whole seconds; less than this is no clock that is wrong.
CLOCK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the switch is set to, all but a pause; next_at is in epoch milliseconds."""

    active: bool
    writer: str | None = None
    next_writer: str | None = None
    next_at: int | None = None

    @classmethod
    def only(cls, region: str, *, active: bool, since: int) -> Order:
        """Let a Region alone write; a primary, so that it shares writes again by itself.

        Whoever sets this may die, and a primary that alone writes could not be taken over from:
        the hand-over to it is one that was due HANDOVER_MS before `since`.
        """
        if active:
            return cls(active=True, writer=region)
        return cls(active=False, writer=region, next_writer=region, next_at=since - HANDOVER_MS)


# Health checks alone say where users go, and every Region may write.
NORMAL = Order(active=False)


def update(values: Mapping[str, dict[str, Any] | None]) -> dict[str, Any]:
    """Build UpdateItem's parameters: set what has a value, and remove the rest."""
    sets = [name for name, value in values.items() if value is not None]
    removes = [name for name, value in values.items() if value is None]
    parts = [f"SET {', '.join(f'{name} = :{name}' for name in sets)}"] if sets else []
    parts += [f"REMOVE {', '.join(removes)}"] if removes else []
    parameters: dict[str, Any] = {"UpdateExpression": " ".join(parts)}
    if sets:
        parameters["ExpressionAttributeValues"] = {f":{name}": values[name] for name in sets}
    return parameters


def attributes_of(order: Order, now: str) -> dict[str, dict[str, Any] | None]:
    """Give the row's attributes for an order; None for one that is to be absent."""
    return {
        "active": {"BOOL": order.active},
        "changed_at": {"S": now},
        "writer": {"S": order.writer} if order.writer else None,
        "next_writer": {"S": order.next_writer} if order.next_writer else None,
        "next_at": None if order.next_at is None else {"N": str(order.next_at)},
    }


def guarded(parameters: dict[str, Any], before: Row) -> dict[str, Any]:
    """Add the condition that nobody has set the switch since it was read."""
    if before.changed_at is None:
        return {**parameters, "ConditionExpression": "attribute_not_exists(changed_at)"}
    values = {**parameters["ExpressionAttributeValues"], ":before": {"S": before.changed_at}}
    return {
        **parameters,
        "ConditionExpression": "changed_at = :before",
        "ExpressionAttributeValues": values,
    }


def is_unreachable(error: Exception) -> bool:
    """Whether an error says that a Region's DynamoDB can't be reached, or fails by itself."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= SERVERS_FAULT
    return isinstance(error, NoConnectionError | HTTPClientError)


@dataclass(slots=True)
class Switch:
    """The switch, in the table that the Regions share. `tell` hears what isn't as usual.

    Every method raises botocore's errors as they are, and ToolchainError where neither Region
    can be reached.
    """

    primary_region: str
    standby_region: str
    clients: Mapping[str, DynamoDBClient]
    table_name: str
    tell: Callable[[str], None] = lambda _: None
    wall: Callable[[], float] = time.time
    _behind_seconds: float = field(default=0.0, repr=False)
    _gone: set[str] = field(default_factory=set, repr=False)

    def now(self) -> int:
        """Give the time in epoch milliseconds: AWS's, where this machine's clock is wrong."""
        return int((self.wall() + self._behind_seconds) * 1000)

    def read(self) -> Row:
        """Read the row: the standby's, or the primary's where the standby can't be reached."""
        answer = self._anywhere(
            lambda client: client.get_item(
                TableName=self.table_name, Key=key_of(self.standby_region), ConsistentRead=True
            )
        )
        self._behind_seconds = _behind(answer["ResponseMetadata"], self.wall())
        return Row.of(answer.get("Item", {}))

    def reaches(self, region: str) -> bool:
        """Whether a Region's replica can be read."""
        return self.shows(region, lambda _row: True)

    def shows(self, region: str, condition: Callable[[Row], bool]) -> bool:
        """Whether the row as a Region's replica holds it is so; False where it can't be read."""
        rows: list[Row] = []
        reached = _reached(
            lambda: rows.append(read(self.clients[region], self.table_name, self.standby_region))
        )
        return reached and condition(rows[0])

    def set(self, order: Order, before: Row) -> Row:
        """Set it, unless somebody has since `before` was read; give the row that stands then.

        Raises ToolchainError where somebody has.
        """
        changed_at = _now()
        parameters = update(attributes_of(order, changed_at))

        def write(client: DynamoDBClient) -> Row:
            # A standby that can't be reached may hold what hasn't come here.
            elsewhere = client is self.clients[self.primary_region]
            return self._update(client, parameters if elsewhere else guarded(parameters, before))

        try:
            return self._anywhere(write)
        except ClientError as error:
            if error.response["Error"]["Code"] != CONDITION_FAILED:
                raise
            row = self.read()
            # The answer to a first try may have been lost.
            if row.changed_at == changed_at:
                return row
            raise ToolchainError(
                "Somebody else has set the switch meanwhile: it says that "
                f"{row.sentence(self.now(), self.standby_region)}. Nothing more is done here."
            ) from None

    def reset(self) -> None:
        """Put it into its normal state at once, whatever it was; a pause stays."""
        parameters = update(attributes_of(NORMAL, _now()))
        self._anywhere(lambda client: self._update(client, parameters))

    def pause(self) -> bool:
        """Let no Region write; False where writes were paused already."""
        return self._set_paused({"paused": {"BOOL": True}, "paused_at": {"S": _now()}}) is False

    def resume(self) -> bool:
        """End the pause; False where there was none."""
        return self._set_paused({"paused": None, "paused_at": None})

    def mark(self, region: str) -> str | None:
        """Write markers in a Region; give what `marked` finds them by, None if it can't be reached.

        Their keys are always the same, so that none is left behind but the last.
        """
        token = str(uuid.uuid4())

        def write() -> None:
            for number in range(MARKERS):
                self.clients[region].update_item(
                    TableName=self.table_name,
                    Key=_marker(region, number),
                    **update({"marker": {"S": token}}),
                )

        return token if _reached(write) else None

    def marked(self, source: str, target: str, token: str) -> bool:
        """Whether all markers of one Region have come to another."""
        found: set[str] = set()

        def look() -> None:
            for number in range(MARKERS):
                answer = self.clients[target].get_item(
                    TableName=self.table_name, Key=_marker(source, number), ConsistentRead=True
                )
                found.add(str(answer.get("Item", {}).get("marker", {}).get("S")))

        return _reached(look) and found == {token}

    def _set_paused(self, values: Mapping[str, dict[str, Any] | None]) -> bool:
        """Write the pause or its end; tell whether there was one."""
        parameters = {**update(values), "ReturnValues": "ALL_OLD"}
        before: Any = self._anywhere(
            lambda client: client.update_item(
                TableName=self.table_name, Key=key_of(self.standby_region), **parameters
            )
        )
        return Row.of(before.get("Attributes", {})).paused

    def _update(self, client: DynamoDBClient, parameters: Mapping[str, Any]) -> Row:
        answer: Any = client.update_item(
            TableName=self.table_name,
            Key=key_of(self.standby_region),
            ReturnValues="ALL_NEW",
            **parameters,
        )
        return Row.of(answer["Attributes"])

    def _anywhere(self, call: Callable[[DynamoDBClient], T]) -> T:
        """Make a call in the standby, and in the primary where the standby can't be reached."""
        try:
            return call(self.clients[self.standby_region])
        except (ClientError, HTTPClientError, NoConnectionError) as error:
            if not is_unreachable(error):
                raise
            self._tell_once(self.standby_region, error)
        try:
            return call(self.clients[self.primary_region])
        except (ClientError, HTTPClientError, NoConnectionError) as error:
            if not is_unreachable(error):
                raise
            raise ToolchainError(
                f"Table {self.table_name} can be reached neither in {self.standby_region} nor in "
                f"{self.primary_region}: {error}"
            ) from error

    def _tell_once(self, region: str, error: Exception) -> None:
        if region not in self._gone:
            self._gone.add(region)
            self.tell(
                f"The table in {region} can't be reached ({error}): the switch is set in "
                f"{self.primary_region}, and goes there once the Regions replicate again."
            )


def _reached(call: Callable[[], None]) -> bool:
    """Make a call; False where the Region can't be reached. Raises other errors as they are."""
    try:
        call()
    except (ClientError, HTTPClientError, NoConnectionError) as error:
        if is_unreachable(error):
            return False
        raise
    return True


def _marker(region: str, number: int) -> Any:  # noqa: ANN401 - botocore's attribute values
    return {"owner": {"S": f"marker#{region}#{number}"}, "item_id": {"S": "hand-over"}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _behind(metadata: Mapping[str, Any], now: float) -> float:
    """Read from an answer how far this machine's clock is behind AWS's; 0 where it is right."""
    date = metadata.get("HTTPHeaders", {}).get("date")
    if not date:
        return 0.0
    behind = parsedate_to_datetime(date).timestamp() - now
    return behind if abs(behind) > CLOCK_SECONDS else 0.0
