"""One Region writes where the operator's row says so; reads and readiness go on."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api import JSON
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from project.deployment import Deployment
    from tests.e2e.account_operator import Operator
    from tests.support.api import Api, SignedIn

pytestmark = [
    pytest.mark.alone,
    pytest.mark.emulated_only("it refuses users' writes: an operator's decision, not a test's"),
]

# What was read of the row counts for two seconds in each copy of the function.
SEEN_SECONDS = REPLICATION_DEADLINE + 2.0
READY_SECONDS = 30.0
ELSEWHERE, PAUSED = "/problems/writes-elsewhere", "/problems/writes-paused"


@dataclass(frozen=True, slots=True)
class OperatorsRow:
    """The row of the standby's switch, in the standby's replica."""

    operator: Operator
    standby: str

    def write(self, **attributes: Any) -> None:
        """Write it, without moving anybody."""
        self.operator.dynamodb(self.standby).put_item(
            TableName=self.operator.table, Item={**self._key, **attributes}
        )

    def remove(self) -> None:
        """Remove it: every Region may write."""
        self.operator.dynamodb(self.standby).delete_item(
            TableName=self.operator.table, Key=self._key
        )

    @property
    def _key(self) -> dict[str, Any]:
        return {"owner": {"S": f"region#{self.standby}"}, "item_id": {"S": "takeover"}}


@contextmanager
def a_row(operator: Operator, standby: str) -> Iterator[OperatorsRow]:
    row = OperatorsRow(operator, standby)
    try:
        yield row
    finally:
        row.remove()


def writes(me: SignedIn, item_id: str) -> list[requests.Response]:
    """Send each method that changes an item; all can succeed while the item is there."""
    path, change = f"/v1/items/{item_id}", {"content-type": JSON, "if-match": "*"}
    body = json.dumps({"title": "Changed"})
    made = me.create({"title": "Made"}, str(uuid.uuid4()), fault_expected=True)
    # What a refused create would have made is nobody's; the item itself stays.
    new = made.headers.get("location", f"/v1/items/{uuid.uuid4()}")
    return [
        made,
        me.send("PUT", path, headers=change, body=body, fault_expected=True),
        me.send("PATCH", path, headers=change, body=body, fault_expected=True),
        me.send("DELETE", new, fault_expected=True),
    ]


def kinds(answers: list[requests.Response]) -> set[tuple[int, str | None, str | None, str | None]]:
    """Give status, type, writer and Retry-After of answers."""
    found = set()
    for answer in answers:
        problem = answer.json() if answer.status_code >= 400 else {}
        retry_after = answer.headers.get("retry-after")
        kind = (problem.get("type"), problem.get("writer"))
        found.add((answer.status_code // 100 * 100, *kind, retry_after))
    return found


def await_writes(me: SignedIn, item_id: str, accept: Callable[[set[Any]], bool]) -> None:
    eventually(lambda: kinds(writes(me, item_id)), accept, SEEN_SECONDS)


def refused(kind: str, writer: str | None, retry_after: str) -> Callable[[set[Any]], bool]:
    return lambda seen: seen == {(500, kind, writer, retry_after)}


def taken(seen: set[Any]) -> bool:
    return seen == {(200, None, None, None)}


def assert_reads_go_on(me: SignedIn, item_id: str) -> None:
    assert me.get(item_id).status_code == 200
    assert me.list().status_code == 200
    # It gives itself a third of a second, which a busy machine may not have.
    eventually(
        lambda: me.api.send("GET", "/health/ready", fault_expected=True).status_code,
        lambda status: status == 200,
        READY_SECONDS,
    )


def test_the_row_says_which_region_writes_and_reads_go_on(
    me: SignedIn, apis: Mapping[str, Api], deployment: Deployment, operator: Operator
) -> None:
    primary, standby = (one.region for one in deployment.regions)
    there, here = me.at(apis["standby"]), me.at(apis["primary"])
    item_id = me.create({"title": "Here before"}, str(uuid.uuid4())).json()["id"]
    eventually(
        lambda: there.get(item_id).status_code, lambda status: status == 200, REPLICATION_DEADLINE
    )

    with a_row(operator, standby) as row:
        row.write(writer={"S": standby})
        await_writes(here, item_id, refused(ELSEWHERE, standby, "1"))
        await_writes(there, item_id, taken)
        assert_reads_go_on(here, item_id)

        row.write(writer={"S": primary})
        await_writes(there, item_id, refused(ELSEWHERE, primary, "1"))
        await_writes(here, item_id, taken)
        assert_reads_go_on(there, item_id)

        row.write(writer={"S": primary}, paused={"BOOL": True})
        for region in (here, there):
            await_writes(region, item_id, refused(PAUSED, None, "30"))
            assert_reads_go_on(region, item_id)

    for region in (here, there):
        await_writes(region, item_id, taken)
