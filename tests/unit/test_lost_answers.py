"""A write that was done and whose answer was lost is done: it isn't refused, and not done twice.

The table is moto's, behind botocore's own retries: what is lost is the first answer to a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from moto.core import models as moto

from items.model import KEPT_WRITES
from items.table import request_client
from tests.unit.support import ALICE, REGION, SUBS, TABLE, Client, Json, Reply, caller
from tests.unit.test_item_limit import Clock, clocked, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.routes import ItemsApi

WRITES = tuple(f"before-send.dynamodb.{name}" for name in ("PutItem", "UpdateItem"))


class LostAnswers:
    """DynamoDB does every write, and the first answer to each never arrives.

    meanwhile is what happens before botocore sends the write again. lost counts the answers.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.meanwhile: Callable[[], object] | None = None

    def answer(self, request: Any, event_name: str, **_: object) -> None:
        """Do the first attempt of a write, and lose its answer; leave all else to moto."""
        if "attempt=1" not in str(request.headers["amz-sdk-request"]):
            return
        moto.botocore_stubber(event_name, request)
        self.lost += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        raise ReadTimeoutError(endpoint_url=request.url)


@pytest.fixture
def dynamodb(dynamodb: DynamoDBClient) -> DynamoDBClient:
    """A client of the table for each test: botocore gives one client fifty retries."""
    assert dynamodb.describe_table(TableName=TABLE)
    return request_client(REGION)


@pytest.fixture
def answers(dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> LostAnswers:
    """Lose answers from here on, and spare the wait before each retry."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    losing = LostAnswers()
    for event in WRITES:
        dynamodb.meta.events.register_first(event, losing.answer)
    return losing


@pytest.fixture
def made(client: Client) -> Reply:
    """An item whose own create lost nothing."""
    return client.create({"title": "old", "notes": "kept"})


def item(client: Client, made: Reply) -> Json:
    """The item as it is now."""
    return client.send("GET", made.headers["location"]).json


def change(client: Client, made: Reply, method: str, if_match: str, title: str = "new") -> Reply:
    headers = {"If-Match": if_match}
    return client.send(method, made.headers["location"], body={"title": title}, headers=headers)


def test_a_create_makes_one_item_and_says_that_it_did(
    client: Client, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    created = client.create({"title": "new"}, key="k")

    assert created.status == 201
    assert "idempotent-replayed" not in created.headers
    assert answers.lost == 2  # the count's, and the item's
    assert count(dynamodb) == 1
    assert client.create({"title": "new"}, key="k").json == created.json
    assert client.create({"title": "other"}, key="k").status == 422
    assert count(dynamodb) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_meets_itself_and_has_succeeded(
    client: Client, made: Reply, answers: LostAnswers, method: str
) -> None:
    changed = change(client, made, method, made.etag)

    assert answers.lost == 1
    assert (changed.status, changed.json["title"], changed.json["version"]) == (200, "new", 2)
    assert item(client, made) == changed.json


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_of_whatever_is_there_is_made_once(
    client: Client, made: Reply, answers: LostAnswers, method: str
) -> None:
    changed = change(client, made, method, "*")

    assert answers.lost == 1
    assert (changed.status, changed.json["version"]) == (200, 2)
    assert item(client, made) == changed.json


@pytest.mark.parametrize("if_match", [None, "*", "its own"])
def test_a_deletion_meets_itself_and_has_succeeded(
    client: Client, made: Reply, answers: LostAnswers, if_match: str | None
) -> None:
    headers = {"If-Match": made.etag if if_match == "its own" else if_match} if if_match else {}
    deleted = client.send("DELETE", made.headers["location"], headers=headers)

    assert answers.lost == 1
    assert deleted.status == 204
    assert client.send("GET", made.headers["location"]).status == 404


@pytest.mark.parametrize("if_match", ["*", "its own"])
def test_a_change_that_others_have_built_on_has_succeeded_all_the_same(
    client: Client, made: Reply, answers: LostAnswers, if_match: str
) -> None:
    def others() -> None:
        for number in range(KEPT_WRITES - 1):
            assert change(client, made, "PATCH", "*", f"theirs {number}").status == 200

    answers.meanwhile = others
    changed = change(client, made, "PUT", made.etag if if_match == "its own" else if_match)

    assert (changed.status, changed.json["version"]) == (200, 2)
    # Theirs came later, and stay; mine isn't done again.
    last = item(client, made)
    assert (last["title"], last["version"]) == (f"theirs {KEPT_WRITES - 2}", 1 + KEPT_WRITES)


def test_a_create_that_somebody_has_deleted_since_did_make_the_item(
    client: Client, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    def deleted() -> None:
        (listed,) = client.send("GET", "/v1/items").json["items"]
        assert client.send("DELETE", f"/v1/items/{listed['id']}").status == 204

    def counted() -> None:
        answers.meanwhile = deleted

    answers.meanwhile = counted
    created = client.create({"title": "new"})

    assert created.status == 201
    assert client.send("GET", created.headers["location"]).status == 404
    assert count(dynamodb) == 1


def test_what_somebody_else_wrote_is_still_a_conflict(
    client: Client, made: Reply, answers: LostAnswers
) -> None:
    theirs = change(client, made, "PUT", made.etag, "theirs")

    for method in ("PUT", "PATCH", "DELETE"):
        assert change(client, made, method, made.etag).status == 412
    assert item(client, made) == theirs.json
    assert answers.lost == 1


def test_the_last_free_place_is_not_refused_to_who_has_taken_it(
    api: ItemsApi, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    three = clocked(api, dynamodb, Clock(), most=3)

    assert [three.create().status for _ in range(4)] == [201, 201, 201, 403]
    assert count(dynamodb) == 3
    assert answers.lost > 0


def test_a_replay_gives_back_what_it_reserved_and_no_more(
    client: Client, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    for _ in range(3):
        client.create()
    for _ in range(3):
        client.create({"title": "same"}, key="k")

    assert answers.lost > 0
    assert count(dynamodb) == 4


def test_a_count_that_is_due_is_made_by_who_has_claimed_it(
    api: ItemsApi, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    three = clocked(api, dynamodb, Clock(), most=3)
    three.create()
    dynamodb.update_item(
        TableName=TABLE,
        Key={"owner": {"S": caller().owner}, "item_id": {"S": f"quota#{SUBS[ALICE]}"}},
        UpdateExpression="SET item_count = :drift",
        ExpressionAttributeValues={":drift": {"N": "3"}},
    )

    assert three.create().status == 201
    assert count(dynamodb) == 2
    assert answers.lost > 0


def test_a_deletion_of_everything_is_done(
    client: Client, answers: LostAnswers, dynamodb: DynamoDBClient
) -> None:
    for _ in range(3):
        client.create()

    assert client.send("DELETE", "/v1/me").status == 204
    assert client.send("GET", "/v1/items").json["items"] == []
    assert answers.lost > 0
