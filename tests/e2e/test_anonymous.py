"""Whoever has no token: nothing that he can send ends in a 5XX while all is well.

What does is a failure of the API to every alarm, so that anybody could page the on-call with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.contract import LAMBDA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.api import Api

ITEM = "00000000-0000-4000-8000-000000000000"
PATHS = [
    path.replace("{id}", ITEM)
    for path in yaml.safe_load((LAMBDA / "openapi.yaml").read_text())["paths"]
]
OTHER_PATHS = [
    *("/", "//", "/v1", "/v1/items/", "/v2/items", "/.env", "/live/health", "/v1/items/a/b"),
    *("/healthz", "/health/", "//health", "/%68ealth", "/health%2fready", "/health/nothing"),
    *("/health/../v1/items", "/v1/items/../../health/ready", "/v1/items/..", "/./health"),
    *("/v1/items/%00", "/v1/items/%ff%fe", "/v1/items/%zz", "/%", "/v1/items/{id}", "/*"),
    *("/health?x=%00&x=%ff", "/v1/items?limit=%zz&cursor=" + "x" * 2000, "/" + "x" * 6000),
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW")

Odd = tuple[dict[str, str], bytes | None]
HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
ODDITIES: Mapping[str, Odd] = {
    "nothing": ({}, None),
    "an empty body": ({"content-type": "application/json"}, b""),
    "a body": ({"content-type": "application/json"}, b'{"title": "x"}'),
    "no json": ({"content-type": "application/json"}, b"\x00\xff{"),
    "deep json": ({"content-type": "application/json"}, b"[" * 20_000),
    "another kind of body": ({"content-type": "text/plain"}, b"x"),
    "a status of his own": ({"content-type": "text/plain"}, b'{"statusCode": 500}'),
    "no kind of body": ({"content-type": "x;;=,"}, b"x"),
    "no gzip": ({"content-encoding": "gzip", "content-type": "application/json"}, b"\x1f\x8bno"),
    "too large a body": ({"content-type": "application/json"}, b" " * (64 * 1024 + 1)),
    "no token": ({"authorization": "Bearer a.b.c"}, None),
    "a signature": ({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, None),
    "half a preflight": ({"origin": "null", "access-control-request-method": "BREW"}, None),
    "conditions": ({"if-match": '"', "if-none-match": "W/", "range": "bytes=9-1"}, None),
    "ids": ({"x-amzn-requestid": "x", "x-amzn-trace-id": "Root=;Sampled=1;" + "x" * 500}, None),
    "another host": ({"x-forwarded-host": "localhost", "x-origin-key": "guessed"}, None),
    "a handshake": (HANDSHAKE, None),
    "another method": ({"x-http-method-override": "BREW"}, None),
}


@pytest.fixture
def public(apis: Mapping[str, Api]) -> Api:
    """The API by the name that everybody knows."""
    return apis["public"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_is_sent_without_a_token_is_a_fault(public: Api, path: str) -> None:
    statuses = {
        (method, oddity): public.raw(method, path, headers=headers, body=body)
        for method in METHODS
        for oddity, (headers, body) in ODDITIES.items()
    }

    assert {sent: status for sent, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("path", OTHER_PATHS, ids=lambda path: path[:40])
def test_nothing_that_is_asked_for_is_a_fault(public: Api, path: str) -> None:
    statuses = {method: public.raw(method, path) for method in METHODS}

    assert {method: status for method, status in statuses.items() if status >= 500} == {}


def test_a_body_that_no_function_can_be_given_is_no_fault(public: Api) -> None:
    headers = {"content-type": "application/json", "idempotency-key": "x"}
    body = b'"' + b"x" * (7 * 1024 * 1024) + b'"'

    statuses = {path: public.raw("POST", path, headers=headers, body=body) for path in PATHS}

    assert {path: status for path, status in statuses.items() if status >= 500} == {}
