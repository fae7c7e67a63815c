"""What the tests of the function share: events, a client, a table and a store in memory."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from items.fence import Fence
from items.model import Caller, Item
from local import gateway_headers
from project.paths import TREE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.api import Api

Json = Any  # any JSON value
REGION = "us-east-1"
STANDBY = "us-west-2"
TABLE = "items"
ALICE = "2b1d4f5a-0000-4000-8000-00000000a11c"
BOB = "2b1d4f5a-0000-4000-8000-0000000000b0"
# The accounts that have these usernames; and one that Alice's went to when she had left.
SUBS = {ALICE: "5ab0a11c-0000-4000-8000-000000000001", BOB: "5ab00b0b-0000-4000-8000-000000000001"}
MALLORY = "5ab00bad-0000-4000-8000-000000000001"
MAX_ITEMS = 1000
ORIGIN = "https://app.example.com"
CLIENT_ID = "1example23456789"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
EXTENDED_REQUEST_ID = "DeSKvE3CIAMFdNw="

# The contract's paths, `{id}` and all.
RESOURCES = re.findall(
    r"^  (/[^:]*):$", (TREE.root / "lambda/openapi.yaml").read_text("utf-8"), re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client sees of an answer, once API Gateway has been through its headers."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Json:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def etag(self) -> str:
        """The ETag header."""
        return self.headers["etag"]


def caller(user: str = ALICE, sub: str | None = None) -> Caller:
    """Make the caller whose token has these claims."""
    return Caller(f"user#{user.lower()}", sub or SUBS[user.lower()])


def route_of(path: str) -> tuple[str, dict[str, str]]:
    """Give what the gateway makes of a path: its resource, and the values of its parameters.

    A path that the contract doesn't know never reaches a function, unless somebody adds a
    catch-all: then its resource is `/{proxy+}`.
    """
    for resource in RESOURCES:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(resource))
        match = re.fullmatch(pattern, path)
        if match:
            return resource, match.groupdict()
    return "/{proxy+}", {"proxy": path.removeprefix("/")}


def event(
    method: str,
    path: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, list[str]] | None = None,
    user: str | None = ALICE,
    sub: str | None = None,
    client_id: str = CLIENT_ID,
    encoded: bool = False,
) -> dict[str, Any]:
    """Make the event that a REST API sends; a body that is no str is sent as JSON."""
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    if text is not None and encoded:
        text = base64.b64encode(text.encode()).decode()
    sent = dict(headers or {})
    parameters = dict(query or {})
    account = sub or SUBS.get((user or "").lower(), "somebody")
    resource, path_parameters = route_of(path)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent or None,
        "multiValueHeaders": {name: [value] for name, value in sent.items()} or None,
        "queryStringParameters": {name: v[-1] for name, v in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": REQUEST_ID,
            "extendedRequestId": EXTENDED_REQUEST_ID,
            "path": f"/live{path}",
            "resourcePath": resource,
            "stage": "live",
            "httpMethod": method,
            "authorizer": {"claims": {"username": user, "sub": account, "client_id": client_id}}
            if user is not None
            else None,
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


class Client:
    """Sends requests to the function that the gateway would call for them."""

    def __init__(self, api: Api, health: Api | None = None) -> None:
        self.api = api
        self.health = health or api
        self._made = 0

    def send(self, method: str, path: str, **parts: Json) -> Reply:
        """Send one request (see event)."""
        return self.deliver(event(method, path, **parts))

    def deliver(self, raw: dict[str, Any]) -> Reply:
        """Deliver a whole event."""
        # As the runtime sends it: in UTF-8, which must be able to say every character.
        function = self.health if raw["path"].startswith("/health") else self.api
        sent = json.dumps(function.handle(raw, None), ensure_ascii=False).encode()
        answer = json.loads(sent)
        seen = gateway_headers.to_client(
            {name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        )
        headers = {name.lower(): value for name, value in seen.items()}
        return Reply(answer["statusCode"], headers, answer["body"])

    def create(self, body: object = None, *, key: str | None = None, **parts: Json) -> Reply:
        """Create an item; without a body, one that differs from any other."""
        self._made += 1
        headers = {"Idempotency-Key": key or f"key-{self._made}", **parts.pop("headers", {})}
        content = {"title": f"Item {self._made}"} if body is None else body
        return self.send("POST", "/v1/items", body=content, headers=headers, **parts)


def open_fence() -> Fence:
    """Make a fence that refuses nothing: there is no row."""
    return Fence(dict, REGION, STANDBY)


def make_table(client: DynamoDBClient) -> None:
    """Make the table of the data module, indexes included."""
    keys = ("owner", "item_id", "listed_at", "status_changed_at")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=_key("item_id"),
        LocalSecondaryIndexes=[
            {
                "IndexName": "by_created",
                "KeySchema": _key("listed_at"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_status",
                "KeySchema": _key("status_changed_at"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _key(sort_key: str) -> Json:
    return [
        {"AttributeName": "owner", "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]


class Replica:
    """One Region's replica, in memory: what a Table does, without DynamoDB.

    Every write is stamped, and World.replicate settles conflicts by the stamps.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows_by_key: dict[tuple[str, str], tuple[int, Item]] = {}
        self.accepted_by: dict[Caller, frozenset[str]] = {}
        self.counts: dict[Caller, int] = {}
        self.closed: dict[Caller, int] = {}
        self.stopped: dict[Caller, str | None] = {}

    def get(self, owner: str, item_id: str) -> Item | None:
        """Read an item."""
        row = self.rows_by_key.get((owner, item_id))
        return row[1] if row else None

    def insert(self, item: Item) -> bool:
        """Write a new item unless its id is taken."""
        return self.get(item.owner, item.id) is None and self._write(item)

    def update(self, current: Item, item: Item) -> bool:
        """Write item if current is what is stored."""
        return self.get(current.owner, current.id) == current and self._write(item)

    def soft_delete(self, current: Item, item: Item, expires_at: int) -> bool:
        """Write a soft-deleted item if current is what is stored."""
        assert expires_at > 0
        return self.update(current, item)

    def page(
        self,
        owner: str,
        status: str | None,
        limit: int,
        after: str | None,
        subs: frozenset[str] | None = None,
    ) -> list[Item]:
        """List items, newest first."""
        listed = {
            self.sort_key(item, status): item
            for (holder, _), (_, item) in self.rows_by_key.items()
            if holder == owner
            and item.deleted_at is None
            and status in (None, item.status)
            and (subs is None or item.sub in subs)
        }
        sort_keys = sorted((key for key in listed if after is None or key < after), reverse=True)
        return [listed[sort_key] for sort_key in sort_keys[:limit]]

    def sort_key(self, item: Item, status: str | None) -> str:
        """Give an item's sort key in a list."""
        if status is None:
            return f"{item.created_at}#{item.id}"
        return f"{item.status}#{item.updated_at}#{item.id}"

    def accepted(self, caller: Caller) -> frozenset[str]:
        """Give what an operator wrote."""
        return self.accepted_by.get(caller, frozenset())

    def reserve(self, caller: Caller, most: int, now: int) -> bool:
        """Count one more."""
        if self.closed.get(caller, 0) > now or self.counts.get(caller, 0) >= most:
            return False
        self.counts[caller] = self.counts.get(caller, 0) + 1
        return True

    def give_back(self, caller: Caller) -> None:
        """Count one less."""
        self.counts[caller] -= 1

    def closed_until(self, caller: Caller) -> int:
        """Give when the caller may make items again."""
        return self.closed.get(caller, 0)

    def recount(self, caller: Caller, now: int) -> bool:
        """Count afresh, whenever it is asked for."""
        assert now > 0
        mine = [item for _, item in self.rows_by_key.values() if item.sub == caller.sub]
        self.counts[caller] = len(mine)
        return True

    def close(self, caller: Caller, until: int) -> str | None:
        """Take nothing new."""
        self.closed[caller] = until
        return self.stopped.get(caller)

    def rows(
        self, owner: str, limit: int, after: str | None
    ) -> tuple[list[tuple[str, str]], str | None]:
        """List ids and subs."""
        ids = sorted(i for o, i in self.rows_by_key if o == owner and (after is None or i > after))
        found = [(one, self.rows_by_key[owner, one][1].sub) for one in ids[:limit]]
        return found, ids[limit - 1] if len(ids) > limit else None

    def remove(self, owner: str, ids: Sequence[str]) -> int:
        """Remove rows."""
        for item_id in ids:
            del self.rows_by_key[owner, item_id]
        return len(ids)

    def stop_at(self, caller: Caller, row: str | None) -> None:
        """Keep the row."""
        self.stopped[caller] = row

    def remove_records(self, caller: Caller, accepted: frozenset[str]) -> bool:
        """Forget what an operator wrote."""
        assert accepted == self.accepted_by.pop(caller, frozenset())
        return True

    def _write(self, item: Item) -> bool:
        self.rows_by_key[item.owner, item.id] = (self._world.stamp(), replace(item))
        return True


class World:
    """Two replicas of one table, as far apart as nobody replicates."""

    def __init__(self) -> None:
        self._stamps = 0
        self.east = Replica(self)
        self.west = Replica(self)

    def stamp(self) -> int:
        """Give the time of a write, the same clock for both Regions."""
        self._stamps += 1
        return self._stamps

    def replicate(self) -> None:
        """Let both Regions see everything; the last writer wins."""
        for key in self.east.rows_by_key.keys() | self.west.rows_by_key.keys():
            rows = [
                replica.rows_by_key[key]
                for replica in (self.east, self.west)
                if key in replica.rows_by_key
            ]
            winner = max(rows, key=lambda row: row[0])
            self.east.rows_by_key[key] = self.west.rows_by_key[key] = winner
