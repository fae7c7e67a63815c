"""DELETE /v1/me: all that the caller owns, for good, in as many calls as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from items import logic, routes
from items.table import Table
from tests.unit.support import ALICE, BOB, MALLORY, SUBS, TABLE, Client, Json, caller, event
from tests.unit.test_accounts import accept
from tests.unit.test_item_limit import Clock, clocked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from items.routes import ItemsApi


def rows(dynamodb: DynamoDBClient, user: str = ALICE) -> dict[str, Json]:
    """Every row of an owner's partition, by id."""
    found = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="#owner = :owner",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":owner": {"S": caller(user).owner}},
    )["Items"]
    return {row["item_id"]["S"]: row for row in found}


def delete_me(client: Client, **who: str) -> list[int]:
    """Ask until nothing is left; the statuses of the answers."""
    statuses: list[int] = []
    while not statuses or statuses[-1] == 202:
        assert len(statuses) < 50
        answer = client.send("DELETE", "/v1/me", **who)
        if answer.status == 202:
            assert answer.headers["retry-after"] == "1"
            assert answer.json["status"] == "deleting"
        statuses.append(answer.status)
    return statuses


def test_all_that_a_caller_owns_is_gone_deleted_items_and_the_count_too(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    for _ in range(60):
        path = client.create().headers["location"]
    client.send("DELETE", path)
    kept = client.create(user=BOB)

    answer = client.send("DELETE", "/v1/me")

    assert (answer.status, answer.body) == (204, "")
    (mark,) = rows(dynamodb).values()
    assert set(mark) == {"owner", "item_id", "closed_until", "expires_at"}
    assert client.send("GET", path).status == 404
    assert client.send("GET", kept.headers["location"], user=BOB).status == 200
    assert client.send("DELETE", "/v1/me").status == 204


def test_what_another_account_left_under_the_username_stays(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    theirs = client.create()
    before = rows(dynamodb)
    client.create(sub=MALLORY)

    assert delete_me(client, sub=MALLORY) == [204]

    left = rows(dynamodb)
    assert {name: left[name] for name in before} == before
    assert set(left) == {*before, f"quota#{MALLORY}"}
    assert client.send("GET", theirs.headers["location"]).json == theirs.json


def test_what_an_operator_gave_back_goes_too_and_his_word_with_it(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    client.create()
    client.create(sub=MALLORY)
    accept(dynamodb, MALLORY, SUBS[ALICE])

    assert delete_me(client, sub=MALLORY) == [204]

    assert set(rows(dynamodb)) == {f"quota#{MALLORY}"}


class Remaining:
    """A context of the runtime with no time left."""

    aws_request_id = "r"

    def get_remaining_time_in_millis(self) -> int:
        """Nothing."""
        return 0


def test_a_call_ends_in_time_and_the_next_goes_on(
    client: Client, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logic, "DELETION_PAGE_ROWS", 10)
    for _ in range(25):
        client.create()

    def call() -> Json:
        return client.api.handle(event("DELETE", "/v1/me"), Remaining())

    assert [call()["statusCode"] for _ in range(3)] == [202, 202, 204]
    assert set(rows(dynamodb)) == {f"quota#{SUBS[ALICE]}"}
    assert "deleted_to" not in rows(dynamodb)[f"quota#{SUBS[ALICE]}"]


def test_a_call_goes_through_so_many_pages_whatever_time_it_has(
    client: Client, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logic, "DELETION_PAGE_ROWS", 5)
    monkeypatch.setattr(logic, "DELETION_PAGES", 2)
    for _ in range(25):
        client.create()

    answer = client.send("DELETE", "/v1/me")
    assert answer.json == {"status": "deleting", "deleted": 10}
    assert delete_me(client) == [202, 204]
    assert set(rows(dynamodb)) == {f"quota#{SUBS[ALICE]}"}


def test_others_rows_dont_hold_a_deletion_up_for_ever(
    client: Client, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logic, "DELETION_PAGE_ROWS", 5)
    monkeypatch.setattr(logic, "DELETION_PAGES", 1)
    for _ in range(23):
        client.create()
        client.create(sub=MALLORY)

    assert delete_me(client, sub=MALLORY) == [202] * 9 + [204]
    assert len(rows(dynamodb)) == 23 + 2


def test_what_a_busy_table_leaves_undone_is_done_by_the_next_call(
    client: Client, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(30):
        client.create()
    write = dynamodb.batch_write_item
    turns = iter([True, False, True, False])

    def busy(RequestItems: Json) -> Any:  # noqa: N803 - botocore's name
        if not next(turns, False):
            return write(RequestItems=RequestItems)
        asked = RequestItems[TABLE]
        write(RequestItems={TABLE: asked[:10]})
        return {"UnprocessedItems": {TABLE: asked[10:]}}

    monkeypatch.setattr(dynamodb, "batch_write_item", busy)

    answer = client.send("DELETE", "/v1/me")

    assert (answer.status, answer.json["deleted"]) == (202, 10)
    assert len(rows(dynamodb)) == 21
    assert delete_me(client)[-1] == 204
    assert set(rows(dynamodb)) == {f"quota#{SUBS[ALICE]}"}


@pytest.mark.parametrize("busy_at", [1, 2], ids=["the others' records", "the caller's own"])
def test_the_record_that_tells_whose_the_others_are_goes_last(
    dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch, busy_at: int
) -> None:
    accept(dynamodb, MALLORY, SUBS[ALICE])
    accept(dynamodb, SUBS[ALICE], SUBS[BOB])
    table, me = Table(dynamodb, TABLE), caller(sub=MALLORY)
    write = dynamodb.batch_write_item
    calls: list[int] = []

    def busy(RequestItems: Json) -> Any:  # noqa: N803 - botocore's name
        calls.append(len(RequestItems[TABLE]))
        if len(calls) == busy_at:
            return {"UnprocessedItems": {TABLE: RequestItems[TABLE][-1:]}}
        return write(RequestItems=RequestItems)

    monkeypatch.setattr(dynamodb, "batch_write_item", busy)

    assert not table.remove_records(me, table.accepted(me))
    assert f"owner#{MALLORY}" in rows(dynamodb)
    assert table.remove_records(me, table.accepted(me))
    assert rows(dynamodb) == {}


def test_a_late_create_fills_up_nothing_again(api: ItemsApi, dynamodb: DynamoDBClient) -> None:
    clock = Clock()
    client = clocked(api, dynamodb, clock, most=10)
    first = client.create({"title": "a"}, key="k")
    assert delete_me(client) == [204]

    # An app's queue that is sent once more, and something new.
    for key in ("k", "new"):
        late = client.create({"title": "a"}, key=key)
        assert (late.status, late.json["type"]) == (403, "/problems/data-deleted")
    change = {"headers": {"If-Match": "*"}, "body": {"title": "b"}}
    assert client.send("PUT", first.headers["location"], **change).status == 404
    assert set(rows(dynamodb)) == {f"quota#{SUBS[ALICE]}"}
    assert client.create(user=BOB).status == 201
    assert client.create(sub=MALLORY).status == 201

    clock.forward(days=1, seconds=1)
    assert client.create({"title": "a"}, key="k").status == 201
    count = rows(dynamodb)[f"quota#{SUBS[ALICE]}"]
    # Nothing that DynamoDB would remove.
    assert set(count) == {"owner", "item_id", "item_count", "changed_by"}


def test_the_mark_removes_itself_when_it_has_ended(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    client.send("DELETE", "/v1/me")
    mark = rows(dynamodb)[f"quota#{SUBS[ALICE]}"]
    assert mark["expires_at"] == mark["closed_until"]


def test_a_deletion_leaves_the_function_time_to_answer() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 10_000

    assert routes._deletion_seconds(Context()) == 4
    assert routes._deletion_seconds(None) == 4
