"""A create sent more than once makes one item: in one Region, in both, at the same time."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.api import JSON, etag_of
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from tests.support.api import Api, SignedIn

ITEM = {"title": "Once", "tags": ["only"]}


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def ids(me: SignedIn) -> list[str]:
    return [item["id"] for item in me.list().json()["items"]]


def test_a_retry_gets_the_item_that_the_first_one_made(me: SignedIn, key: str) -> None:
    first, again = me.create(ITEM, key), me.create(ITEM, key)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert ids(me) == [first.json()["id"]]


def test_a_retry_may_write_its_body_another_way(me: SignedIn, key: str) -> None:
    first = me.create({"title": "Once", "notes": "é", "tags": ["only"]}, key)

    again = me.send(
        "POST",
        "/v1/items",
        headers={"content-type": JSON, "idempotency-key": key},
        body=' { "tags" : ["only"], "notes": "\\u00e9",\n"title":"Once"}',
    )

    assert again.json()["id"] == first.json()["id"]


def test_a_retry_gets_the_item_as_it_is_now(me: SignedIn, key: str) -> None:
    first = me.create(ITEM, key)
    changed = me.patch(first.json()["id"], {"status": "done"}, if_match=etag_of(first))

    again = me.create(ITEM, key)

    assert again.json() == changed.json()
    assert etag_of(again) == etag_of(changed)


@pytest.mark.each_region
def test_a_retry_in_the_other_region_makes_no_second_item(
    me: SignedIn, elsewhere: Api, key: str
) -> None:
    first = me.create(ITEM, key).json()
    there = me.at(elsewhere)
    eventually(lambda: ids(there), lambda seen: seen == [first["id"]], REPLICATION_DEADLINE)

    again = there.create(ITEM, key)

    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["idempotent-replayed"] == "true"
    assert ids(me) == ids(there) == [first["id"]]


@pytest.mark.each_region
def test_a_retry_that_overtakes_replication_makes_the_same_item(
    me: SignedIn, elsewhere: Api, key: str
) -> None:
    there = me.at(elsewhere)

    first, again = me.create(ITEM, key).json(), there.create(ITEM, key).json()

    assert again["id"] == first["id"]
    eventually(
        lambda: (me.list().json(), there.list().json()),
        lambda pages: pages[0] == pages[1] and len(pages[0]["items"]) == 1,
        REPLICATION_DEADLINE,
    )


def test_creates_in_both_regions_at_once_end_as_one_item(
    me: SignedIn, elsewhere: Api, key: str
) -> None:
    there = me.at(elsewhere)

    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda who: who.create(ITEM, key), [me, there, me, there]))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    eventually(
        lambda: (me.list().json(), there.list().json()),
        lambda pages: pages[0] == pages[1] and len(pages[0]["items"]) == 1,
        REPLICATION_DEADLINE,
    )


def test_a_key_that_made_another_item_is_refused(me: SignedIn, key: str) -> None:
    first = me.create(ITEM, key).json()

    answer = me.create({"title": "Something else"}, key)

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert ids(me) == [first["id"]]


@pytest.mark.each_region
def test_a_retry_never_brings_back_what_was_deleted(me: SignedIn, elsewhere: Api, key: str) -> None:
    item_id = me.create(ITEM, key).json()["id"]
    me.delete(item_id)
    there = me.at(elsewhere)

    assert me.create(ITEM, key).status_code == 410
    assert me.get(item_id).status_code == 404
    eventually(
        lambda: there.delete(item_id).status_code,
        lambda status: status == 204,
        REPLICATION_DEADLINE,
    )
    assert there.create(ITEM, key).status_code == 410
    assert ids(me) == ids(there) == []


def test_two_people_may_use_the_same_key(me: SignedIn, someone_else: SignedIn, key: str) -> None:
    mine, theirs = me.create(ITEM, key).json(), someone_else.create(ITEM, key).json()

    assert mine["id"] != theirs["id"]
    assert ids(someone_else) == [theirs["id"]]


@pytest.mark.each_region
def test_a_key_is_found_however_its_header_is_spelt(me: SignedIn, key: str) -> None:
    names = ("idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY")
    answers = [
        me.send(
            "POST", "/v1/items", headers={"content-type": JSON, name: key}, body='{"title":"x"}'
        )
        for name in names
    ]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_create_needs_a_key(me: SignedIn) -> None:
    answer = me.send("POST", "/v1/items", headers={"content-type": JSON}, body='{"title": "x"}')

    assert answer.status_code == 400
    assert "idempotency-key" in answer.text.lower()
    assert ids(me) == []


@pytest.mark.parametrize("key", ["x" * 256, "with space", "clé", "tab\there"])
def test_a_key_that_no_one_could_repeat_reliably_is_refused(me: SignedIn, key: str) -> None:
    answer = me.send(
        "POST",
        "/v1/items",
        headers={"content-type": JSON, "idempotency-key": key.encode()},
        body='{"title": "x"}',
    )

    assert answer.status_code == 400
    assert ids(me) == []


def test_a_key_of_any_visible_characters_will_do(me: SignedIn) -> None:
    key = "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~" + "k" * 217

    assert len(key) == 255
    first, again = me.create(ITEM, key), me.create(ITEM, key)
    assert first.json() == again.json()
