"""The DynamoDB table, through one Region's replica.

    owner + item_id        the key
    by_created  (local)    owner + listed_at          "<created_at>#<item_id>"
    by_status   (global)   owner + status_changed_at  "<status>#<updated_at>#<item_id>"

A soft-deleted item has neither index attribute, so no list shows it, and expires_at, after which
DynamoDB removes it.

botocore sends a write again when no answer comes, and the first may have been applied: then its own
condition fails. So a conditional write leaves an id in what it writes (`writes` of an item,
`changed_by` of a count), and a failed condition gives what is stored, to look for that id
(ReturnValuesOnConditionCheckFailure; API_PutItem: it consumes no read capacity).

Beside an owner's items stand up to two records of each account (sub), which no index shows:

    quota#<sub>    item_count, how many items it made; or closed_until, while it may make none
    owner#<sub>    accepted_subs: accounts whose items are this one's, written by an operator alone
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from items import cursor
from items.model import Item, new_write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.model import Caller

CONDITION_FAILED = "ConditionalCheckFailedException"
# The request itself is wrong, so another try or another Region wouldn't help: a fault of ours.
_OURS = {"ValidationException", "SerializationException"}
# The table's own limits, or the account's: it answers, and so would the other Region's.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
_FULL = "ItemCollectionSizeLimitExceededException"
# DynamoDB's limit for BatchWriteItem.
_BATCH = 25
# Items' ids are UUIDs, so these two bound them; the records' ids lie beyond.
_FIRST_ID, _PAST_IDS = "0", "g"
# A count of a thousand items takes one megabyte's page or a few; so much in one request, and the
# next one goes on.
COUNTED_PAGES = 20
COUNT_EVERY_SECONDS = 3600
# A list looks no further through what others left under the username: 100 MB.
CROWDED_PAGES = 100

_UNCHANGED = "#version = :version AND updated_at = :updated_at AND written_in = :written_in"


class TableError(Exception):
    """The table has not done what it was asked for."""


class TableUnavailable(TableError):  # noqa: N818 - a state of the world, and it's in the name
    """This Region's replica can't be used; the message names DynamoDB's error, no content."""


class TableBusy(TableError):  # noqa: N818 - as above
    """A quota of the table's or the account's is used up; the message names DynamoDB's error."""


class CollectionFull(TableError):  # noqa: N818 - as above
    """An owner's items have the 10 GB that a local index allows."""


class PartitionCrowded(TableError):  # noqa: N818 - as above
    """Another account's items, under the same username, are too many to look past."""


def request_client(region: str) -> DynamoDBClient:
    """Make the client for items: two attempts, at most about six seconds in all."""
    return _client(region, attempts=2, connect_timeout=1, read_timeout=2)


def probe_client(region: str) -> DynamoDBClient:
    """Make the client for health checks: a read, a write and one retry within a second.

    botocore tries once; the retry is the probe's (items.health.OneRetry). The write reuses the
    connection that the read made, so at worst two connections are made and three answers awaited.
    """
    return _client(region, attempts=1, connect_timeout=0.15, read_timeout=0.22)


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
    """The items of all owners.

    Every method may raise TableUnavailable or TableBusy, one that writes CollectionFull, too.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, owner: str, item_id: str) -> Item | None:
        """Read an item consistently, soft-deleted ones too."""
        attributes = self._get(_key(owner, item_id))
        return _item(attributes) if attributes else None

    def switch(self, standby: str) -> dict[str, Any]:
        """Read the operator's row of a standby Region, empty where there is none.

        Consistently: whoever hands writes over sees so that this replica holds the row, and counts
        on it that nobody here reads an older one from then on.
        """
        return self._get(_key(f"region#{standby}", "takeover"))

    def insert(self, item: Item) -> bool:
        """Write a new item; False, and nothing written, when its id is taken by another write."""
        return self._put(item, ConditionExpression="attribute_not_exists(item_id)")

    def update(self, current: Item, item: Item) -> bool:
        """Write item over current; False, and nothing written, when what is stored differs."""
        return self._put(item, **_unchanged(current))

    def soft_delete(self, current: Item, item: Item, expires_at: int) -> bool:
        """Soft-delete an item like update, until expires_at (epoch seconds)."""
        condition = _unchanged(current)
        condition["ExpressionAttributeValues"] |= {
            ":next": {"N": str(item.version)},
            ":now": {"S": item.updated_at},
            ":region": {"S": item.written_in},
            ":deleted_at": {"S": item.deleted_at},
            ":expires_at": {"N": str(expires_at)},
            ":writes": _list(item.writes),
        }
        return _written(
            item,
            lambda: self._client.update_item(
                TableName=self._name,
                Key=_key(item.owner, item.id),
                UpdateExpression=(
                    "SET #version = :next, updated_at = :now, written_in = :region, "
                    "writes = :writes, deleted_at = :deleted_at, expires_at = :expires_at "
                    "REMOVE listed_at, status_changed_at"
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition,
            ),
        )

    def page(
        self,
        owner: str,
        status: str | None,
        limit: int,
        after: str | None,
        subs: frozenset[str] | None = None,
    ) -> list[Item]:
        """Give up to limit items, newest first, that come after a sort key in the index.

        All of them in order of creation are read consistently; those of a status come from the
        global index, which is some milliseconds behind. With subs, only those that these accounts
        made; PartitionCrowded when there is too much of others before them.
        """
        query = _query(owner, status)
        if after is not None:
            attribute = "listed_at" if status is None else "status_changed_at"
            query["ExclusiveStartKey"] = {
                "owner": {"S": owner},
                "item_id": {"S": cursor.item_id(after)},
                attribute: {"S": after},
            }
        if subs is not None:
            return self._filtered(query, limit, subs)
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

    def _filtered(self, query: dict[str, Any], limit: int, subs: frozenset[str]) -> list[Item]:
        names = {f":sub{number}": {"S": sub} for number, sub in enumerate(sorted(subs))}
        query["FilterExpression"] = f"#sub IN ({', '.join(names)})"
        query["ExpressionAttributeNames"] = query["ExpressionAttributeNames"] | {"#sub": "sub"}
        query["ExpressionAttributeValues"] = query["ExpressionAttributeValues"] | names
        found: list[Item] = []
        for _ in range(CROWDED_PAGES):
            # No Limit: it counts what is read, not what passes the filter.
            with _errors():
                answer = self._client.query(TableName=self._name, **query)
            found += [_item(attributes) for attributes in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            if not last or len(found) >= limit:
                return found[:limit]
            query["ExclusiveStartKey"] = last
        raise PartitionCrowded

    def accepted(self, caller: Caller) -> frozenset[str]:
        """Read the subs whose items an operator has given to the caller.

        The record's key holds the caller's own sub: whoever has the username later has no part in
        it. Nothing here ever writes one, and the function's role may not.
        """
        record = self._get(_key(caller.owner, f"owner#{caller.sub}"))
        return frozenset(record.get("accepted_subs", {}).get("SS", ()))

    def reserve(self, caller: Caller, most: int, now: int) -> bool:
        """Count one more item of the caller; False when there are most, or it is closed at now."""
        record = self._change_once(
            caller,
            "SET changed_by = :change ADD item_count :one "
            "REMOVE closed_until, expires_at, deleted_to",
            "(attribute_not_exists(item_count) OR item_count < :most) "
            "AND (attribute_not_exists(closed_until) OR closed_until <= :now)",
            {":one": 1, ":most": most, ":now": now},
        )
        return record is not None

    def give_back(self, caller: Caller) -> None:
        """Count one item less, unless the count has been taken away meanwhile."""
        self._change_once(
            caller,
            "SET changed_by = :change ADD item_count :less",
            "item_count > :none",
            {":less": -1, ":none": 0},
        )

    def closed_until(self, caller: Caller) -> int:
        """Read until when nothing new is taken from the caller (epoch seconds), or 0."""
        return _number(self._get(_quota_key(caller)), "closed_until")

    def recount(self, caller: Caller, now: int) -> bool:
        """Count the caller's items afresh, soft-deleted ones too.

        Once an hour, however often it is asked for. False when it isn't due, or when there is more
        to count than COUNTED_PAGES: how far it got is kept, and the next call goes on.
        """
        record = self._claim_count(caller, now)
        if record is None:
            return False
        count, last = _number(record, "counted"), record.get("counted_to", {}).get("S")
        for _ in range(COUNTED_PAGES):
            answer = self._query_ids(
                caller.owner,
                last,
                Select="COUNT",
                FilterExpression="#sub = :sub",
                names={"#sub": "sub"},
                values={":sub": {"S": caller.sub}},
            )
            count += answer["Count"]
            last = answer.get("LastEvaluatedKey", {}).get("item_id", {}).get("S")
            if last is None:
                return self._update_quota(
                    caller,
                    "SET item_count = :count REMOVE counted, counted_to",
                    "recounted_at = :now",
                    {":count": count, ":now": now},
                )
        self._update_quota(
            caller,
            "SET counted = :count, counted_to = :last, recounted_at = :never",
            "recounted_at = :now",
            {":count": count, ":last": last, ":never": 0, ":now": now},
        )
        return False

    def _claim_count(self, caller: Caller, now: int) -> dict[str, Any] | None:
        """Begin a count that is due, so that no other request does; None when it isn't."""
        return self._change_once(
            caller,
            "SET changed_by = :change, recounted_at = :now",
            "attribute_exists(item_count) AND "
            "(attribute_not_exists(recounted_at) OR recounted_at <= :old)",
            {":now": now, ":old": now - COUNT_EVERY_SECONDS},
        )

    def close(self, caller: Caller, until: int) -> str | None:
        """Take nothing new from the caller until then (epoch seconds), and forget the count.

        The mark removes itself. Gives the row where an earlier deletion has stopped, or None.
        """
        with _errors():
            answer = self._client.update_item(
                TableName=self._name,
                Key=_quota_key(caller),
                UpdateExpression=(
                    "SET closed_until = :until, expires_at = :until "
                    "REMOVE item_count, changed_by, recounted_at, counted, counted_to"
                ),
                ExpressionAttributeValues=_values({":until": until}),
                ReturnValues="ALL_NEW",
            )
        row: str | None = answer["Attributes"].get("deleted_to", {}).get("S")
        return row

    def rows(
        self, owner: str, limit: int, after: str | None
    ) -> tuple[list[tuple[str, str]], str | None]:
        """Give up to limit items' ids and subs, soft-deleted ones too, and where to go on."""
        answer = self._query_ids(
            owner,
            after,
            Limit=limit,
            ConsistentRead=True,
            ProjectionExpression="item_id, #sub",
            names={"#sub": "sub"},
        )
        found = [
            (row["item_id"]["S"], row["sub"]["S"] if "sub" in row else "")
            for row in answer["Items"]
        ]
        return found, answer.get("LastEvaluatedKey", {}).get("item_id", {}).get("S")

    def remove(self, owner: str, ids: Sequence[str]) -> int:
        """Remove rows for good; how many: DynamoDB leaves some undone when it is too busy."""
        removed = 0
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            with _errors():
                answer = self._client.batch_write_item(
                    RequestItems={
                        self._name: [
                            {"DeleteRequest": {"Key": _key(owner, item_id)}} for item_id in batch
                        ]
                    }
                )
            undone = len(answer.get("UnprocessedItems", {}).get(self._name, ()))
            removed += len(batch) - undone
            if undone:
                break
        return removed

    def stop_at(self, caller: Caller, row: str | None) -> None:
        """Keep the row where a deletion has stopped; None: it is done."""
        update = "SET deleted_to = :row" if row else "REMOVE deleted_to"
        values = {":row": row} if row else {}
        self._update_quota(caller, update, "attribute_exists(closed_until)", values)

    def remove_records(self, caller: Caller, accepted: frozenset[str]) -> bool:
        """Remove what an operator has written of the caller; False when the table was too busy.

        The caller's own record goes last: it is what tells that the others are the caller's.
        """
        if not accepted:
            return True
        others = [f"{kind}#{sub}" for sub in sorted(accepted) for kind in ("quota", "owner")]
        return (
            self.remove(caller.owner, others) == len(others)
            and self.remove(caller.owner, [f"owner#{caller.sub}"]) == 1
        )

    def sort_key(self, item: Item, status: str | None) -> str:
        """Give an item's sort key in the index that page uses."""
        return _listed_at(item) if status is None else _status_changed_at(item)

    def _get(self, key: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's attribute values
        with _errors():
            answer = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return dict(answer.get("Item") or {})

    def _query_ids(
        self,
        owner: str,
        after: str | None,
        *,
        names: dict[str, str],
        values: dict[str, Any] | None = None,
        **query: Any,  # noqa: ANN401 - botocore's arguments
    ) -> Any:  # noqa: ANN401
        """Query an owner's items by id, soft-deleted ones too, and no record."""
        if after is not None:
            query["ExclusiveStartKey"] = _key(owner, after)
        with _errors():
            return self._client.query(
                TableName=self._name,
                KeyConditionExpression="#owner = :owner AND item_id BETWEEN :first AND :past",
                ExpressionAttributeNames={"#owner": "owner"} | names,
                ExpressionAttributeValues={
                    ":owner": {"S": owner},
                    ":first": {"S": _FIRST_ID},
                    ":past": {"S": _PAST_IDS},
                }
                | (values or {}),
                **query,
            )

    def _update_quota(
        self, caller: Caller, update: str, condition: str, values: Mapping[str, int | str]
    ) -> bool:
        """Change the count's record on a condition, by what is harmless when it is done twice."""
        arguments: dict[str, Any] = {"ExpressionAttributeValues": _values(values)} if values else {}
        with _errors():
            try:
                self._client.update_item(
                    TableName=self._name,
                    Key=_quota_key(caller),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    **arguments,
                )
            except ClientError as error:
                _stored(error)
                return False
        return True

    def _change_once(
        self, caller: Caller, update: str, condition: str, values: Mapping[str, int | str]
    ) -> dict[str, Any] | None:
        """Change the count's record on a condition, never twice; the record then, else None.

        update sets changed_by to :change, which names this call.
        """
        change = new_write()
        with _errors():
            try:
                answer = self._client.update_item(
                    TableName=self._name,
                    Key=_quota_key(caller),
                    UpdateExpression=update,
                    ConditionExpression=(
                        "(attribute_not_exists(changed_by) OR changed_by <> :change) "
                        f"AND {condition}"
                    ),
                    ExpressionAttributeValues=_values({":change": change, **values}),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                record = _stored(error)
                return record if record.get("changed_by") == {"S": change} else None
        return dict(answer["Attributes"])

    def _put(self, item: Item, **condition: Any) -> bool:  # noqa: ANN401 - botocore's arguments
        return _written(
            item,
            lambda: self._client.put_item(
                TableName=self._name,
                Item=_attributes(item),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition,
            ),
        )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _OURS:
            raise
        if code in _BUSY:
            raise TableBusy(code) from error
        if code == _FULL:
            raise CollectionFull from error
        raise TableUnavailable(code) from error
    except BotoCoreError as error:
        raise TableUnavailable(type(error).__name__) from error


def _key(owner: str, item_id: str) -> Any:  # noqa: ANN401 - botocore's attribute values
    return {"owner": {"S": owner}, "item_id": {"S": item_id}}


def _quota_key(caller: Caller) -> Any:  # noqa: ANN401 - botocore's attribute values
    return _key(caller.owner, f"quota#{caller.sub}")


def _values(values: Mapping[str, int | str]) -> dict[str, Any]:
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in values.items()
    }


def _number(record: Mapping[str, Any], name: str) -> int:
    return int(record.get(name, {}).get("N", "0"))


def _written(item: Item, write: Callable[[], object]) -> bool:
    """Write item on a condition; False, and nothing written, when that fails.

    It has not failed where the row that fails it was made by this very write, or by others after
    it: then an earlier attempt was applied, and its answer lost.
    """
    with _errors():
        try:
            write()
        except ClientError as error:
            return item.writes[0] in _texts(_stored(error), "writes")
    return True


def _stored(error: ClientError) -> dict[str, Any]:
    """Give the row that failed a write's condition, empty where there is none; raise all else."""
    if error.response["Error"]["Code"] != CONDITION_FAILED:
        raise error
    answer: Mapping[str, Any] = error.response
    return dict(answer.get("Item") or {})


def _unchanged(current: Item) -> dict[str, Any]:
    return {
        "ConditionExpression": _UNCHANGED,
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {
            ":version": {"N": str(current.version)},
            ":updated_at": {"S": current.updated_at},
            ":written_in": {"S": current.written_in},
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
        "sub": item.sub,
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
    attributes["tags"] = _list(item.tags)
    attributes["writes"] = _list(item.writes)
    return attributes


def _list(texts: Iterable[str]) -> dict[str, Any]:
    return {"L": [{"S": text} for text in texts]}


def _texts(attributes: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(text["S"] for text in attributes.get(name, {}).get("L", ()))


def _item(attributes: Mapping[str, Any]) -> Item:
    def text(name: str) -> str | None:
        value: str | None = attributes[name]["S"] if name in attributes else None
        return value

    return Item(
        owner=attributes["owner"]["S"],
        sub=text("sub") or "",
        id=attributes["item_id"]["S"],
        title=attributes["title"]["S"],
        status=attributes["status"]["S"],
        tags=_texts(attributes, "tags"),
        notes=text("notes"),
        due_on=text("due_on"),
        version=int(attributes["version"]["N"]),
        created_at=attributes["created_at"]["S"],
        updated_at=attributes["updated_at"]["S"],
        written_in=attributes["written_in"]["S"],
        request_hash=attributes["request_hash"]["S"],
        writes=_texts(attributes, "writes"),
        deleted_at=text("deleted_at"),
    )
