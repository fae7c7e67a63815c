"""One Region writes: what the operator's row says, and what a write meets while it does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastjsonschema
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from items import contract, logic
from items.fence import (
    HANDOVER_MS,
    KEPT_SECONDS,
    NOBODY,
    SHARED_AFTER_MS,
    Fence,
    Order,
    Refusal,
    refusal,
)
from items.routes import ItemsApi
from items.table import Table
from tests.unit.support import REGION, STANDBY, TABLE, Client, Json

if TYPE_CHECKING:
    import io

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.unit.support import Reply

PRIMARY = REGION
AT = 1_700_000_000_000
KEY = {"owner": {"S": f"region#{STANDBY}"}, "item_id": {"S": "takeover"}}
ITEM = "/v1/items/01234567-89ab-8def-8123-456789abcdef"
WRITES = [
    ("POST", "/v1/items", {"title": "a"}),
    ("PUT", ITEM, {"title": "a"}),
    ("PATCH", ITEM, {"title": "a"}),
    ("DELETE", ITEM, None),
    ("DELETE", "/v1/me", None),
]


class Clock:
    """A time that stands still until it is moved."""

    seconds = AT / 1000

    def __call__(self) -> float:
        """Give the time."""
        return self.seconds


class Row:
    """The operator's row, which counts how often it is read, and fails on demand."""

    def __init__(self, **attributes: Json) -> None:
        self.attributes: dict[str, Json] = attributes
        self.error: Exception | None = None
        self.reads = 0

    def __call__(self) -> dict[str, Json]:
        """Read it."""
        self.reads += 1
        if self.error:
            raise self.error
        return self.attributes


def writers(order: Order, now: int) -> set[str]:
    """Give the Regions that may write."""
    return {one for one in (PRIMARY, STANDBY) if refusal(order, one, STANDBY, now) is None}


def test_every_region_may_write_while_the_row_names_no_writer() -> None:
    for row in ({}, {"active": {"BOOL": True}}, {"paused": {"BOOL": False}}):
        assert writers(Order.from_row(row), AT) == {PRIMARY, STANDBY}


@pytest.mark.parametrize("writer", [PRIMARY, STANDBY])
def test_the_writer_alone_may_write_and_the_other_names_it(writer: str) -> None:
    order = Order(writer=writer)
    [other] = {PRIMARY, STANDBY} - {writer}
    assert writers(order, AT) == {writer}
    assert refusal(order, other, STANDBY, AT) == Refusal(writer)


def test_nobody_may_write_before_a_hand_over_that_has_been_begun() -> None:
    order = Order(writer=NOBODY, next_writer=STANDBY, next_at=AT + 1)
    for region in (PRIMARY, STANDBY):
        assert refusal(order, region, STANDBY, AT) == Refusal(STANDBY)


def test_paused_writes_are_paused_everywhere_whatever_else_the_row_says() -> None:
    for order in (
        Order(paused=True),
        Order(paused=True, writer=PRIMARY),
        Order(paused=True, next_writer=STANDBY, next_at=AT - HANDOVER_MS),
    ):
        for region in (PRIMARY, STANDBY):
            assert refusal(order, region, STANDBY, AT) == Refusal(None)


def test_a_writer_that_is_nobody_without_a_next_one_is_a_pause() -> None:
    assert refusal(Order(writer=NOBODY), PRIMARY, STANDBY, AT) == Refusal(None)


@pytest.mark.parametrize(
    ("leaves", "comes"), [(PRIMARY, STANDBY), (STANDBY, PRIMARY)], ids=["takeover", "failback"]
)
def test_the_region_that_comes_begins_well_after_the_one_that_leaves_has_stopped(
    leaves: str, comes: str
) -> None:
    order = Order(writer=leaves, next_writer=comes, next_at=AT)
    assert writers(order, AT - 1) == {leaves}
    assert writers(order, AT) == set()
    assert writers(order, AT + HANDOVER_MS - 1) == set()
    assert writers(order, AT + HANDOVER_MS) == {comes}
    assert refusal(order, leaves, STANDBY, AT) == Refusal(comes)
    assert refusal(order, comes, STANDBY, AT) == Refusal(comes)


def test_a_writer_that_goes_on_writing_is_never_refused() -> None:
    order = Order(writer=PRIMARY, next_writer=PRIMARY, next_at=AT)
    for elapsed in (-1, 0, 1, HANDOVER_MS, SHARED_AFTER_MS - 1):
        assert writers(order, AT + elapsed) == {PRIMARY}
    assert writers(order, AT + SHARED_AFTER_MS) == {PRIMARY, STANDBY}


def test_a_takeover_that_was_broken_off_leaves_the_standby_writing_alone() -> None:
    order = Order(writer=PRIMARY, next_writer=STANDBY, next_at=AT)
    assert writers(order, AT + 1000 * SHARED_AFTER_MS) == {STANDBY}


def test_a_failback_that_was_broken_off_leaves_a_standby_that_can_take_over() -> None:
    order = Order(writer=STANDBY, next_writer=PRIMARY, next_at=AT)
    assert writers(order, AT + SHARED_AFTER_MS - 1) == {PRIMARY}
    assert writers(order, AT + SHARED_AFTER_MS) == {PRIMARY, STANDBY}


def test_a_next_writer_without_a_time_changes_nothing() -> None:
    assert writers(Order(writer=PRIMARY, next_writer=STANDBY), AT) == {PRIMARY}


@given(
    leaves=st.sampled_from([PRIMARY, STANDBY, NOBODY]),
    comes=st.sampled_from([PRIMARY, STANDBY]),
    now=st.integers(-2 * SHARED_AFTER_MS, SHARED_AFTER_MS - 1),
    late=st.integers(0, HANDOVER_MS - 1),
)
def test_clocks_apart_by_less_than_the_hand_over_make_no_two_writers(
    leaves: str, comes: str, now: int, late: int
) -> None:
    order = Order(writer=leaves, next_writer=comes, next_at=AT)
    [gone] = {PRIMARY, STANDBY} - {comes}
    # The one that leaves is behind, the one that comes isn't.
    both = refusal(order, gone, STANDBY, AT + now - late), refusal(order, comes, STANDBY, AT + now)
    assert both != (None, None)


@pytest.mark.parametrize(
    "row",
    [
        {"writer": {"BOOL": True}, "next_writer": {"N": "1"}, "next_at": {"S": "soon"}},
        {"paused": {"S": "true"}},
    ],
    ids=str,
)
def test_an_attribute_of_another_type_is_as_if_it_were_absent(row: Json) -> None:
    assert Order.from_row(row) == Order()


def test_a_row_is_read_as_the_switch_writes_it(dynamodb: DynamoDBClient) -> None:
    table = Table(dynamodb, TABLE)
    assert Order.from_row(table.switch(STANDBY)) == Order()
    dynamodb.put_item(
        TableName=TABLE,
        Item={
            **KEY,
            "active": {"BOOL": True},
            "writer": {"S": PRIMARY},
            "next_writer": {"S": STANDBY},
            "next_at": {"N": str(AT)},
            "paused": {"BOOL": True},
        },
    )
    assert Order.from_row(table.switch(STANDBY)) == Order(PRIMARY, STANDBY, AT, paused=True)
    assert table.switch(PRIMARY) == {}


def test_the_row_is_read_once_in_two_seconds_however_many_writes_come() -> None:
    row, clock = Row(), Clock()
    fence = Fence(row, PRIMARY, STANDBY, wall=clock)
    for tenth in range(100):
        clock.seconds = AT / 1000 + tenth / 10
        assert fence.refusal() is None
    assert row.reads == 10 / KEPT_SECONDS


def test_an_order_counts_two_seconds_after_it_was_read_and_no_sooner() -> None:
    row, clock = Row(), Clock()
    fence = Fence(row, PRIMARY, STANDBY, wall=clock)
    assert fence.refusal() is None
    row.attributes = {"writer": {"S": STANDBY}}
    assert fence.refusal() is None
    clock.seconds += KEPT_SECONDS
    assert fence.refusal() == Refusal(STANDBY)


def test_a_hand_over_needs_no_further_read() -> None:
    row, clock = Row(next_writer={"S": STANDBY}, next_at={"N": str(AT + 500)}), Clock()
    fence = Fence(row, PRIMARY, STANDBY, wall=clock)
    assert fence.refusal() is None
    clock.seconds += 0.5
    assert fence.refusal() == Refusal(STANDBY)
    assert row.reads == 1


def test_what_was_read_in_a_time_to_come_is_read_again() -> None:
    row, clock = Row(), Clock()
    fence = Fence(row, PRIMARY, STANDBY, wall=clock)
    fence.refusal()
    clock.seconds -= 0.001
    fence.refusal()
    assert row.reads == 2


def test_a_row_that_cannot_be_read_lets_nothing_through_and_is_tried_by_each_write() -> None:
    row, clock = Row(), Clock()
    fence = Fence(row, PRIMARY, STANDBY, wall=clock)
    assert fence.refusal() is None
    clock.seconds += KEPT_SECONDS
    row.error = ClientError({"Error": {"Code": "Any"}}, "GetItem")
    for _ in range(2):
        with pytest.raises(ClientError):
            fence.refusal()
    assert row.reads == 3
    row.error = None
    assert fence.refusal() is None


class Fenced:
    """The users' function behind a fence whose row is in the table."""

    def __init__(self, api: ItemsApi, dynamodb: DynamoDBClient) -> None:
        self.clock = Clock()
        self.reads: list[Json] = []
        self._dynamodb = dynamodb
        self._table = Table(dynamodb, TABLE)
        fence = Fence(self._read, REGION, STANDBY, wall=self.clock)
        self.client = Client(ItemsApi(api.settings, api._items, fence, api._observe))

    def order(self, **attributes: Json) -> None:
        """Write the row, and wait until nothing else is known."""
        self._dynamodb.put_item(TableName=TABLE, Item={**KEY, **attributes})
        self.clock.seconds += KEPT_SECONDS

    def rows(self) -> int:
        """Count all that the table holds but the row."""
        return sum("writer" not in one for one in self._dynamodb.scan(TableName=TABLE)["Items"])

    def _read(self) -> dict[str, Any]:
        self.reads.append(self.clock())
        return self._table.switch(STANDBY)


@pytest.fixture
def fenced(api: ItemsApi, dynamodb: DynamoDBClient) -> Fenced:
    return Fenced(api, dynamodb)


def send(client: Client, method: str, path: str, body: Json) -> Reply:
    headers = {"Idempotency-Key": "k", "If-Match": "*"}
    return client.send(method, path, body=body, headers=headers)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_write_elsewhere_is_refused_and_says_where_and_that_nothing_was_written(
    fenced: Fenced, method: str, path: str, body: Json
) -> None:
    fenced.order(writer={"S": STANDBY})
    answer = send(fenced.client, method, path, body)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["type"] == "/problems/writes-elsewhere"
    assert answer.json["writer"] == STANDBY
    assert "Nothing was written" in answer.json["detail"]
    assert fenced.rows() == 0


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_paused_write_is_refused_for_longer(
    fenced: Fenced, method: str, path: str, body: Json
) -> None:
    fenced.order(paused={"BOOL": True}, writer={"S": REGION})
    answer = send(fenced.client, method, path, body)
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert answer.json["type"] == "/problems/writes-paused"
    assert "writer" not in answer.json
    assert "Nothing was written" in answer.json["detail"]
    assert fenced.rows() == 0


def test_every_route_that_writes_is_among_them(client: Client) -> None:
    writing = {route.method for route in client.api.routes} - {"GET"}
    assert writing == {method for method, _, _ in WRITES}
    assert len([one for one in client.api.routes if one.method != "GET"]) == len(WRITES)


def test_a_deletion_ends_where_it_is_once_the_fence_closes(
    fenced: Fenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logic, "DELETION_PAGE_ROWS", 2)
    for _ in range(6):
        fenced.client.create()
    rows = Table.rows

    def read_while_writes_are_paused(*given: Any) -> Any:
        fenced.order(paused={"BOOL": True})
        return rows(*given)

    monkeypatch.setattr(Table, "rows", read_while_writes_are_paused)
    fenced.order(writer={"S": REGION})
    answer = fenced.client.send("DELETE", "/v1/me")

    assert (answer.status, answer.json["deleted"]) == (202, 2)


def test_a_refused_create_succeeds_on_the_same_retry(fenced: Fenced) -> None:
    fenced.order(paused={"BOOL": True}, writer={"S": REGION})
    assert fenced.client.create({"title": "a"}, key="k").status == 503
    fenced.order(writer={"S": REGION})
    made = fenced.client.create({"title": "a"}, key="k")
    assert made.status == 201
    assert "idempotent-replayed" not in made.headers


def test_reads_go_on_and_never_ask(fenced: Fenced) -> None:
    made = fenced.client.create().headers["location"]
    fenced.order(paused={"BOOL": True}, writer={"S": STANDBY})
    reads = len(fenced.reads)
    assert fenced.client.send("GET", made).status == 200
    assert fenced.client.send("GET", "/v1/items").status == 200
    assert len(fenced.reads) == reads == 1


def test_readiness_and_takeover_are_as_they_were(
    fenced: Fenced, client: Client, dynamodb: DynamoDBClient
) -> None:
    fenced.order(paused={"BOOL": True}, writer={"S": STANDBY}, active={"BOOL": True})
    own = {"owner": {"S": f"region#{REGION}"}, "item_id": {"S": "takeover"}}
    dynamodb.put_item(TableName=TABLE, Item={**own, "writer": {"S": STANDBY}})
    assert client.send("GET", "/health/ready", user=None).status == 200
    assert client.send("GET", "/health/takeover", user=None).status == 404


def test_a_path_that_is_none_is_no_write(fenced: Fenced) -> None:
    fenced.order(paused={"BOOL": True}, writer={"S": STANDBY})
    assert fenced.client.send("POST", "/v1/nothing").status == 404
    assert fenced.client.send("PUT", "/v1/items").status == 405
    assert fenced.reads == []


def test_a_refusal_is_counted_and_logged(
    fenced: Fenced, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    fenced.order(writer={"S": STANDBY})
    send(fenced.client, *WRITES[0])
    refused, request = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (refused["message"], refused["level"]) == ("write refused", "WARNING")
    assert refused["writer"] == STANDBY
    assert refused["request_id"] == request["request_id"]
    assert request["status"] == 503
    [counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert counted["WriteRefused"] == [1.0]


@pytest.mark.parametrize(
    ("code", "status"), [("InternalServerError", 503), ("ThrottlingException", 429)]
)
def test_a_row_that_cannot_be_read_is_answered_as_the_table_itself_would(
    api: ItemsApi, code: str, status: int
) -> None:
    class Broken:
        def get_item(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": code}}, "GetItem")

    table = Table(Broken(), TABLE)  # type: ignore[arg-type]
    fence = Fence(lambda: table.switch(STANDBY), REGION, STANDBY)
    client = Client(ItemsApi(api.settings, api._items, fence, api._observe))
    answer = client.create()
    assert (answer.status, answer.json["type"]) == (status, "about:blank")
    assert client.send("GET", "/v1/items").json["items"] == []


def test_refusals_fit_the_contracts_problem(fenced: Fenced) -> None:
    validate = fastjsonschema.compile(contract.schema("problem"))
    for row in ({"writer": {"S": STANDBY}}, {"paused": {"BOOL": True}}):
        fenced.order(**row)
        answer = send(fenced.client, *WRITES[0]).json
        validate(answer)
        assert answer.keys() <= contract.schema("problem")["properties"].keys()
