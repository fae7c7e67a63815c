"""What happens when it gets too much, or when something of ours breaks."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.support.api import JSON

if TYPE_CHECKING:
    from tests.e2e.account_operator import Operator
    from tests.support.api import SignedIn


def all_operations(me: SignedIn, item_id: str, key: str) -> dict[str, int]:
    """Send one good request of each kind; give the statuses."""
    path = f"/v1/items/{item_id}"
    body = json.dumps({"title": "Whole"})
    change = {"content-type": JSON, "if-match": "*"}
    create = {"content-type": JSON, "idempotency-key": key}
    requests = {
        "createItem": ("POST", "/v1/items", create, body),
        "listItems": ("GET", "/v1/items", {}, None),
        "getItem": ("GET", path, {}, None),
        "replaceItem": ("PUT", path, change, body),
        "patchItem": ("PATCH", path, change, body),
        "deleteItem": ("DELETE", path, {}, None),
        "deleteMe": ("DELETE", "/v1/me", {}, None),
    }
    return {
        name: me.send(method, where, headers=headers, body=sent, fault_expected=True).status_code
        for name, (method, where, headers, sent) in requests.items()
    }


@pytest.mark.alone
@pytest.mark.emulated_only("it throttles everybody")
def test_too_much_is_refused_with_a_problem(me: SignedIn, operator: Operator) -> None:
    item_id = me.create({"title": "Before"}, str(uuid.uuid4())).json()["id"]
    assert me.api.target.region

    with operator.throttled(me.api.target.region):
        assert set(all_operations(me, item_id, str(uuid.uuid4())).values()) == {429}
        assert me.api.send("GET", "/health/ready").status_code == 200

    assert me.get(item_id).status_code == 200


@pytest.mark.emulated_only("only from beside the table can a writer be faster than the function")
def test_writers_that_never_stop_end_in_a_conflict(me: SignedIn, operator: Operator) -> None:
    """If-Match: * means any version, but not for ever: some failed tries end in an error."""
    table = operator.dynamodb(str(me.api.target.region))
    busy = [make_one(me)]
    enough = Event()

    def keep_writing(_: int) -> None:
        while not enough.is_set():
            table.update_item(
                TableName=operator.table,
                Key={"owner": {"S": me.person.owner}, "item_id": {"S": busy[-1]}},
                UpdateExpression="ADD version :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    def meets_a_conflict(method: str) -> bool:
        for _ in range(60):
            if change(me, method, busy[-1]) == 409:
                return True
            busy.append(make_one(me))
        return False

    with ThreadPoolExecutor(3) as writers:
        writing = writers.map(keep_writing, range(3))
        try:
            met = {method: meets_a_conflict(method) for method in ("PUT", "PATCH", "DELETE")}
        finally:
            enough.set()
        list(writing)

    assert all(met.values()), met


def make_one(me: SignedIn) -> str:
    return str(me.create({"title": "Busy"}, str(uuid.uuid4())).json()["id"])


def change(me: SignedIn, method: str, item_id: str) -> int:
    headers = {"content-type": JSON, "if-match": "*"}
    body = None if method == "DELETE" else '{"title": "Mine"}'
    return me.send(method, f"/v1/items/{item_id}", headers=headers, body=body).status_code


@pytest.mark.emulated_only("what the gateway makes of Lambda's refusal is documented nowhere")
def test_a_body_that_no_function_can_be_given_is_too_large(me: SignedIn) -> None:
    body = json.dumps({"title": "Too large"}) + " " * (7 * 1024 * 1024)
    headers = {"content-type": JSON, "idempotency-key": str(uuid.uuid4())}

    bearer = {"authorization": f"Bearer {me.tokens.access}", **me.api.target.headers}

    # AWS's own answer, which no API can put in its own form.
    status = me.api.raw("POST", "/v1/items", headers=bearer | headers, body=body.encode())

    assert status == 413


@pytest.mark.own_names
@pytest.mark.emulated_only("it raises the alarm that a fault of ours is meant to raise")
def test_a_fault_of_ours_is_a_problem_that_gives_nothing_away(
    me: SignedIn, operator: Operator
) -> None:
    key = str(uuid.uuid4())
    item_id = me.create({"title": "Whole"}, key).json()["id"]
    operator.dynamodb(str(me.api.target.region)).update_item(
        TableName=operator.table,
        Key={"owner": {"S": me.person.owner}, "item_id": {"S": item_id}},
        UpdateExpression="SET title = :nonsense, #sub = :nonsense",
        ExpressionAttributeNames={"#sub": "sub"},
        ExpressionAttributeValues={":nonsense": {"L": []}},
    )

    statuses = all_operations(me, item_id, key)

    assert set(statuses.values()) == {500}, statuses
    text = me.send("GET", f"/v1/items/{item_id}", fault_expected=True).text
    assert not [word for word in ("KeyError", "Traceback", "dynamodb", ".py") if word in text]
