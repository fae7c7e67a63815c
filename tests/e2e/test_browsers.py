"""CORS: pages of the allowed origins may call the API, others may not."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.support.deployment import EMULATED

if TYPE_CHECKING:
    from tests.e2e.account_operator import Operator
    from tests.support.api import Api, SignedIn

STRANGE = "https://evil.example"


@pytest.fixture
def origins(operator: Operator) -> list[str]:
    """The origins that this deployment allows; an app that is no web page has none."""
    allowed = operator.function_environment(operator.home_region)["ALLOWED_ORIGINS"]
    listed = [origin for origin in allowed.split(",") if origin]
    assert listed or not EMULATED, "nothing below would look at an origin that is allowed"
    return listed


def preflight(api: Api, origin: str, path: str, method: str) -> dict[str, str]:
    headers = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,if-match,idempotency-key",
    }
    # Without any origin allowed there is no such method, and the gateway says so.
    answer = api.send("OPTIONS", path, headers=headers)
    return {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


@pytest.mark.parametrize(
    ("path", "method"), [("/v1/items", "POST"), ("/v1/items/x", "PATCH"), ("/v1/items/x", "DELETE")]
)
def test_an_allowed_page_may_ask(api: Api, origins: list[str], path: str, method: str) -> None:
    for origin in origins:
        headers = preflight(api, origin, path, method)
        assert headers["access-control-allow-origin"] == origin
        assert method in headers["access-control-allow-methods"]
        assert {"authorization", "if-match", "idempotency-key"} <= {
            name.strip().lower() for name in headers["access-control-allow-headers"].split(",")
        }


def test_a_strange_page_may_not(api: Api, me: SignedIn, origins: list[str]) -> None:
    assert STRANGE not in origins
    headers = preflight(api, STRANGE, "/v1/items", "POST")
    assert headers.get("access-control-allow-origin") not in (STRANGE, "*")

    answer = me.send("GET", "/v1/items", headers={"origin": STRANGE})
    assert answer.headers.get("access-control-allow-origin") not in (STRANGE, "*")


def test_an_allowed_page_may_read_answers_and_errors(me: SignedIn, origins: list[str]) -> None:
    for origin in origins:
        answers = [
            me.create({"title": "From a page"}, str(uuid.uuid4())),
            me.send("GET", "/v1/items", headers={"origin": origin}),
            me.send("GET", "/v1/items/x", headers={"origin": origin}),
            me.api.send("GET", "/v1/items", headers={"origin": origin}),
        ]
        for answer in answers[1:]:
            assert answer.headers["access-control-allow-origin"] == origin, answer.status_code
        exposed = answers[1].headers["access-control-expose-headers"].lower()
        assert {"etag", "location", "x-request-id"} <= {n.strip() for n in exposed.split(",")}


def test_no_page_gets_a_persons_cookies(me: SignedIn, origins: list[str]) -> None:
    for origin in [*origins, STRANGE]:
        answer = me.send("GET", "/v1/items", headers={"origin": origin})
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers
