"""Every operation on items, and every status that the contract names for it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from items.routes import ItemsApi
from tests.unit.support import (
    ALICE,
    BOB,
    ORIGIN,
    REGION,
    REQUEST_ID,
    TABLE,
    Client,
    Json,
    Reply,
    event,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from items.settings import Settings

UNKNOWN = "/v1/items/01234567-89ab-8def-8123-456789abcdef"
FULL = {
    "title": "Buy milk",
    "notes": "two litres\nof the good one 🥛",
    "status": "doing",
    "due_on": "2025-12-31",
    "tags": ["home", "März"],
}


def path_of(made: Reply) -> str:
    return made.headers["location"]


def if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag}


def assert_problem(answer: Reply, status: int, title: str) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["title"] == title
    assert answer.json["type"] == "about:blank"
    assert answer.json["status"] == status
    assert answer.json["request_id"] == REQUEST_ID
    assert len(answer.json["detail"]) > 10


def test_a_created_item_is_shown_with_its_place_and_tag(client: Client) -> None:
    made = client.create(FULL)
    assert made.status == 201
    assert made.json | FULL == made.json
    assert made.json["version"] == 1
    assert made.json["created_at"] == made.json["updated_at"]
    assert path_of(made) == f"/v1/items/{made.json['id']}"
    assert "idempotent-replayed" not in made.headers
    read = client.send("GET", path_of(made))
    assert (read.status, read.json, read.etag) == (200, made.json, made.etag)


def test_defaults_are_filled_in_and_what_is_not_set_is_not_shown(client: Client) -> None:
    made = client.create({"title": "Bare"}).json
    assert made["status"] == "todo"
    assert made["tags"] == []
    assert "notes" not in made
    assert "due_on" not in made


def test_the_same_key_and_body_give_the_same_item_as_it_is_now(client: Client) -> None:
    made = client.create(FULL, key="k")
    changed = client.send(
        "PATCH", path_of(made), body={"status": "done"}, headers=if_match(made.etag)
    )
    again = client.create(dict(reversed(FULL.items())), key="k")
    assert again.status == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.json, again.etag, path_of(again)) == (changed.json, changed.etag, path_of(made))
    assert len(client.send("GET", "/v1/items").json["items"]) == 1


def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    client.create({"title": "A"}, key="k")
    assert_problem(client.create({"title": "B"}, key="k"), 422, "Unprocessable Content")


def test_a_replay_never_brings_back_what_was_deleted(client: Client) -> None:
    made = client.create({"title": "A"}, key="k")
    client.send("DELETE", path_of(made))
    assert_problem(client.create({"title": "A"}, key="k"), 410, "Gone")
    assert client.create({"title": "B"}, key="k").status == 422
    assert client.send("GET", path_of(made)).status == 404
    assert client.send("GET", "/v1/items").json["items"] == []


def test_two_users_with_the_same_key_make_two_items(client: Client) -> None:
    one = client.create({"title": "A"}, key="k", user=ALICE)
    two = client.create({"title": "A"}, key="k", user=BOB)
    assert one.json["id"] != two.json["id"]
    assert "idempotent-replayed" not in two.headers


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\x00", "k" * 256, "\ud800", "a\n"])
def test_a_key_that_is_no_visible_ascii_is_refused(client: Client, key: str) -> None:
    answer = client.send("POST", "/v1/items", body={"title": "A"}, headers={"Idempotency-Key": key})
    assert_problem(answer, 400, "Bad Request")
    assert answer.json["errors"][0]["parameter"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["!", "~", "k" * 255])
def test_a_key_of_any_visible_ascii_is_taken(client: Client, key: str) -> None:
    assert client.create({"title": "A"}, key=key).status == 201


def test_a_create_without_a_key_is_refused(client: Client) -> None:
    assert client.send("POST", "/v1/items", body={"title": "A"}).status == 400


@pytest.mark.parametrize("name", ["idempotency-key", "Idempotency-Key", "IDEMPOTENCY-KEY"])
def test_a_key_is_found_however_its_header_is_spelt(client: Client, name: str) -> None:
    answer = client.send("POST", "/v1/items", body={"title": "A"}, headers={name: "k"})
    assert answer.status == 201
    assert client.create({"title": "A"}, key="k").json == answer.json


def test_two_spellings_of_one_header_are_one_header(client: Client) -> None:
    # The gateway keeps them apart: it processes names case-sensitively.
    twice = {"Idempotency-Key": "a", "idempotency-key": "b"}
    assert client.send("POST", "/v1/items", body={"title": "A"}, headers=twice).status == 400
    made = client.create()
    tags = {"If-Match": '"other"', "if-match": made.etag}
    changed = client.send("PUT", path_of(made), body={"title": "A"}, headers=tags)
    assert changed.status == 200
    # Who sends no list of values for each, as the gateway does, is read the same.
    raw = event("POST", "/v1/items", body={"title": "A"}, headers=twice)
    assert client.deliver({**raw, "multiValueHeaders": None}).status == 400
    pages = event("GET", "/v1/items", query={"limit": ["0"]})
    assert client.deliver({**pages, "multiValueQueryStringParameters": None}).status == 400


def test_all_values_of_a_header_count_and_not_the_last_alone(client: Client) -> None:
    made = client.create()
    raw = event("PUT", path_of(made), body={"title": "A"})
    raw["headers"] = {"If-Match": '"other"'}
    raw["multiValueHeaders"] = {"If-Match": [made.etag, '"other"']}
    assert client.deliver(raw).status == 200


def test_a_base64_encoded_body_is_read(client: Client) -> None:
    assert client.create(FULL, encoded=True).json["notes"] == FULL["notes"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "   "}, "/title"),
        ({"title": "a\nb"}, "/title"),
        ({"title": "a\n"}, "/title"),
        ({"title": "a\x00"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": 1}, "/title"),
        ({"title": None}, "/title"),
        ({"title": "a", "notes": "x" * 4001}, "/notes"),
        ({"title": "a", "notes": "\x08"}, "/notes"),
        ({"title": "a", "notes": None}, "/notes"),
        ({"title": "a", "status": "later"}, "/status"),
        ({"title": "a", "due_on": "tomorrow"}, "/due_on"),
        ({"title": "a", "due_on": "2025-02-30"}, "/due_on"),
        ({"title": "a", "due_on": "0000-01-01"}, "/due_on"),
        ({"title": "a", "due_on": "2025-1-1"}, "/due_on"),
        ({"title": "a", "due_on": "２０２５-01-01"}, "/due_on"),  # noqa: RUF001 - digits, not ASCII
        ({"title": "a", "tags": "home"}, "/tags"),
        ({"title": "a", "tags": ["x", "x"]}, "/tags"),
        ({"title": "a", "tags": [str(n) for n in range(21)]}, "/tags"),
        ({"title": "a", "tags": ["ok", ""]}, "/tags/1"),
        ({"title": "a", "tags": ["x" * 51]}, "/tags/0"),
        ({"title": "a", "tags": [{}]}, "/tags/0"),
        ({"title": "a", "id": "mine"}, "/id"),
        ({"title": "a", "a/b~c": 1}, "/a~1b~0c"),
        ([], ""),
        ("null", ""),
        ("1", ""),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_told_where(
    client: Client, body: Json, pointer: str
) -> None:
    answer = client.create(body)
    assert_problem(answer, 400, "Bad Request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "Required, and missing."),
        ({"title": 1}, "Must be of type string."),
        ({"title": ""}, "Must be at least 1 characters long."),
        ({"title": "x" * 201}, "Must be at most 200 characters long."),
        ({"title": " "}, "One line of text with something to read in it."),
        ({"title": "a", "status": "later"}, "Must be one of todo, doing, done."),
        ({"title": "a", "due_on": "2025-02-30"}, "There is no such day in the calendar."),
        ({"title": "a", "tags": [str(n) for n in range(21)]}, "Must hold at most 20."),
        ({"title": "a", "tags": ["x", "x"]}, "Must not hold the same value twice."),
        ({"title": "a", "tags": [" "]}, "Holds what it may not."),
        ({"title": "a", "id": 1}, "Unknown; known are title, notes, status, due_on, tags."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_does_not_fit_is_told_why(client: Client, body: Json, detail: str) -> None:
    answer = client.create(body)
    assert answer.json["detail"] == "The body doesn't fit; errors says where."
    assert [error["detail"] for error in answer.json["errors"]] == [detail]


@pytest.mark.parametrize(
    ("patch", "detail"),
    [
        ({"notes": 1}, "Must be of type string or null."),
        ({"status": "later"}, "Must be one of todo, doing, done."),
        ({"due_on": "2025-02-30"}, "There is no such day in the calendar."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_patch_that_does_not_fit_is_told_why(client: Client, patch: Json, detail: str) -> None:
    answer = client.send("PATCH", UNKNOWN, body=patch, headers=if_match("*"))
    assert answer.json["detail"] == "The body doesn't fit; errors says where."
    assert [error["detail"] for error in answer.json["errors"]] == [detail]


def test_of_unknown_members_five_are_named_and_each_by_a_hundred_characters(
    client: Client,
) -> None:
    names = [f"{number}{'x' * 100}" for number in range(6)]
    answer = client.create({"title": "a"} | dict.fromkeys(reversed(names), 1))
    pointers = [error["pointer"] for error in answer.json["errors"]]
    assert pointers == [f"/{name[:100]}" for name in names[:5]]


def test_an_unknown_parameter_is_named_by_a_hundred_characters(client: Client) -> None:
    answer = client.send("GET", "/v1/items", query={"x" * 101: ["1"]})
    detail = "Unknown; known are status, limit, cursor."
    assert answer.json["errors"] == [{"parameter": "x" * 100, "detail": detail}]
    assert answer.json["detail"] == f"{'x' * 100}: {detail}"


@pytest.mark.parametrize("body", [{"title": "x" * 200}, {"title": "é🥛"}, FULL | {"notes": ""}])
def test_a_body_at_its_limits_is_taken(client: Client, body: Json) -> None:
    assert client.create(body).status == 201


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "title",
        '{"title": "a",}',
        '{"title": "a", "title": "b"}',
        '{"title": NaN}',
        '{"title": "\\ud800"}',
        '\ufeff{"title": "a"}',
        '{"title": ' + "9" * 5000 + "}",
        "[" * 60_000,
        '{"a":' * 10_000,
        '{"title": "\ud800"}',
    ],
)
def test_a_body_that_is_no_json_is_refused(client: Client, body: str) -> None:
    answer = client.create(body)
    assert_problem(answer, 400, "Bad Request")
    assert "errors" not in answer.json  # it was not even measured against the schema


def test_a_body_whose_base64_is_broken_or_not_utf8_is_refused(client: Client) -> None:
    sound = base64.b64encode(b'{"title": "a"}').decode()
    for text in (f"{sound[:4]}!{sound[4:]}", sound[:-1], "/w==", "é"):
        raw = event("POST", "/v1/items", headers={"Idempotency-Key": "k"})
        raw |= {"body": text, "isBase64Encoded": True}
        assert client.deliver(raw).status == 400


@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "base64"])
@pytest.mark.parametrize(("size", "status"), [(65_536, 201), (65_537, 413), (200_000, 413)])
def test_a_body_may_be_64_kib_large_however_it_is_sent(
    client: Client, size: int, status: int, *, encoded: bool
) -> None:
    body = '{"title": "a"}'.rjust(size)
    answer = client.create(body, encoded=encoded)
    assert answer.status == status
    if status == 413:
        assert_problem(answer, 413, "Content Too Large")
        assert "65536 bytes" in answer.json["detail"]


def test_a_body_that_is_far_too_large_is_not_even_decoded(client: Client) -> None:
    raw = event("POST", "/v1/items", headers={"Idempotency-Key": "k"})
    raw |= {"body": "!" * 87_386, "isBase64Encoded": True}
    assert client.deliver(raw).status == 413


def test_a_body_is_measured_in_bytes(client: Client) -> None:
    body = '{"title": "' + "é" * 33_000 + '"}'
    assert_problem(client.create(body), 413, "Content Too Large")


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "multipart/form-data"])
def test_another_media_type_is_refused(client: Client, media_type: str) -> None:
    answer = client.create({"title": "a"}, headers={"Content-Type": media_type})
    assert_problem(answer, 415, "Unsupported Media Type")
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "media_type",
    ["Application/JSON; charset=UTF-8", "application/json ;charset=utf-8", " application/json\t"],
)
def test_json_is_recognised_however_its_type_is_written(client: Client, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    assert client.create({"title": "a"}, headers=headers).status == 201


def test_a_patch_is_told_both_types_that_it_may_have(client: Client) -> None:
    headers = if_match("*") | {"Content-Type": "text/plain"}
    answer = client.send("PATCH", UNKNOWN, body={}, headers=headers)
    assert answer.headers["accept"] == "application/merge-patch+json, application/json"
    assert "application/merge-patch+json, application/json" in answer.json["detail"]


def test_a_reader_who_has_the_item_is_spared_it(client: Client) -> None:
    made = client.create()
    for tag in (made.etag, f"W/{made.etag}", f'"other", {made.etag}', "*"):
        answer = client.send("GET", path_of(made), headers={"If-None-Match": tag})
        assert (answer.status, answer.body, answer.etag) == (304, "", made.etag)
        assert answer.headers["content-type"] == "application/json"  # the gateway's, and untrue
    stale = client.send("GET", path_of(made), headers={"If-None-Match": '"0-stale"'})
    assert stale.status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", [UNKNOWN, "/v1/items/x", "/v1/items/%00", "/v1/items/a b", f"/v1/items/{'x' * 9000}"]
)
def test_an_item_that_nobody_has_is_not_found(client: Client, method: str, path: str) -> None:
    body = {"title": "a"} if method in {"PUT", "PATCH"} else None
    headers = if_match("*") if body else None
    answer = client.send(method, path, body=body, headers=headers)
    assert_problem(answer, 404, "Not Found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_somebody_elses_item_answers_exactly_like_nobodys(client: Client, method: str) -> None:
    made = client.create(user=BOB)
    body = {"title": "a"} if method in {"PUT", "PATCH"} else None
    headers = if_match(made.etag)
    theirs = client.send(method, path_of(made), body=body, headers=headers, user=ALICE)
    nobodys = client.send(method, UNKNOWN, body=body, headers=headers, user=ALICE)
    assert theirs.status == nobodys.status == 404
    assert theirs.json | {"instance": ""} == nobodys.json | {"instance": ""}
    assert theirs.headers == nobodys.headers
    assert client.send("GET", path_of(made), user=BOB).json == made.json


def test_a_replacement_replaces_everything(client: Client) -> None:
    made = client.create(FULL)
    put = client.send("PUT", path_of(made), body={"title": "New"}, headers=if_match(made.etag))
    assert put.status == 200
    assert put.json["version"] == 2
    assert put.json["created_at"] == made.json["created_at"]
    assert put.json["updated_at"] > made.json["updated_at"]
    content = {
        k: v for k, v in put.json.items() if not k.endswith("_at") and k not in {"id", "version"}
    }
    assert content == {"title": "New", "status": "todo", "tags": []}
    assert client.send("GET", path_of(made)).json == put.json
    assert client.send("GET", path_of(made)).etag == put.etag != made.etag


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
def test_a_patch_changes_what_it_names_and_null_removes(client: Client, media_type: str) -> None:
    made = client.create(FULL)
    headers = if_match(made.etag) | {"Content-Type": media_type}
    patch = {"notes": None, "due_on": None, "status": None, "tags": ["new"]}
    patched = client.send("PATCH", path_of(made), body=patch, headers=headers)
    assert patched.status == 200
    assert patched.json["title"] == FULL["title"]
    assert patched.json["status"] == "todo"
    assert patched.json["tags"] == ["new"]
    assert "notes" not in patched.json
    assert "due_on" not in patched.json


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"title": None}, "/title"),
        ({"version": 9}, "/version"),
        ({"tags": ["a", "a"]}, "/tags"),
        ({"due_on": "2025-02-30"}, "/due_on"),
        ({"status": "x"}, "/status"),
        ([], ""),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(client: Client, patch: Json, pointer: str) -> None:
    made = client.create(FULL)
    answer = client.send("PATCH", path_of(made), body=patch, headers=if_match(made.etag))
    assert_problem(answer, 400, "Bad Request")
    assert answer.json["errors"][0]["pointer"] == pointer
    assert client.send("GET", path_of(made)).json == made.json


def test_a_put_takes_no_merge_patch(client: Client) -> None:
    made = client.create()
    headers = if_match(made.etag) | {"Content-Type": "application/merge-patch+json"}
    assert client.send("PUT", path_of(made), body=FULL, headers=headers).status == 415


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_without_a_condition_is_refused(client: Client, method: str) -> None:
    made = client.create()
    answer = client.send(method, path_of(made), body={"title": "a"})
    assert_problem(answer, 428, "Precondition Required")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_what_has_changed_is_refused(client: Client, method: str) -> None:
    made = client.create()
    kept = client.send("PATCH", path_of(made), body={"title": "b"}, headers=if_match("*"))
    body = {"title": "a"} if method != "DELETE" else None
    for tag in (made.etag, f"W/{kept.etag}", '"*"'):
        answer = client.send(method, path_of(made), body=body, headers=if_match(tag))
        assert_problem(answer, 412, "Precondition Failed")
    assert client.send("GET", path_of(made)).json == kept.json


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_condition_may_be_a_list_or_anything(client: Client, method: str) -> None:
    body = {"title": "a"} if method != "DELETE" else None
    for condition in ("*", '"other", {}'):
        made = client.create()
        headers = if_match(condition.format(made.etag))
        assert client.send(method, path_of(made), body=body, headers=headers).status in {200, 204}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_malformed_condition_is_refused(client: Client, method: str) -> None:
    made = client.create()
    name = "If-None-Match" if method == "GET" else "If-Match"
    body = {"title": "a"} if method in {"PUT", "PATCH"} else None
    answer = client.send(method, path_of(made), body=body, headers={name: "1-abc"})
    assert_problem(answer, 400, "Bad Request")
    assert answer.json["errors"][0]["parameter"] == name


def test_a_deleted_item_is_gone_and_can_be_deleted_again(client: Client) -> None:
    made = client.create()
    headers = if_match(made.etag)
    for _ in range(2):
        answer = client.send("DELETE", path_of(made), headers=headers)
        assert (answer.status, answer.body) == (204, "")
        assert answer.headers["content-type"] == "application/json"  # the gateway's, and untrue
    assert client.send("DELETE", path_of(made)).status == 204
    assert client.send("GET", path_of(made)).status == 404
    for method in ("PUT", "PATCH"):
        assert (
            client.send(method, path_of(made), body={"title": "a"}, headers=headers).status == 404
        )
    for query in ({}, {"status": ["todo"]}):
        assert client.send("GET", "/v1/items", query=query).json["items"] == []


def test_soft_delete_keeps_the_item_for_a_while(client: Client, dynamodb: DynamoDBClient) -> None:
    made = client.create(FULL)
    client.send("DELETE", path_of(made))
    row = dynamodb.scan(TableName=TABLE)["Items"][0]
    assert row["title"] == {"S": FULL["title"]}
    assert row["version"] == {"N": "2"}
    assert row["written_in"] == {"S": REGION}
    assert "listed_at" not in row
    assert "status_changed_at" not in row
    days = (int(row["expires_at"]["N"]) - _epoch(row["deleted_at"]["S"])) / 86_400
    assert 29.9 < days <= 30


def test_the_newest_item_comes_first(client: Client) -> None:
    made = [client.create().json for _ in range(3)]
    listed = client.send("GET", "/v1/items").json
    assert listed == {"items": made[::-1], "next_cursor": None}


def test_pages_follow_each_other_without_gaps_or_doubles(client: Client) -> None:
    made = [client.create().json["id"] for _ in range(7)]
    seen: list[str] = []
    query = {"limit": ["2"]}
    while True:
        page = client.send("GET", "/v1/items", query=query).json
        seen += [item["id"] for item in page["items"]]
        client.create()  # what is added meanwhile is newer, and changes no page to come
        if page["next_cursor"] is None:
            break
        query = {"limit": ["2"], "cursor": [page["next_cursor"]]}
    assert seen == made[::-1]


def test_a_full_last_page_is_the_last(client: Client) -> None:
    for _ in range(4):
        client.create()
    first = client.send("GET", "/v1/items", query={"limit": ["2"]}).json
    query = {"limit": ["2"], "cursor": [first["next_cursor"]]}
    second = client.send("GET", "/v1/items", query=query).json
    assert len(second["items"]) == 2
    assert second["next_cursor"] is None


def test_a_status_lists_its_own_by_last_change(client: Client) -> None:
    one, two, three = (client.create({"title": t, "status": "doing"}) for t in "abc")
    client.create({"title": "d", "status": "done"})
    client.send("PATCH", path_of(one), body={"title": "A"}, headers=if_match("*"))
    client.send("PATCH", path_of(two), body={"status": "todo"}, headers=if_match("*"))
    titles, query = [], {"status": ["doing"], "limit": ["1"]}
    while True:
        page = client.send("GET", "/v1/items", query=query).json
        titles += [item["title"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query = {**query, "cursor": [page["next_cursor"]]}
    assert titles == ["A", "c"]
    assert three.status == 201


def test_nobody_sees_anothers_items(client: Client) -> None:
    client.create(user=BOB)
    assert client.send("GET", "/v1/items", user=ALICE).json["items"] == []


def test_the_default_page_has_twenty_five(client: Client) -> None:
    for _ in range(26):
        client.create()
    assert len(client.send("GET", "/v1/items").json["items"]) == 25


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["-1"]}, "limit"),
        ({"limit": ["1.5"]}, "limit"),
        ({"limit": ["٣"]}, "limit"),
        ({"limit": [""]}, "limit"),
        ({"limit": ["9" * 5000]}, "limit"),
        ({"status": ["later"]}, "status"),
        ({"status": [""]}, "status"),
        ({"status": ["todo", "done"]}, "status"),
        ({"cursor": ["nonsense"]}, "cursor"),
        ({"cursor": [""]}, "cursor"),
        ({"cursor": ["\ud800"]}, "cursor"),
        ({"page": ["2"]}, "page"),
        ({"\ud800": ["2"]}, "\ud800"),
    ],
)
def test_a_query_that_means_nothing_is_refused(
    client: Client, query: dict[str, list[str]], parameter: str
) -> None:
    answer = client.send("GET", "/v1/items", query=query)
    assert_problem(answer, 400, "Bad Request")
    assert answer.json["errors"][0]["parameter"] == parameter


def test_a_cursor_is_of_no_use_to_another_user_or_for_another_list(client: Client) -> None:
    for user in (ALICE, BOB):
        for _ in range(2):
            client.create(user=user)
    cursor = client.send("GET", "/v1/items", query={"limit": ["1"]}, user=ALICE).json["next_cursor"]
    assert cursor is not None
    mine = client.send("GET", "/v1/items", query={"cursor": [cursor]}, user=ALICE)
    assert mine.status == 200
    theirs = client.send("GET", "/v1/items", query={"cursor": [cursor]}, user=BOB)
    assert theirs.status == 400
    other = client.send("GET", "/v1/items", query={"cursor": [cursor], "status": ["todo"]})
    assert other.status == 400


def test_another_method_is_answered_with_those_that_there_are(client: Client) -> None:
    answer = client.send("PUT", "/v1/items", body={})
    assert_problem(answer, 405, "Method Not Allowed")
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json["detail"] == "Use GET, POST here."
    assert client.send("POST", "/health").headers["allow"] == "GET, HEAD"
    assert client.send("POST", UNKNOWN).headers["allow"] == "DELETE, GET, PATCH, PUT"


def test_the_gateway_says_which_route_it_is_and_the_path_says_nothing(client: Client) -> None:
    made = client.create()
    raw = event("GET", path_of(made)) | {"path": "/base/path/mapped"}
    assert client.deliver(raw).json == made.json
    assert client.deliver(event("GET", "/nowhere") | {"path": path_of(made)}).status == 404


def test_an_event_without_the_parameter_of_its_route_finds_nothing(client: Client) -> None:
    made = client.create()
    for lost in (None, {}, {"id": None}, {"id": ""}, {"item": made.json["id"]}):
        raw = event("GET", path_of(made)) | {"pathParameters": lost}
        assert_problem(client.deliver(raw), 404, "Not Found")


@pytest.mark.parametrize(
    "path", ["/", "", "/v1", "/v1/items/a/b", "/V1/items", "/health/x", "//", "/\ud800"]
)
def test_another_path_is_not_found(client: Client, path: str) -> None:
    answer = client.send("GET", path)
    assert_problem(answer, 404, "Not Found")


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        ("/v1/items/a b", "/v1/items/a%20b"),
        ("/v1/items/é\ud800", "/v1/items/%C3%A9%3F"),
        ("/%:@!$&'()*+,;=-._~", "/%:@!$&'()*+,;=-._~"),
        ('/<"?#[', "/%3C%22%3F%23%5B"),
        (f"/{'x' * 256}", f"/{'x' * 255}"),
    ],
)
def test_a_problem_names_the_path_in_characters_of_a_uri(
    client: Client, path: str, instance: str
) -> None:
    assert client.send("GET", path).json["instance"] == instance


def test_every_answer_says_which_region_served_it_and_is_not_kept(client: Client) -> None:
    made = client.create()
    answers = [
        made,
        client.send("GET", "/v1/items"),
        client.send("GET", UNKNOWN),
        client.send("GET", "/nowhere"),
        client.send("PUT", "/v1/items"),
        client.send("DELETE", path_of(made)),
        client.send("GET", "/health", user=None),
    ]
    for answer in answers:
        assert answer.headers["x-served-by"] == REGION
        assert answer.headers["x-request-id"] == REQUEST_ID
        assert answer.headers["cache-control"] == "no-store"


def test_any_page_may_read_the_answers_where_every_origin_is_allowed(
    api: ItemsApi, settings: Settings
) -> None:
    everyone = replace(settings, allowed_origins=frozenset({"*"}))
    client = Client(ItemsApi(everyone, api._items, api._fence, api._observe))
    answer = client.send("GET", "/v1/items", headers={"Origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"]


def test_no_page_may_read_the_answers_where_no_origin_is_allowed(
    api: ItemsApi, settings: Settings
) -> None:
    nobody = replace(settings, allowed_origins=frozenset())
    client = Client(ItemsApi(nobody, api._items, api._fence, api._observe))
    for headers in ({"Origin": ORIGIN}, {"Origin": ""}, {}):
        answer = client.send("GET", "/v1/items", headers=headers)
        assert not {name for name in answer.headers if name.startswith("access-control")}
        assert "vary" not in answer.headers


def test_an_answer_is_as_short_as_json_can_be(client: Client) -> None:
    made = client.create({"title": "é🥛", "tags": ["a", "b"]})
    assert '"title":"é🥛"' in made.body
    assert '"tags":["a","b"]' in made.body


def test_a_page_of_an_allowed_origin_may_read_the_answers(client: Client) -> None:
    for path in ("/v1/items", "/nowhere"):
        allowed = client.send("GET", path, headers={"Origin": ORIGIN})
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert allowed.headers["vary"] == "origin"
        # No credentials: a page acts for nobody by a cookie.
        assert {name for name in allowed.headers if name.startswith("access-control")} == {
            "access-control-allow-origin",
            "access-control-expose-headers",
        }
        for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
            other = client.send("GET", path, headers=origin)
            assert "access-control-allow-origin" not in other.headers
            assert other.headers["vary"] == "origin"


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
