"""Turning pages: nothing missed, nothing twice, and only in one's own book."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import SignedIn


def make(me: SignedIn, **item: object) -> str:
    answer = me.create({"title": "A page's item", **item}, str(uuid.uuid4()))
    return str(answer.json()["id"])


def pages(me: SignedIn, **query: str | int) -> Iterator[list[dict[str, Any]]]:
    cursor: dict[str, str] = {}
    while True:
        page = me.list(**query, **cursor).json()
        yield page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def test_pages_hold_every_item_once_newest_first(me: SignedIn) -> None:
    made = [make(me) for _ in range(7)]

    for limit in (1, 3, 7, 100):
        book = list(pages(me, limit=limit))
        assert [item["id"] for page in book for item in page] == made[::-1]
        assert all(len(page) == limit for page in book[:-1])


def test_items_added_meanwhile_open_no_gap_and_double_nothing(me: SignedIn) -> None:
    made = [make(me) for _ in range(6)]
    seen = []

    for page in pages(me, limit=2):
        seen += [item["id"] for item in page]
        make(me)

    assert seen == made[::-1]


def test_an_item_deleted_meanwhile_takes_no_other_with_it(me: SignedIn) -> None:
    made = [make(me) for _ in range(6)]
    turning = pages(me, limit=2)
    seen = [item["id"] for item in next(turning)]

    # The very item that the cursor stands on.
    me.delete(seen[-1])
    seen += [item["id"] for page in turning for item in page]

    assert seen == made[::-1]


def test_the_pages_of_one_status_hold_only_that(me: SignedIn) -> None:
    done = {make(me, status="done") for _ in range(3)}
    for _ in range(3):
        make(me, status="doing")

    found = [item for page in pages(me, status="done", limit=2) for item in page]

    assert {item["status"] for item in found} == {"done"}
    assert [item["id"] for item in found] == sorted(
        done, key=lambda i: next(f["updated_at"] for f in found if f["id"] == i), reverse=True
    )


def test_no_items_make_one_empty_page(me: SignedIn) -> None:
    assert list(pages(me)) == [[]]


@pytest.fixture
def cursor(me: SignedIn) -> str:
    for _ in range(3):
        make(me)
    return str(me.list(limit=2).json()["next_cursor"])


def test_a_cursor_tells_nothing(cursor: str, me: SignedIn) -> None:
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    assert me.person.username.encode() not in raw
    assert me.person.username not in cursor


def test_a_cursor_is_only_its_owners(cursor: str, me: SignedIn, someone_else: SignedIn) -> None:
    make(someone_else)

    assert me.list(limit=2, cursor=cursor).status_code == 200
    refused = someone_else.list(limit=2, cursor=cursor)

    assert refused.status_code == 400
    assert "cursor" in refused.text


def test_a_cursor_is_bound_to_its_query(cursor: str, me: SignedIn) -> None:
    assert me.list(status="todo", cursor=cursor).status_code == 400


@pytest.mark.parametrize("place", [0, 5, -10, -1])
def test_a_tampered_cursor_is_refused(cursor: str, me: SignedIn, place: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[place] ^= 1
    bent = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()

    assert me.list(cursor=bent).status_code == 400


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJvd25lciI6ICJ4In0", "%00", "a" * 512, "a" * 513])
def test_a_made_up_cursor_is_refused(cursor: str, me: SignedIn) -> None:
    assert me.list(cursor=cursor).status_code == 400


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "ten", "1e2", "", "9" * 400, "٣"])
def test_a_limit_that_makes_no_sense_is_refused(limit: str, me: SignedIn) -> None:
    answer = me.list(limit=limit)

    assert answer.status_code == 400
    assert "limit" in answer.text


@pytest.mark.parametrize("status", ["", "TODO", "deleted", "todo#", "todo\u0000", "t" * 1000])
def test_a_status_that_is_none_is_refused(status: str, me: SignedIn) -> None:
    answer = me.list(status=status)

    assert answer.status_code == 400
    # Every problem has a member of that name.
    assert answer.json()["errors"][0]["parameter"] == "status"
