"""Whose requests are taken: of this API's own apps, whatever else the pool's clients may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.support import CLIENT_ID, event

if TYPE_CHECKING:
    from tests.unit.support import Client

ITEM = "/v1/items/01234567-89ab-8def-8123-456789abcdef"


@pytest.mark.parametrize("client_id", ["", "another", CLIENT_ID.upper(), f"{CLIENT_ID} ", None])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/items"), ("GET", "/v1/items")]
    + [(method, ITEM) for method in ("GET", "PUT", "PATCH", "DELETE")],
)
def test_another_apps_token_does_nothing(
    client: Client, method: str, path: str, client_id: str | None
) -> None:
    raw = event(method, path, body={"title": "a"}, headers={"Idempotency-Key": "k"})
    raw["requestContext"]["authorizer"]["claims"]["client_id"] = client_id

    answer = client.deliver(raw)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "another app" in answer.json["detail"]
    assert client.send("GET", "/v1/items").json["items"] == []


@pytest.mark.parametrize("item_id", ["\x00", "a\r\nb", "user#x", "🥛", "é"])
def test_an_id_of_odd_characters_is_not_found(client: Client, item_id: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = client.send(method, f"/v1/items/{item_id}", body={"title": "a"})

        assert answer.status == 404
        assert "no item with this id" in answer.json["detail"]
