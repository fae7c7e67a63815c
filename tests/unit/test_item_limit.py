"""How many items one account may have, and what a full or busy table is called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from items import table as table_module
from items.logic import Items
from items.routes import ItemsApi
from items.table import Table
from tests.unit.support import ALICE, BOB, MALLORY, REGION, SUBS, TABLE, Client, Json, Reply, caller
from tests.unit.test_table import ITEM, broken_client, refusal

if TYPE_CHECKING:
    import io

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.settings import Settings

LIMIT = "/problems/item-limit"


class Clock:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self._now = datetime(2025, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Give the time, a microsecond later each time, so that items keep their order."""
        self._now += timedelta(microseconds=1)
        return self._now

    def forward(self, **by: float) -> None:
        """Put it forward."""
        self._now += timedelta(**by)


def clocked(api: ItemsApi, dynamodb: DynamoDBClient, clock: Clock, most: int) -> Client:
    """A client of an API with a clock and a limit of its own."""
    items = Items(Table(dynamodb, TABLE), REGION, most, clock)
    return Client(ItemsApi(api.settings, items, api._fence, api._observe))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def three(api: ItemsApi, dynamodb: DynamoDBClient, clock: Clock) -> Client:
    """A client whose owners may have three items each."""
    return clocked(api, dynamodb, clock, most=3)


def count(dynamodb: DynamoDBClient, sub: str = SUBS[ALICE]) -> int:
    """The number that the owner's record says."""
    key = {"owner": {"S": caller().owner}, "item_id": {"S": f"quota#{sub}"}}
    return int(dynamodb.get_item(TableName=TABLE, Key=key)["Item"]["item_count"]["N"])


def expire(dynamodb: DynamoDBClient, made: Reply) -> None:
    """Remove an item as DynamoDB does when its time is over."""
    key = {"owner": {"S": caller().owner}, "item_id": {"S": made.json["id"]}}
    dynamodb.delete_item(TableName=TABLE, Key=key)


def assert_refused(answer: Reply, kind: str = LIMIT) -> None:
    assert (answer.status, answer.json["type"]) == (403, kind)
    assert "retry-after" not in answer.headers


def test_one_item_too_many_is_refused_for_that_owner_alone(three: Client, log: io.StringIO) -> None:
    assert [three.create().status for _ in range(4)] == [201, 201, 201, 403]
    refused = three.create()

    assert_refused(refused)
    assert "3 items" in refused.json["detail"]
    assert "unavailable" not in log.getvalue()
    assert len(three.send("GET", "/v1/items").json["items"]) == 3
    assert three.create(user=BOB).status == 201
    # Another account under the same username learns nothing of what is there.
    assert three.create(sub=MALLORY).status == 201


def test_a_retry_costs_nothing_and_is_answered_at_the_limit_too(
    three: Client, dynamodb: DynamoDBClient
) -> None:
    body: Json = {"title": "a"}
    for _ in range(4):
        assert three.create(body, key="k").status == 201
    assert three.create({"title": "b"}, key="k").status == 422
    assert count(dynamodb) == 1
    for _ in range(2):
        three.create()
    assert count(dynamodb) == 3

    again = three.create(body, key="k")

    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert three.create({"title": "b"}, key="k").status == 422
    three.send("DELETE", again.headers["location"])
    assert three.create(body, key="k").status == 410
    assert count(dynamodb) == 3


def test_soft_deleted_items_count_until_they_are_removed(
    three: Client, dynamodb: DynamoDBClient, clock: Clock
) -> None:
    made = [three.create() for _ in range(3)]
    three.send("DELETE", made[0].headers["location"])
    assert_refused(three.create())

    expire(dynamodb, made[0])
    assert_refused(three.create())  # counted less than an hour ago
    clock.forward(hours=1, seconds=1)

    assert three.create().status == 201
    assert count(dynamodb) == 3
    assert_refused(three.create())


def test_however_often_it_is_asked_for_one_count_an_hour_is_made(
    three: Client, dynamodb: DynamoDBClient, clock: Clock
) -> None:
    queries: list[str] = []
    dynamodb.meta.events.register(
        "before-call.dynamodb.Query", lambda **_: queries.append("query"), unique_id="queries"
    )
    for _ in range(20):
        three.create()
    clock.forward(hours=1, seconds=1)
    for _ in range(20):
        three.create()
    dynamodb.meta.events.unregister("before-call.dynamodb.Query", unique_id="queries")

    assert len(queries) == 2


def test_a_count_that_drifted_heals(three: Client, dynamodb: DynamoDBClient, clock: Clock) -> None:
    key = {"owner": {"S": caller().owner}, "item_id": {"S": f"quota#{SUBS[ALICE]}"}}
    three.create()
    statuses = []
    for drift in (3, 7, 1000):  # creates that failed half-way
        dynamodb.update_item(
            TableName=TABLE,
            Key=key,
            UpdateExpression="SET item_count = :drift",
            ExpressionAttributeValues={":drift": {"N": str(drift)}},
        )
        clock.forward(hours=2)
        statuses.append(three.create().status)
    assert statuses == [201, 201, 403]
    assert count(dynamodb) == 3


def test_more_than_one_request_can_count_is_counted_by_several(
    three: Client,
    dynamodb: DynamoDBClient,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_module, "COUNTED_PAGES", 1)
    table, me = Table(dynamodb, TABLE), caller()
    for number in range(140):  # three megabytes
        item_id = f"01234567-89ab-8def-8123-{number:012x}"
        notes = "🥛" * 4000
        dynamodb.put_item(
            TableName=TABLE,
            Item={
                "owner": {"S": me.owner},
                "item_id": {"S": item_id},
                "sub": {"S": me.sub if number % 2 else MALLORY},
                "notes": {"S": notes},
            },
        )
    for _ in range(3):
        assert table.reserve(me, 3, 1)
    now = 1_000_000

    turns = [table.recount(me, now) for _ in range(5)]

    done = turns.index(True)
    assert done >= 2
    assert not any(turns[done + 1 :])  # until an hour has passed
    assert count(dynamodb) == 70


def test_an_account_with_a_deletion_behind_it_is_not_counted(dynamodb: DynamoDBClient) -> None:
    table, me = Table(dynamodb, TABLE), caller()
    table.close(me, until=100)

    assert not table.reserve(me, 3, now=50)
    assert not table.recount(me, now=50)
    assert table.reserve(me, 3, now=100)


def test_a_full_collection_is_no_outage(
    api: ItemsApi, settings: Settings, log: io.StringIO
) -> None:
    full = broken_client(
        refusal("ItemCollectionSizeLimitExceededException"), api, settings, api._observe
    )

    refused = full.create()

    assert_refused(refused, "/problems/storage-full")
    assert "unavailable" not in log.getvalue()


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"],
)
def test_a_quota_that_is_used_up_is_no_outage(
    code: str, api: ItemsApi, settings: Settings, log: io.StringIO
) -> None:
    busy = broken_client(refusal(code), api, settings, api._observe)
    path = f"/v1/items/{ITEM.id}"
    headers = {"If-Match": "*"}
    answers = [
        busy.create(),
        busy.send("GET", "/v1/items"),
        busy.send("GET", path),
        busy.send("PUT", path, body={"title": "a"}, headers=headers),
        busy.send("PATCH", path, body={"title": "a"}, headers=headers),
        busy.send("DELETE", path),
        busy.send("DELETE", "/v1/me"),
    ]

    for answer in answers:
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        assert "secret" not in answer.body
    assert "unavailable" not in log.getvalue()
    assert log.getvalue().count('"table busy"') == len(answers)
