"""Whose requests are taken: of this API's own apps, whatever else the pool's clients may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.support import ALICE, CLIENT_ID, event

if TYPE_CHECKING:
    from tests.unit.support import Client, Reply

ITEM = "/v1/items/01234567-89ab-8def-8123-456789abcdef"
OPERATIONS = [
    ("POST", "/v1/items"),
    ("GET", "/v1/items"),
    *((method, ITEM) for method in ("GET", "PUT", "PATCH", "DELETE")),
    ("DELETE", "/v1/me"),
]


def assert_challenged(answer: Reply) -> None:
    """As the contract has it: the gateway renames what a function sends."""
    assert answer.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("client_id", ["", "another", CLIENT_ID.upper(), f"{CLIENT_ID} ", None])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_another_apps_token_does_nothing(
    client: Client, method: str, path: str, client_id: str | None
) -> None:
    raw = event(method, path, body={"title": "a"}, headers={"Idempotency-Key": "k"})
    raw["requestContext"]["authorizer"]["claims"]["client_id"] = client_id

    answer = client.deliver(raw)

    assert answer.status == 401
    assert_challenged(answer)
    assert "another app" in answer.json["detail"]
    assert client.send("GET", "/v1/items").json["items"] == []


@pytest.mark.parametrize("claim", ["username", "sub"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_token_that_names_nobody_does_nothing(
    client: Client, method: str, path: str, claim: str
) -> None:
    raw = event(method, path, body={"title": "a"}, headers={"Idempotency-Key": "k"})
    claims = raw["requestContext"]["authorizer"]["claims"]
    for nothing in (None, 1) if claim == "username" else (None, 1, "", "x" * 129, "\ud800"):
        claims[claim] = nothing

        answer = client.deliver(raw)

        assert answer.status == 401
        assert_challenged(answer)
    del raw["requestContext"]["authorizer"]
    assert client.deliver(raw).status == 401


@pytest.mark.parametrize(
    "username",
    ["", "ada", "ada@example.com", f"{ALICE} ", f"{{{ALICE}}}", ALICE.replace("-", ""),
     ALICE[:-1], f"{ALICE}0", ALICE.replace("b", "g"), f"{ALICE}#x", "x", "x" * 128, "x" * 129,
     "\ud800",
     ALICE.replace("0", "\u0660")],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_username_that_is_no_uuid_is_refused_and_told_why(
    client: Client, method: str, path: str, username: str
) -> None:
    sent = {"body": {"title": "a"}, "headers": {"Idempotency-Key": "k"}}

    answer = client.send(method, path, user=username, **sent)

    assert answer.status == 403
    assert answer.json["type"] == "/problems/unusable-username"
    assert "UUID" in answer.json["detail"]


@pytest.mark.parametrize("sub", ["x", "x" * 128])
def test_an_account_is_known_by_whatever_cognito_may_make_of_it(client: Client, sub: str) -> None:
    made = client.create(sub=sub)

    assert made.status == 201
    assert client.send("GET", made.headers["location"], sub=sub).json == made.json


def test_a_username_is_the_same_in_upper_and_lower_case(client: Client) -> None:
    made = client.create(user=ALICE.upper())

    assert client.send("GET", made.headers["location"], user=ALICE).json == made.json


@pytest.mark.parametrize("item_id", ["\x00", "a\r\nb", "user#x", "🥛", "é"])
def test_an_id_of_odd_characters_is_not_found(client: Client, item_id: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = client.send(method, f"/v1/items/{item_id}", body={"title": "a"})

        assert answer.status == 404
        assert "no item with this id" in answer.json["detail"]
