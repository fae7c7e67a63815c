"""What all answers have in common, the gateway's own errors included."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.api import JSON, TIMEOUT

if TYPE_CHECKING:
    from tests.support.api import Api, SignedIn


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v2/items"),
        ("GET", "/v1/items/a/b"),
        ("GET", "/health/nothing"),
        ("POST", "/health"),
        ("DELETE", "/v1/items"),
        ("GET", "/.env"),
        ("GET", "/" + "x" * 2000),
    ],
)
def test_what_the_api_does_not_have_is_answered_with_a_problem(
    me: SignedIn, method: str, path: str
) -> None:
    answer = me.send(method, path)

    assert answer.status_code in (403, 404, 405)
    assert answer.json()["request_id"]


def test_every_error_has_a_request_id_of_its_own(me: SignedIn, api: Api) -> None:
    answers = [
        me.get("00000000-0000-4000-8000-000000000000"),
        me.get("00000000-0000-4000-8000-000000000000"),
        api.send("GET", "/v1/items"),
        me.send("GET", "/nowhere"),
    ]

    assert len({answer.json()["request_id"] for answer in answers}) == len(answers)


@pytest.mark.each_region
def test_the_gateways_own_refusal_says_what_to_do(api: Api) -> None:
    problem = api.send("GET", "/v1/items").json()

    assert "token" in problem["detail"].lower() or "sign in" in problem["detail"].lower()


def test_a_refusal_does_not_repeat_what_was_sent(me: SignedIn) -> None:
    answer = me.create({"title": 1, "notes": "my secret diary"}, str(uuid.uuid4()))

    assert "diary" not in answer.text


def test_a_get_with_a_body_is_the_edges_to_refuse(me: SignedIn, api: Api) -> None:
    bearer = {"authorization": f"Bearer {me.tokens.access}"}

    assert api.raw("GET", "/v1/items", headers=bearer) == 200
    assert api.raw("GET", "/v1/items", headers=bearer, body=b"{}") == 403


@pytest.mark.parametrize("path", ["/v1/items", "/health", "/v1/items/x"])
def test_no_answer_is_kept_by_a_cache(me: SignedIn, path: str) -> None:
    answer = me.send("GET", path)

    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.each_name
@pytest.mark.emulated_only("behind a real name's address stand other people's certificates")
def test_a_certificate_for_another_name_is_not_trusted(api: Api) -> None:
    # What makes all other tests mean something: this client does look at certificates.
    host = urlsplit(api.target.base_url).hostname or ""
    by_address = api.target.base_url.replace(host, "127.0.0.1")

    with pytest.raises(requests.exceptions.SSLError):
        api.http.get(f"{by_address}/health", timeout=TIMEOUT)


def test_an_answer_is_json_as_utf_8_says_it(me: SignedIn) -> None:
    answer = me.create({"title": "é🥛"}, str(uuid.uuid4()))

    assert answer.headers["content-type"].startswith(JSON)
    assert json.loads(answer.content.decode("utf-8"))["title"] == "é🥛"
