"""The DynamoDB table, through one Region's replica.

    owner + item_id        the key
    by_created  (local)    owner + listed_at          "<created_at>#<item_id>"
    by_status   (global)   owner + status_changed_at  "<status>#<updated_at>#<item_id>"

An item in the trash has neither index attribute, so no list shows it, and expires_at, after which
DynamoDB removes it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from items import cursor
from items.model import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

CONDITION_FAILED = "ConditionalCheckFailedException"
# The request itself is wrong, so another try or another Region wouldn't help: a fault of ours.
_OURS = {"ValidationException", "SerializationException"}

_UNCHANGED = "#version = :version AND updated_at = :updated_at AND written_in = :written_in"


class TableUnavailable(Exception):  # noqa: N818 - a state of the world, and it's in the name
    """This Region's replica can't be used; the message names DynamoDB's error, no content."""


def request_client(region: str) -> DynamoDBClient:
    """Make the client for items: two attempts, at most about six seconds in all."""
    return _client(region, attempts=2, connect_timeout=1, read_timeout=2)


def probe_client(region: str) -> DynamoDBClient:
    """Make the client for health checks: one attempt, a read and a write within a second.

    The write reuses the connection that the read made, so it is 0.3 s for connecting, and 0.3 s
    for each answer.
    """
    return _client(region, attempts=1, connect_timeout=0.3, read_timeout=0.3)


def _client(
    region: str, *, attempts: int, connect_timeout: float, read_timeout: float
) -> DynamoDBClient:
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )
    # botocore, not boto3: the same client without importing resources and S3 transfer.
    session = botocore.session.get_session()
    client = session.create_client("dynamodb", region_name=region, config=config)
    return cast("DynamoDBClient", client)


class Table:
    """The items of all owners. TableUnavailable when the replica can't be used."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, owner: str, item_id: str) -> Item | None:
        """Read an item consistently, those in the trash too."""
        with _errors():
            answer = self._client.get_item(
                TableName=self._name,
                Key={"owner": {"S": owner}, "item_id": {"S": item_id}},
                ConsistentRead=True,
            )
        attributes = answer.get("Item")
        return _item(attributes) if attributes else None

    def insert(self, item: Item) -> bool:
        """Write a new item; False, and nothing written, when its id is taken."""
        return self._put(item, ConditionExpression="attribute_not_exists(item_id)")

    def update(self, held: Item, item: Item) -> bool:
        """Write item over held; False, and nothing written, when held is not what is there."""
        return self._put(item, **_unchanged(held))

    def trash(self, held: Item, item: Item, expires_at: int) -> bool:
        """Put an item into the trash like update, until expires_at (epoch seconds)."""
        condition = _unchanged(held)
        condition["ExpressionAttributeValues"] |= {
            ":next": {"N": str(item.version)},
            ":now": {"S": item.updated_at},
            ":region": {"S": item.written_in},
            ":deleted_at": {"S": item.deleted_at},
            ":expires_at": {"N": str(expires_at)},
        }
        with _errors():
            return _passed(
                lambda: self._client.update_item(
                    TableName=self._name,
                    Key={"owner": {"S": item.owner}, "item_id": {"S": item.id}},
                    UpdateExpression=(
                        "SET #version = :next, updated_at = :now, written_in = :region, "
                        "deleted_at = :deleted_at, expires_at = :expires_at "
                        "REMOVE listed_at, status_changed_at"
                    ),
                    **condition,
                )
            )

    def page(self, owner: str, status: str | None, limit: int, after: str | None) -> list[Item]:
        """Give up to limit items, newest first, that come after a place in the index.

        All of them in order of creation are read consistently; those of a status come from the
        global index, which is some milliseconds behind.
        """
        query = _query(owner, status)
        if after is not None:
            sort_key = "listed_at" if status is None else "status_changed_at"
            query["ExclusiveStartKey"] = {
                "owner": {"S": owner},
                "item_id": {"S": cursor.item_id(after)},
                sort_key: {"S": after},
            }
        found: list[Item] = []
        while len(found) < limit:
            # DynamoDB ends a page at 1 MB whatever the limit is.
            with _errors():
                answer = self._client.query(TableName=self._name, Limit=limit - len(found), **query)
            found += [_item(attributes) for attributes in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            if not last:
                break
            query["ExclusiveStartKey"] = last
        return found

    def place(self, item: Item, status: str | None) -> str:
        """Give an item's place in the index that page uses."""
        return _listed_at(item) if status is None else _status_changed_at(item)

    def _put(self, item: Item, **condition: Any) -> bool:  # noqa: ANN401 - botocore's arguments
        with _errors():
            return _passed(
                lambda: self._client.put_item(
                    TableName=self._name, Item=_attributes(item), **condition
                )
            )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _OURS:
            raise
        raise TableUnavailable(code) from error
    except BotoCoreError as error:
        raise TableUnavailable(type(error).__name__) from error


def _passed(write: Any) -> bool:  # noqa: ANN401
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] == CONDITION_FAILED:
            return False
        raise
    return True


def _unchanged(held: Item) -> dict[str, Any]:
    return {
        "ConditionExpression": _UNCHANGED,
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {
            ":version": {"N": str(held.version)},
            ":updated_at": {"S": held.updated_at},
            ":written_in": {"S": held.written_in},
        },
    }


def _query(owner: str, status: str | None) -> dict[str, Any]:
    newest_first = {"ScanIndexForward": False}
    values: dict[str, Any] = {":owner": {"S": owner}}
    names = {"#owner": "owner"}
    if status is None:
        return newest_first | {
            "IndexName": "by_created",
            "ConsistentRead": True,
            "KeyConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    return newest_first | {
        "IndexName": "by_status",
        "KeyConditionExpression": "#owner = :owner AND begins_with(status_changed_at, :status)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values | {":status": {"S": f"{status}#"}},
    }


def _listed_at(item: Item) -> str:
    return f"{item.created_at}#{item.id}"


def _status_changed_at(item: Item) -> str:
    return f"{item.status}#{item.updated_at}#{item.id}"


def _attributes(item: Item) -> dict[str, Any]:
    texts = {
        "owner": item.owner,
        "item_id": item.id,
        "title": item.title,
        "status": item.status,
        "notes": item.notes,
        "due_on": item.due_on,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "written_in": item.written_in,
        "request_hash": item.request_hash,
        "listed_at": _listed_at(item),
        "status_changed_at": _status_changed_at(item),
    }
    attributes: dict[str, Any] = {
        name: {"S": text} for name, text in texts.items() if text is not None
    }
    attributes["version"] = {"N": str(item.version)}
    attributes["tags"] = {"L": [{"S": tag} for tag in item.tags]}
    return attributes


def _item(attributes: Any) -> Item:  # noqa: ANN401 - botocore's attribute values
    def text(name: str) -> str | None:
        value: str | None = attributes[name]["S"] if name in attributes else None
        return value

    return Item(
        owner=attributes["owner"]["S"],
        id=attributes["item_id"]["S"],
        title=attributes["title"]["S"],
        status=attributes["status"]["S"],
        tags=tuple(tag["S"] for tag in attributes["tags"]["L"]),
        notes=text("notes"),
        due_on=text("due_on"),
        version=int(attributes["version"]["N"]),
        created_at=attributes["created_at"]["S"],
        updated_at=attributes["updated_at"]["S"],
        written_in=attributes["written_in"]["S"],
        request_hash=attributes["request_hash"]["S"],
        deleted_at=text("deleted_at"),
    )
