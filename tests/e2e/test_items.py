"""The life of an item: made, read, replaced, changed, listed, deleted."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from tests.support.api import JSON, etag_of
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import requests

    from tests.support.api import SignedIn

FULL = {
    "title": "Buy milk",
    "notes": "Two litres.\n\tOat, if there is some.",
    "status": "doing",
    "due_on": "2031-02-28",
    "tags": ["home", "søndag", "買い物", "🥛"],
}
WRITERS, ROUNDS = 4, 6
NOBODYS = "00000000-0000-4000-8000-000000000000"


def made(me: SignedIn, **item: object) -> requests.Response:
    answer = me.create({"title": "Something", **item}, str(uuid.uuid4()))
    assert answer.status_code == 201
    return answer


def test_a_created_item_is_what_was_sent(me: SignedIn) -> None:
    answer = made(me, **FULL)

    item = answer.json()
    assert {name: item[name] for name in FULL} == FULL
    assert item["version"] == 1
    assert item["created_at"] == item["updated_at"]
    assert answer.headers["location"].endswith(f"/v1/items/{item['id']}")
    assert "idempotent-replayed" not in answer.headers


def test_a_title_is_enough(me: SignedIn) -> None:
    item = made(me, title="Only a title").json()

    assert (item["status"], item["tags"]) == ("todo", [])
    assert not {"notes", "due_on"} & item.keys()


@pytest.mark.each_region
def test_the_location_of_a_created_item_reads_it(me: SignedIn) -> None:
    created = made(me, **FULL)
    path = created.headers["location"].removeprefix(me.api.target.base_url)

    read = me.send("GET", path)

    assert (read.status_code, read.json()) == (200, created.json())
    assert etag_of(read) == etag_of(created)


def test_a_copy_that_is_still_good_is_not_sent_again(me: SignedIn) -> None:
    created = made(me)
    item_id = created.json()["id"]

    for validator in (etag_of(created), f'"other", {etag_of(created)}', "*"):
        fresh = me.get(item_id, if_none_match=validator)
        assert (fresh.status_code, fresh.content) == (304, b""), validator
        assert etag_of(fresh) == etag_of(created)

    me.patch(item_id, {"title": "Changed"}, if_match=etag_of(created))
    assert me.get(item_id, if_none_match=etag_of(created)).status_code == 200


def test_replacing_leaves_nothing_of_what_was(me: SignedIn) -> None:
    created = made(me, **FULL)
    before = created.json()

    answer = me.replace(before["id"], {"title": "Another"}, if_match=etag_of(created))

    after = answer.json()
    assert answer.status_code == 200
    assert (after["title"], after["status"], after["tags"]) == ("Another", "todo", [])
    assert not {"notes", "due_on"} & after.keys()
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["version"] == before["version"] + 1
    assert after["updated_at"] > before["updated_at"]
    assert etag_of(answer) != etag_of(created)
    assert me.get(before["id"]).json() == after


@pytest.mark.parametrize("media", ["application/merge-patch+json", "application/json"])
def test_a_merge_patch_changes_only_what_it_names(me: SignedIn, media: str) -> None:
    created = made(me, **FULL)
    before = created.json()

    answer = me.patch(
        before["id"],
        {"status": "done", "notes": None, "tags": ["new"]},
        if_match=etag_of(created),
        content_type=media,
    )

    after = answer.json()
    assert answer.status_code == 200
    assert (after["status"], after["tags"]) == ("done", ["new"])
    assert (after["title"], after["due_on"]) == (before["title"], before["due_on"])
    assert "notes" not in after
    assert me.get(before["id"]).json() == after


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changing_blindly_is_refused(me: SignedIn, method: str) -> None:
    before = made(me).json()

    answer = me.send(
        method,
        f"/v1/items/{before['id']}",
        headers={"content-type": JSON},
        body='{"title": "Blind"}',
    )

    assert answer.status_code == 428
    assert "If-Match" in answer.json()["detail"]
    assert me.get(before["id"]).json() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_stale_etag_changes_nothing(me: SignedIn, method: str) -> None:
    created = made(me)
    item_id = created.json()["id"]
    now = me.patch(item_id, {"title": "Newer"}, if_match=etag_of(created)).json()

    answer = me.send(
        method,
        f"/v1/items/{item_id}",
        headers={"content-type": JSON, "if-match": etag_of(created)},
        body=None if method == "DELETE" else '{"title": "Stale"}',
    )

    assert answer.status_code == 412
    assert me.get(item_id).json() == now


def test_any_version_may_be_changed_when_the_caller_says_so(me: SignedIn) -> None:
    item_id = made(me).json()["id"]

    assert me.patch(item_id, {"title": "Whatever it was"}, if_match="*").status_code == 200
    assert me.replace(item_id, {"title": "Again"}, if_match="*").json()["version"] == 3


@pytest.mark.each_region
def test_of_several_writers_with_one_etag_exactly_one_wins(me: SignedIn) -> None:
    version = made(me)
    item_id = version.json()["id"]

    # Round after round, since only writers that truly overlap prove anything.
    with ThreadPoolExecutor(WRITERS) as writers:
        for number in range(ROUNDS):
            etag = etag_of(version)
            start = Barrier(WRITERS)

            def write(who: int, etag: str = etag, start: Barrier = start) -> requests.Response:
                start.wait()
                return me.replace(item_id, {"title": f"From {who}"}, if_match=etag)

            answers = list(writers.map(write, range(WRITERS)))

            won = [answer for answer in answers if answer.status_code == 200]
            lost = [answer for answer in answers if answer.status_code == 412]
            assert (len(won), len(lost)) == (1, WRITERS - 1), number
            version = won[0]
            assert me.get(item_id).json() == version.json()
            assert version.json()["version"] == number + 2


def test_a_deleted_item_is_gone(me: SignedIn) -> None:
    kept, deleted = made(me).json(), made(me).json()

    answer = me.delete(deleted["id"])

    assert (answer.status_code, answer.content) == (204, b"")
    assert me.get(deleted["id"]).status_code == 404
    assert [item["id"] for item in me.list().json()["items"]] == [kept["id"]]
    assert [item["id"] for item in me.list(status="todo").json()["items"]] == [kept["id"]]


def test_deleting_again_is_no_mistake(me: SignedIn) -> None:
    item_id = made(me).json()["id"]

    assert [me.delete(item_id).status_code for _ in range(3)] == [204, 204, 204]


def test_deleting_the_version_one_saw(me: SignedIn) -> None:
    created = made(me)

    assert me.delete(created.json()["id"], if_match=etag_of(created)).status_code == 204


def test_a_deleted_item_cannot_be_changed_back_to_life(me: SignedIn) -> None:
    created = made(me)
    item_id = created.json()["id"]
    me.delete(item_id)

    for if_match in (etag_of(created), "*"):
        assert me.replace(item_id, {"title": "Risen"}, if_match=if_match).status_code in (404, 412)
        assert me.patch(item_id, {"title": "Risen"}, if_match=if_match).status_code in (404, 412)
    assert me.get(item_id).status_code == 404
    assert me.list().json()["items"] == []


def test_what_is_not_there_is_not_found(me: SignedIn) -> None:
    assert me.get(NOBODYS).status_code == 404
    assert me.replace(NOBODYS, {"title": "No"}, if_match="*").status_code == 404
    assert me.patch(NOBODYS, {"title": "No"}, if_match="*").status_code == 404
    assert me.delete(NOBODYS).status_code == 404


def test_one_status_is_listed_by_last_change(me: SignedIn) -> None:
    first, second, third = (made(me, title=title).json()["id"] for title in "abc")
    made(me, status="done")
    me.patch(first, {"notes": "changed last"}, if_match="*")

    def todo() -> list[str]:
        return [item["id"] for item in me.list(status="todo").json()["items"]]

    # The index by status is eventually consistent.
    eventually(todo, lambda ids: ids == [first, third, second], within=5)


def test_the_newest_item_is_listed_first_and_at_once(me: SignedIn) -> None:
    made_ids: list[str] = []
    for number in range(5):
        made_ids.insert(0, made(me, title=f"Number {number}").json()["id"])
        page = me.list().json()
        assert [item["id"] for item in page["items"]] == made_ids
        assert page["next_cursor"] is None
