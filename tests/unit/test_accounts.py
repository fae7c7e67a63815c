"""A username that was freed and taken again: another account, which finds nothing of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from items import table as table_module
from tests.unit.support import ALICE, BOB, MALLORY, SUBS, TABLE, Client, Json, Reply, caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

VICTIM = SUBS[ALICE]


@pytest.fixture
def calls(dynamodb: DynamoDBClient) -> Iterator[list[str]]:
    """Give the names of the DynamoDB operations that were called."""
    made: list[str] = []

    def note(model: Json, **_: object) -> None:
        made.append(model.name)

    dynamodb.meta.events.register("before-call.dynamodb", note, unique_id="calls")
    yield made
    dynamodb.meta.events.unregister("before-call.dynamodb", unique_id="calls")


def accept(dynamodb: DynamoDBClient, sub: str, *accepted: str, user: str = ALICE) -> None:
    """Write what an operator writes who says that a new account is an old one."""
    dynamodb.put_item(
        TableName=TABLE,
        Item={
            "owner": {"S": caller(user, sub).owner},
            "item_id": {"S": f"owner#{sub}"},
            "accepted_subs": {"SS": list(accepted)},
        },
    )


def titles(page: Reply) -> list[str]:
    return [item["title"] for item in page.json["items"]]


def test_the_next_account_of_a_username_finds_nothing(client: Client) -> None:
    theirs = client.create({"title": "Private"}, key="k")
    deleted = client.create({"title": "Deleted"}, key="t")
    client.send("DELETE", deleted.headers["location"])
    path, etag = theirs.headers["location"], {"If-Match": theirs.etag}

    for item in (path, deleted.headers["location"]):
        assert client.send("GET", item, sub=MALLORY).status == 404
        for method, body in (("PUT", {"title": "a"}), ("PATCH", {"title": "a"}), ("DELETE", None)):
            answer = client.send(method, item, sub=MALLORY, headers=etag, body=body)
            assert answer.status == 404
    for query in ({}, {"status": ["todo"]}, {"limit": ["1"]}):
        page = client.send("GET", "/v1/items", query=query, sub=MALLORY)
        assert page.json == {"items": [], "next_cursor": None}
    again = client.create({"title": "Private"}, key="k", sub=MALLORY)
    assert again.status == 201
    assert "idempotent-replayed" not in again.headers
    assert again.json["id"] != theirs.json["id"]
    assert client.create({"title": "Another"}, key="t", sub=MALLORY).status == 201
    assert client.send("GET", path, user=ALICE).json == theirs.json


def test_no_answer_shows_that_the_username_was_anothers(client: Client) -> None:
    theirs = client.create({"title": "Private"})

    def answer_to(path: str) -> Json:
        answer = client.send("GET", path, sub=MALLORY).json
        return {name: value for name, value in answer.items() if name != "instance"}

    assert answer_to(theirs.headers["location"]) == answer_to(
        "/v1/items/01234567-89ab-8def-8123-456789abcdef"
    )


@pytest.mark.parametrize("status", [{}, {"status": ["todo"]}])
def test_pages_are_full_though_others_items_lie_between(
    client: Client, status: dict[str, list[str]]
) -> None:
    for number in range(12):
        client.create({"title": f"theirs {number}"})
        client.create({"title": f"mine {number}"}, sub=MALLORY)
        client.create({"title": f"theirs again {number}"})
    seen: list[str] = []
    cursor: dict[str, list[str]] = {}
    while True:
        query = {"limit": ["5"], **status, **cursor}
        page = client.send("GET", "/v1/items", query=query, sub=MALLORY)
        seen += titles(page)
        if page.json["next_cursor"] is None:
            break
        assert len(page.json["items"]) == 5
        cursor = {"cursor": [page.json["next_cursor"]]}

    assert seen == [f"mine {number}" for number in reversed(range(12))]


def test_an_operator_gives_a_rebuilt_pools_account_its_items_back(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    old = client.create({"title": "old"}, key="k")
    accept(dynamodb, MALLORY, VICTIM)
    new = client.create({"title": "new"}, sub=MALLORY)
    path = old.headers["location"]

    assert client.send("GET", path, sub=MALLORY).json == old.json
    assert titles(client.send("GET", "/v1/items", sub=MALLORY)) == ["new", "old"]
    changed = client.send(
        "PATCH", path, sub=MALLORY, headers={"If-Match": old.etag}, body={"status": "done"}
    )
    assert changed.status == 200
    assert client.send("DELETE", path, sub=MALLORY).status == 204
    assert titles(client.send("GET", "/v1/items", sub=MALLORY)) == ["new"]
    assert new.status == 201


def test_what_was_accepted_for_one_account_is_not_for_the_next(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    made = client.create({"title": "old"})
    accept(dynamodb, "5ab0rightful", VICTIM)

    assert client.send("GET", made.headers["location"], sub="5ab0rightful").status == 200
    assert client.send("GET", made.headers["location"], sub=MALLORY).status == 404
    assert titles(client.send("GET", "/v1/items", sub=MALLORY)) == []


def test_what_was_accepted_for_one_username_is_not_for_another(
    client: Client, dynamodb: DynamoDBClient
) -> None:
    made = client.create({"title": "old"})
    accept(dynamodb, MALLORY, VICTIM, user=BOB)

    answer = client.send("GET", made.headers["location"], user=BOB, sub=MALLORY)

    assert answer.status == 404


def test_an_item_of_nobody_known_is_nobodys(client: Client, dynamodb: DynamoDBClient) -> None:
    made = client.create({"title": "old"})
    dynamodb.update_item(
        TableName=TABLE,
        Key={"owner": {"S": caller().owner}, "item_id": {"S": made.json["id"]}},
        UpdateExpression="REMOVE #sub",
        ExpressionAttributeNames={"#sub": "sub"},
    )

    assert client.send("GET", made.headers["location"]).status == 404
    assert titles(client.send("GET", "/v1/items")) == []


def test_no_request_reads_more_than_it_needs(client: Client, calls: list[str]) -> None:
    def called(method: str, path: str, **parts: Json) -> list[str]:
        calls.clear()
        assert client.send(method, path, **parts).status < 300
        return list(calls)

    made = client.create({"title": "a"})
    path, change = made.headers["location"], {"headers": {"If-Match": "*"}, "body": {"title": "b"}}
    key = {"headers": {"Idempotency-Key": "other"}, "body": {"title": "c"}}
    assert called("POST", "/v1/items", **key) == ["UpdateItem", "PutItem"]
    assert called("GET", path) == ["GetItem"]
    assert called("GET", "/v1/items") == ["Query"]
    assert called("PUT", path, **change) == ["GetItem", "PutItem"]
    assert called("PATCH", path, **change) == ["GetItem", "PutItem"]
    assert called("DELETE", path) == ["GetItem", "UpdateItem"]


def test_a_list_doesnt_look_past_any_number_of_others_items(
    client: Client, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "CROWDED_PAGES", 2)
    for number in range(70):  # two megabytes and more
        client.create({"title": f"{number}", "notes": "🥛" * 4000, "tags": ["🥛" * 50]})
    for number in range(70):
        client.create({"title": f"{number}", "notes": "🥛" * 4000})

    answer = client.send("GET", "/v1/items", sub=MALLORY)

    assert answer.status == 403
    assert answer.json["type"] == "/problems/unusable-username"
    assert answer.json["detail"].startswith("Too much of other accounts stands under this account")
