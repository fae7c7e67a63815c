"""The answers that Route 53 and operators go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    import requests

    from tests.e2e.account_operator import Operator
    from tests.support.api import Api

# Every copy of the function keeps an answer for a second; this many of those.
KEPT = 5.0
PATIENCE = 30.0
PATHS = ("/health", "/health/ready", "/health/takeover")


@pytest.mark.each_name
def test_the_function_answers_anyone(api: Api) -> None:
    answer = api.send("GET", "/health")

    assert answer.status_code == 200
    assert answer.json()["region"] == answer.headers["x-served-by"]


@pytest.mark.each_name
@pytest.mark.parametrize("path", PATHS)
def test_an_uptime_monitor_may_ask_for_no_body(api: Api, path: str) -> None:
    def asked() -> set[int]:
        return {
            api.send(method, path, fault_expected=True).status_code for method in ("GET", "HEAD")
        }

    expected = {404} if path == "/health/takeover" else {200}
    eventually(asked, lambda statuses: statuses == expected, PATIENCE)


@pytest.mark.each_name
def test_a_healthy_region_is_ready_for_as_many_checkers_as_ask(api: Api) -> None:
    def asked() -> list[requests.Response]:
        return [api.send("GET", "/health/ready", fault_expected=True) for _ in range(16)]

    # It gives itself a third of a second, which a machine that is busy with tests may not have.
    answers = eventually(asked, lambda seen: {a.status_code for a in seen} == {200}, PATIENCE)

    assert {a.json()["region"] for a in answers} == {answers[0].headers["x-served-by"]}


@pytest.mark.parametrize("path", PATHS)
def test_health_is_never_kept_by_a_cache(api: Api, path: str) -> None:
    answer = api.send("GET", path, fault_expected=True)

    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.each_name
def test_no_takeover_is_active_in_this_region(api: Api) -> None:
    assert api.send("GET", "/health/takeover").status_code == 404


@pytest.mark.each_region
@pytest.mark.alone
@pytest.mark.emulated_only("it moves traffic: an operator's decision, not a test's")
def test_an_operator_tells_one_region_to_take_over_and_back(
    api: Api, elsewhere: Api, operator: Operator
) -> None:
    region, other = str(api.target.region), str(elsewhere.target.region)
    key = {"owner": {"S": f"region#{region}"}, "item_id": {"S": "takeover"}}
    here, there = operator.dynamodb(region), operator.dynamodb(other)

    here.put_item(TableName=operator.table, Item={**key, "active": {"BOOL": True}})
    try:
        eventually(lambda: takes_over(api), lambda does: does, KEPT)
        # The switch is replicated like everything; it is meant for one Region all the same.
        eventually(
            lambda: there.get_item(TableName=operator.table, Key=key),
            lambda found: "Item" in found,
            REPLICATION_DEADLINE,
        )
        assert not takes_over(elsewhere)
    finally:
        here.delete_item(TableName=operator.table, Key=key)
    eventually(lambda: takes_over(api), lambda does: not does, KEPT)


def takes_over(api: Api) -> bool:
    statuses = {api.send(method, "/health/takeover").status_code for method in ("GET", "HEAD")}
    return statuses == {200}
