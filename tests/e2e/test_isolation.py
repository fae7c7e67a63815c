"""Nobody learns that another's item exists."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.support.api import etag_of

if TYPE_CHECKING:
    import requests

    from tests.support.api import SignedIn

NOBODYS = "00000000-0000-4000-8000-000000000000"


def disclosed(answer: requests.Response, item_id: str) -> str:
    """What an answer discloses, the asked-for id and the request's own id aside."""
    problem = {k: v for k, v in answer.json().items() if k not in ("request_id", "instance")}
    return f"{answer.status_code} {problem}".replace(item_id, "<id>")


@pytest.mark.each_region
@pytest.mark.parametrize("method", ["get", "replace", "patch", "delete"])
def test_anothers_item_and_no_item_get_the_same_answer(
    me: SignedIn, someone_else: SignedIn, method: str
) -> None:
    theirs = someone_else.create({"title": "Private"}, str(uuid.uuid4()))
    item_id = theirs.json()["id"]

    def attempt(target: str) -> requests.Response:
        if method == "get":
            return me.get(target)
        if method == "delete":
            return me.delete(target)
        change = me.replace if method == "replace" else me.patch
        return change(target, {"title": "Mine now"}, if_match=etag_of(theirs))

    assert disclosed(attempt(item_id), item_id) == disclosed(attempt(NOBODYS), NOBODYS)
    assert attempt(item_id).status_code == 404
    assert someone_else.get(item_id).json() == theirs.json()


@pytest.mark.each_region
def test_a_list_holds_only_ones_own(me: SignedIn, someone_else: SignedIn) -> None:
    mine = me.create({"title": "Mine"}, str(uuid.uuid4())).json()
    someone_else.create({"title": "Theirs"}, str(uuid.uuid4()))

    assert me.list().json()["items"] == [mine]
    assert [item["id"] for item in me.list(status="todo").json()["items"]] == [mine["id"]]


@pytest.mark.parametrize("smuggled", ["owner", "username", "id", "version", "created_at"])
def test_the_owner_cannot_be_named_in_a_body(
    me: SignedIn, someone_else: SignedIn, smuggled: str
) -> None:
    item = {"title": "Smuggled", smuggled: someone_else.person.owner}

    assert me.create(item, str(uuid.uuid4())).status_code == 400
    assert someone_else.list().json()["items"] == []


@pytest.mark.each_region
def test_the_operators_items_are_nobodys(me: SignedIn) -> None:
    for item_id in ("ready", "takeover", "region%23us-east-1", "user%23x"):
        assert me.send("GET", f"/v1/items/{item_id}").status_code in (400, 404)
