"""The smoke test against the real function, over a table in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from items.fence import Fence
from items.health import Probe
from items.health_routes import HealthApi
from items.logic import Items
from items.observability import Observer
from items.routes import ItemsApi
from items.settings import Settings
from items.table import Table
from project.owned_rows import owner_of, remove_rows
from project.switch import Row
from releases.events import Caller, Request, proxy_event
from releases.functions import Reply, reply_of
from releases.smoke import Journey, Step, Writes, slower, timings, username, usernames, writes_of
from tests.unit.support import CLIENT_ID, MAX_ITEMS, TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from releases.smoke import Send

REGION, STANDBY = "us-east-1", "us-west-2"
RUN = "3fbd7f6a-2c2f-4f4c-9f4c-000000000001"
SETTINGS = Settings(
    REGION, TABLE, "items", "landing-test", frozenset(), frozenset({CLIENT_ID}), MAX_ITEMS, STANDBY
)
Answer = dict[str, Any]


def sender(
    table: DynamoDBClient,
    row: dict[str, Any] | None = None,
    change: Callable[[Request, Answer], Answer] = lambda _request, answer: answer,
) -> Send:
    """Call the real function by proxy events, as Lambda would; `change` makes it a worse one."""
    observer = Observer(SETTINGS)
    users = ItemsApi(
        SETTINGS,
        Items(Table(table, TABLE), REGION, MAX_ITEMS),
        Fence(lambda: row or {}, REGION, STANDBY),
        observer,
    )
    health = HealthApi(SETTINGS, Probe(table, TABLE, REGION), observer)

    def send(request: Request, name: str | None) -> Reply:
        caller = None if name is None else Caller(name, CLIENT_ID)
        event = proxy_event(request, f"{REGION}.example.com", "111111111111", caller)
        # What isn't JSON can't be sent.
        sent = json.loads(json.dumps(event))
        api = health if name is None else users
        answer = change(request, api.handle(sent, None))
        return reply_of(json.dumps(answer).encode(), failed=False, version=1, milliseconds=1)

    return send


def journey(send: Send, writes: Writes = Writes.TAKEN) -> Journey:
    return Journey(send, username(RUN, 0), REGION, writes)


def test_the_function_as_it_is_passes_and_leaves_nothing(table: DynamoDBClient) -> None:
    users = journey(sender(table)).users()
    health = journey(sender(table)).health()

    assert (users.wrong, health.wrong) == ("", "")
    assert [(step.name, step.reply.status) for step in users.steps] == [
        ("create", 201),
        ("read", 200),
        ("list", 200),
        ("update", 200),
        ("delete", 204),
        ("read what is deleted", 404),
        ("delete all", 204),
    ]
    assert [step.reply.status for step in health.steps] == [200, 200, 404]

    remove_rows(table, TABLE, owner_of(username(RUN, 0)))
    left = table.scan(TableName=TABLE)["Items"]
    assert {item["owner"]["S"] for item in left} <= {f"region#{REGION}"}


PAUSED = {"paused": {"BOOL": True}}
ELSEWHERE = {"writer": {"S": STANDBY}}


@pytest.mark.parametrize("row", [PAUSED, ELSEWHERE], ids=["paused", "elsewhere"])
def test_a_region_that_may_not_write_has_to_refuse(
    table: DynamoDBClient, row: dict[str, Any]
) -> None:
    assert journey(sender(table, row), Writes.REFUSED).users().wrong == ""
    assert journey(sender(table, row), Writes.EITHER).users().wrong == ""
    wrong = journey(sender(table, row), Writes.TAKEN).users().wrong
    assert wrong.startswith("create: 503 in place of 201")
    hole = journey(sender(table), Writes.REFUSED).users().wrong
    assert hole.startswith("create: 201, where the operator's switch lets this Region write")


def at(method: str, resource: str, **changed: object) -> Callable[[Request, Answer], Answer]:
    def change(request: Request, given: Answer) -> Answer:
        here = (request.method, request.resource) == (method, resource)
        return {**given, **changed} if here else given

    return change


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (at("POST", "/v1/items", statusCode=500), "create: 500 in place of 201"),
        (at("GET", "/v1/items/{id}", body='{"title": "x"}'), "read: an answer that lacks"),
        (at("GET", "/v1/items", body='{"items": []}'), "list: an answer that lacks"),
        (at("PATCH", "/v1/items/{id}", statusCode=404), "update: 404 in place of 200"),
        (at("DELETE", "/v1/items/{id}", statusCode=403), "delete: 403 in place of 204"),
        (at("DELETE", "/v1/me", statusCode="204"), "delete all: malformed proxy answer"),
        (at("POST", "/v1/items", body={"title": 1}), "create: malformed proxy answer"),
        (
            at("GET", "/v1/items", multiValueHeaders={"x-served-by": ["eu-west-1"]}),
            "list: x-served-by eu-west-1 in place of us-east-1",
        ),
    ],
)
def test_whatever_a_request_gets_wrong_is_named(
    table: DynamoDBClient, change: Callable[[Request, Answer], Answer], wrong: str
) -> None:
    assert journey(sender(table, change=change)).users().wrong.startswith(wrong)


def test_an_item_that_is_not_deleted_is_noticed(table: DynamoDBClient) -> None:
    send = sender(table)

    def keeps(request: Request, name: str | None) -> Reply:
        if (request.method, request.resource) == ("DELETE", "/v1/items/{id}"):
            return replace(send(Request("GET", "/v1/items"), name), status=204)
        return send(request, name)

    assert journey(keeps).users().wrong.startswith("read what is deleted: 200 in place of 404")


def test_a_region_that_is_not_ready_fails(table: DynamoDBClient) -> None:
    not_ready = at("GET", "/health/ready", statusCode=503)
    wrong = journey(sender(table, change=not_ready)).health().wrong
    assert wrong.startswith("/health/ready: 503 in place of 200")


def test_a_function_that_fails_says_how() -> None:
    payload = b'{"errorType": "KeyError", "errorMessage": "TABLE_NAME", "stackTrace": []}'
    reply = reply_of(payload, failed=True, version=3, milliseconds=1)
    assert (reply.status, reply.error) == (502, "KeyError: TABLE_NAME")


def test_only_what_is_much_slower_is_slower() -> None:
    def timed(*milliseconds: float) -> dict[str, list[float]]:
        steps = [Step("read", Reply(200, milliseconds=each)) for each in milliseconds]
        return timings([Journey(lambda *_: Reply(200), "", REGION, Writes.TAKEN, steps)])

    assert slower(timed(10, 70, 900), timed(10, 11, 12)) == ""
    assert slower(timed(10, 73, 74), timed(10, 11, 12)) == "read takes 73 ms in place of 11 ms"
    assert slower(timed(400), timed(200)) == ""
    assert slower(timed(451), timed(200)) != ""


NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("row", "region", "expected"),
    [
        (Row(), REGION, Writes.TAKEN),
        (Row(), STANDBY, Writes.TAKEN),
        (Row(paused=True), REGION, Writes.REFUSED),
        (Row(active=True, writer=STANDBY), REGION, Writes.REFUSED),
        (Row(active=True, writer=STANDBY), STANDBY, Writes.TAKEN),
        (Row(writer=REGION, next_writer=STANDBY, next_at=NOW + 2000), REGION, Writes.EITHER),
    ],
)
def test_what_is_right_is_what_the_operators_row_says(
    row: Row, region: str, expected: Writes
) -> None:
    assert writes_of(row, region, STANDBY, NOW) is expected


def test_a_runs_throw_away_owners_can_be_found_again() -> None:
    assert len(set(usernames(RUN))) == len(usernames(RUN))
    assert username(RUN, 3) == usernames(RUN)[3]
