"""Two Regions, one set of data: what one wrote, the other reads."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.support.api import etag_of
from tests.support.waiting import REPLICATION_DEADLINE, eventually

if TYPE_CHECKING:
    from tests.support.api import Api, SignedIn


@pytest.mark.each_region
def test_a_write_here_is_read_there(me: SignedIn, elsewhere: Api) -> None:
    there = me.at(elsewhere)
    item = me.create({"title": "Here first"}, str(uuid.uuid4())).json()

    read = eventually(
        lambda: there.get(item["id"]), lambda a: a.status_code == 200, REPLICATION_DEADLINE
    )

    assert read.json() == item


@pytest.mark.each_region
def test_a_change_here_is_seen_there(me: SignedIn, elsewhere: Api) -> None:
    there = me.at(elsewhere)
    created = me.create({"title": "Before"}, str(uuid.uuid4()))
    item_id = created.json()["id"]
    changed = me.replace(item_id, {"title": "After"}, if_match=etag_of(created))

    read = eventually(
        lambda: there.get(item_id),
        lambda a: a.status_code == 200 and a.json()["title"] == "After",
        REPLICATION_DEADLINE,
    )

    assert read.json() == changed.json()
    assert etag_of(read) == etag_of(changed)


@pytest.mark.each_region
def test_an_etag_from_here_guards_a_change_there(me: SignedIn, elsewhere: Api) -> None:
    there = me.at(elsewhere)
    created = me.create({"title": "Before"}, str(uuid.uuid4()))
    item_id = created.json()["id"]
    eventually(lambda: there.get(item_id), lambda a: a.status_code == 200, REPLICATION_DEADLINE)

    changed = there.patch(item_id, {"title": "There"}, if_match=etag_of(created))

    assert changed.status_code == 200
    eventually(
        lambda: (
            me.patch(item_id, {"title": "Stale"}, if_match=etag_of(created)).status_code
            if etag_of(me.get(item_id)) != etag_of(created)
            else None
        ),
        lambda status: status == 412,
        REPLICATION_DEADLINE,
    )


@pytest.mark.each_region
def test_a_deletion_here_holds_there(me: SignedIn, elsewhere: Api) -> None:
    there = me.at(elsewhere)
    item_id = me.create({"title": "Short-lived"}, str(uuid.uuid4())).json()["id"]
    eventually(lambda: there.get(item_id), lambda a: a.status_code == 200, REPLICATION_DEADLINE)

    me.delete(item_id)

    eventually(lambda: there.get(item_id), lambda a: a.status_code == 404, REPLICATION_DEADLINE)
    assert there.list().json()["items"] == []


@pytest.mark.each_region
def test_a_page_begun_here_goes_on_there(me: SignedIn, elsewhere: Api) -> None:
    there = me.at(elsewhere)
    made = [me.create({"title": f"Number {n}"}, str(uuid.uuid4())).json()["id"] for n in range(4)]
    eventually(lambda: len(there.list().json()["items"]), lambda n: n == 4, REPLICATION_DEADLINE)

    first = me.list(limit=2).json()
    second = there.list(limit=2, cursor=first["next_cursor"]).json()

    seen = [item["id"] for item in first["items"] + second["items"]]
    assert seen == made[::-1]
