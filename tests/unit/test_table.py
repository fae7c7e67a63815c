"""The table behind the API: its conditions, its pages, and its bad days."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from items.logic import Items
from items.model import Item
from items.routes import ItemsApi
from items.table import Table, TableUnavailable, request_client
from tests.unit.support import MAX_ITEMS, REGION, TABLE, Client, Json, caller

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.observability import Observer
    from items.settings import Settings

STAMP = "2025-01-01T00:00:00.000000Z"
ITEM = Item(
    owner=caller().owner,
    sub=caller().sub,
    id="01234567-89ab-8def-8123-456789abcdef",
    title="t",
    status="todo",
    tags=("a", "b"),
    notes=None,
    due_on=None,
    version=1,
    created_at=STAMP,
    updated_at=STAMP,
    written_in=REGION,
    request_hash="0" * 64,
    writes=("first",),
)
OTHER = replace(ITEM, title="other", writes=("another",))
CHANGED = replace(ITEM, version=2, writes=("second", "first"))
DELETED = replace(CHANGED, deleted_at=STAMP)


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> Table:
    return Table(dynamodb, TABLE)


@pytest.fixture
def reads(dynamodb: DynamoDBClient) -> Iterator[list[Json]]:
    """Give the arguments of every read that DynamoDB was asked for."""
    made: list[Json] = []

    def note(params: Json, **_: object) -> None:
        made.append(params)

    operations = [f"provide-client-params.dynamodb.{name}" for name in ("GetItem", "Query")]
    for operation in operations:
        dynamodb.meta.events.register(operation, note, unique_id=operation)
    yield made
    for operation in operations:
        dynamodb.meta.events.unregister(operation, unique_id=operation)


@pytest.mark.parametrize(
    "read",
    [
        lambda table: table.get(ITEM.owner, ITEM.id),
        lambda table: table.page(ITEM.owner, None, 5, None),
        lambda table: table.page(ITEM.owner, None, 5, None, frozenset({ITEM.sub})),
        lambda table: table.accepted(caller()),
        lambda table: table.closed_until(caller()),
        lambda table: table.rows(ITEM.owner, 5, None),
        lambda table: table.switch("us-west-2"),
    ],
    ids=[
        "an item",
        "a list",
        "a list of some accounts",
        "what was accepted",
        "the mark",
        "rows",
        "who may write",
    ],
)
def test_what_follows_from_a_read_is_read_consistently(
    table: Table, reads: list[Json], read: Callable[[Table], object]
) -> None:
    read(table)
    (call,) = reads
    assert call["ConsistentRead"] is True


def test_a_list_by_status_is_read_as_a_global_index_can_be(table: Table, reads: list[Json]) -> None:
    # "Consistent reads are not supported on global secondary indexes" (API_Query): a 400 on AWS.
    table.page(ITEM.owner, "todo", 5, None)
    (call,) = reads
    assert "ConsistentRead" not in call
    assert call["IndexName"] == "by_status"


def test_a_list_asks_for_no_more_than_it_needs(table: Table, reads: list[Json]) -> None:
    table.page(ITEM.owner, None, 5, None)
    table.rows(ITEM.owner, 7, None)
    assert [call["Limit"] for call in reads] == [5, 7]


def test_rows_are_given_with_whose_they_are_as_far_as_is_known(
    table: Table, dynamodb: DynamoDBClient
) -> None:
    """An operator's import may lack a row's sub."""
    assert table.insert(ITEM)
    unknown = {"owner": {"S": ITEM.owner}, "item_id": {"S": "f" + ITEM.id[1:]}}
    dynamodb.put_item(TableName=TABLE, Item=unknown)
    found, _ = table.rows(ITEM.owner, 7, None)
    assert sorted(found) == sorted([(unknown["item_id"]["S"], ""), (ITEM.id, ITEM.sub)])


def test_a_page_asks_for_one_item_more_which_tells_whether_there_is_another_page(
    table: Table, reads: list[Json]
) -> None:
    Items(table, REGION, MAX_ITEMS).page(caller(), None, 5, None)
    assert [call["Limit"] for call in reads] == [6]


@pytest.mark.parametrize("item", [ITEM, replace(ITEM, notes="", due_on="2025-01-01", tags=())])
def test_an_item_is_read_as_it_was_written(table: Table, item: Item) -> None:
    assert table.get(item.owner, item.id) is None
    assert table.insert(item)
    assert table.get(item.owner, item.id) == item


def test_an_insert_never_overwrites_what_is_stored_soft_deleted_or_not(table: Table) -> None:
    assert table.insert(ITEM)
    assert not table.insert(OTHER)
    assert table.get(ITEM.owner, ITEM.id) == ITEM
    assert table.soft_delete(ITEM, DELETED, expires_at=9)
    assert not table.insert(OTHER)
    assert table.get(ITEM.owner, ITEM.id) == DELETED


@pytest.mark.parametrize(
    "seen",
    [
        replace(ITEM, version=2),
        replace(ITEM, updated_at="2025-01-01T00:00:00.000001Z"),
        replace(ITEM, written_in="us-west-2"),
    ],
)
def test_a_change_of_anything_but_what_was_read_is_not_written(table: Table, seen: Item) -> None:
    table.insert(ITEM)
    assert not table.update(seen, replace(CHANGED, version=3))
    assert not table.soft_delete(seen, DELETED, expires_at=9)
    assert table.get(ITEM.owner, ITEM.id) == ITEM


def test_a_change_of_what_is_not_there_makes_nothing(table: Table) -> None:
    assert not table.update(ITEM, CHANGED)
    assert not table.soft_delete(ITEM, DELETED, expires_at=9)
    assert table.get(ITEM.owner, ITEM.id) is None


def test_a_page_is_full_though_dynamodb_ends_its_own_at_a_megabyte(
    table: Table, dynamodb: DynamoDBClient
) -> None:
    ids = [f"01234567-89ab-8def-8123-{number:012x}" for number in range(70)]
    for number in ids:
        table.insert(replace(ITEM, id=number, notes="🥛" * 4000))
    calls: list[str] = []
    dynamodb.meta.events.register(
        "before-call.dynamodb.Query", lambda **_: calls.append("query"), unique_id="calls"
    )
    page = table.page(ITEM.owner, None, 70, None)
    dynamodb.meta.events.unregister("before-call.dynamodb.Query", unique_id="calls")
    assert [item.id for item in page] == ids[::-1]
    assert len(calls) > 1


class Broken:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def call(**_: object) -> None:
            raise self._error

        return call


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret message"}}, "Operation")


def broken_client(error: Exception, api: ItemsApi, settings: Settings, observe: Observer) -> Client:
    table = Table(Broken(error), TABLE)  # type: ignore[arg-type]
    return Client(ItemsApi(settings, Items(table, REGION, MAX_ITEMS), api._fence, observe))


@pytest.mark.parametrize(
    "error",
    [
        refusal("InternalServerError"),
        refusal("AccessDeniedException"),
        refusal("ResourceNotFoundException"),
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
    ],
    ids=str,
)
def test_a_table_that_cannot_be_used_asks_to_come_again(
    error: Exception, api: ItemsApi, settings: Settings, log: io.StringIO
) -> None:
    client = broken_client(error, api, settings, api._observe)
    path = f"/v1/items/{ITEM.id}"
    headers = {"If-Match": "*"}
    answers = [
        client.create(),
        client.send("GET", "/v1/items"),
        client.send("GET", path),
        client.send("PUT", path, body={"title": "a"}, headers=headers),
        client.send("PATCH", path, body={"title": "a"}, headers=headers),
        client.send("DELETE", path),
    ]
    for answer in answers:
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.body
    assert "secret" not in log.getvalue()
    assert log.getvalue().count('"table unavailable"') == len(answers)
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else None
    assert log.getvalue().count(f'"reason":"{code or type(error).__name__}"') == len(answers)


@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalServerError", 503), ("ThrottlingException", 429), ("ValidationException", 500)],
)
def test_who_may_have_been_served_after_all_is_told_what_is_safe_to_repeat(
    code: str, status: int, api: ItemsApi, settings: Settings
) -> None:
    client = broken_client(refusal(code), api, settings, api._observe)
    path, headers = f"/v1/items/{ITEM.id}", {"If-Match": "*"}
    told = {"POST": client.create()}
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        told[method] = client.send(method, path, body={"title": "a"}, headers=headers)

    assert {answer.status for answer in told.values()} == {status}
    assert "Idempotency-Key" in told["POST"].json["detail"]
    for method in ("PUT", "PATCH"):
        assert "may have been made" in told[method].json["detail"]
        assert "If-Match: * the same request is safe" in told[method].json["detail"]
        assert "412" in told[method].json["detail"]
    for method in ("GET", "DELETE"):
        assert "The same request is safe" in told[method].json["detail"]


def test_a_fault_of_ours_is_a_plain_500_and_logged_without_content(
    api: ItemsApi, settings: Settings, log: io.StringIO
) -> None:
    ours = ("ValidationException", "SerializationException")
    for error in (*map(refusal, ours), RuntimeError("secret")):
        client = broken_client(error, api, settings, api._observe)
        answer = client.create({"title": "secret"})
        assert answer.status == 500
        assert answer.headers["x-served-by"] == REGION
        assert "secret" not in answer.body
    assert "secret" not in log.getvalue()
    assert '"exception_name":"RuntimeError"' in log.getvalue()


def test_a_missing_table_is_unavailable(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(TableUnavailable, match="ResourceNotFoundException"):
        Table(dynamodb, "no-such-table").get("user#a", "x")


def test_a_request_is_tried_twice_and_gives_up_before_the_gateway_does() -> None:
    client = request_client("eu-west-3")
    config: Any = client.meta.config
    assert client.meta.region_name == "eu-west-3"
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.tcp_keepalive is True
