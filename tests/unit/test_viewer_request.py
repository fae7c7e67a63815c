"""The function at the edge, in JavaScript's own terms: run with a stub of CloudFront's module."""

from __future__ import annotations

import json
from typing import Any

import pytest
import quickjs

from project.paths import TREE

FUNCTION = TREE.root / "modules" / "edge" / "functions" / "viewer_request.js"
IMPORT = "import cf from 'cloudfront';"
STUB = "const groups = []; const cf = { createRequestOriginGroup(group) { groups.push(group); } };"
ORIGINS = ["first", "second"]
READS = ("GET", "HEAD")
OTHERS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def code() -> str:
    """The function as Terraform's templatefile makes it, its import replaced by the stub."""
    source = FUNCTION.read_text()
    assert source.startswith(IMPORT)
    made = source.replace("${read_origins}", json.dumps(ORIGINS))
    assert "${" not in made
    return made.replace(IMPORT, STUB)


def handled(method: str, headers: dict[str, str] | None = None) -> tuple[Any, list[Any]]:
    """The request that the function returns, and the origin groups that it makes."""
    event = {
        "request": {
            "method": method,
            "uri": "/v1/items",
            "querystring": {"limit": {"value": "5"}},
            "headers": {name: {"value": value} for name, value in (headers or {}).items()},
            "cookies": {},
        }
    }
    context = quickjs.Context()
    context.eval(code())
    result = context.eval(f"JSON.stringify([handler({json.dumps(event)}), groups])")
    request, groups = json.loads(result)
    return request, groups


@pytest.mark.parametrize("method", READS)
def test_a_read_tries_both_regions_in_turn_on_errors_of_the_server(method: str) -> None:
    _, groups = handled(method)

    assert groups == [
        {
            "originIds": [{"originId": "first"}, {"originId": "second"}],
            "failoverCriteria": {"statusCodes": [500, 502, 503, 504]},
        }
    ]


@pytest.mark.parametrize("method", OTHERS)
def test_anything_else_goes_where_dns_leads(method: str) -> None:
    _, groups = handled(method)

    assert groups == []


@pytest.mark.parametrize("method", [*READS, *OTHERS])
def test_what_a_viewer_may_not_choose_is_taken_away_and_nothing_else(method: str) -> None:
    headers = {
        "authorization": "Bearer token",
        "if-match": '"1"',
        "x-amzn-trace-id": "Root=1-0-0;Sampled=1",
        "x-origin-key": "guessed",
    }

    request, _ = handled(method, headers)

    assert request == {
        "method": method,
        "uri": "/v1/items",
        "querystring": {"limit": {"value": "5"}},
        "headers": {
            "authorization": {"value": "Bearer token"},
            "if-match": {"value": '"1"'},
        },
        "cookies": {},
    }
