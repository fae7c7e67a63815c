"""Nobody goes round the edge: a Region's own name opens only to who has the key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_tokens import GUARDED, attempt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.api import Api, SignedIn


def with_key(api: Api, key: str | None) -> Api:
    """The API at the same name, sent this key and no other."""
    headers = {} if key is None else {"x-origin-key": key}
    return replace(api, target=replace(api.target, headers=headers))


@pytest.mark.each_name
@pytest.mark.parametrize("key", [None, "", "a guess", "a" * 64])
def test_without_the_key_only_the_public_name_opens(me: SignedIn, key: str | None) -> None:
    statuses = {
        operation: attempt(with_key(me.api, key), operation, token=me.tokens.access)
        for operation in GUARDED
    }

    if me.api.target.headers:
        assert set(statuses.values()) == {403}, statuses
    else:
        # What a viewer sends in the edge's name is replaced by what the edge sends.
        assert 403 not in statuses.values(), statuses
        assert statuses["listItems"] == 200, statuses


@pytest.mark.each_name
def test_the_key_says_nothing_about_who_is_asking(api: Api) -> None:
    for operation in GUARDED:
        assert attempt(api, operation) == 401


@pytest.mark.each_name
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/takeover"])
def test_a_health_checker_needs_no_key(api: Api, path: str) -> None:
    answer = with_key(api, None).send("GET", path, fault_expected=True)

    assert answer.status_code in (200, 404, 503)
    assert "filtered" not in answer.text


# What a web ACL compares is the path as it was sent.
OTHER_SPELLINGS = [
    *("/healthz", "/health/nothing", "/health;x", "/Health", "/live/healthz"),
    *("/health/../v1/items", "/health/%2e%2e/v1/items", "/health/..%2fv1/items"),
    *("/health/", "/health/ready/", "//health", "/./health", "/x/../health", "/health/./ready"),
    *("/%68ealth", "/health%2fready", "/health%00", "/health%3f"),
]


@pytest.mark.each_name
@pytest.mark.parametrize("path", OTHER_SPELLINGS)
def test_what_only_looks_like_a_health_check_needs_the_key(api: Api, path: str) -> None:
    status = api.raw("GET", path)

    if api.target.headers:
        assert status == 403
    else:
        assert status < 500


@pytest.mark.each_name
@pytest.mark.parametrize("path", ["/health?x=1", "/health/ready?", "/live/health"])
def test_a_query_or_the_stage_is_no_other_spelling(api: Api, path: str) -> None:
    assert api.raw("GET", path) in (200, 404, 503)


@pytest.mark.parametrize("key", ["x-origin-key", "X-Origin-Key", "X-ORIGIN-KEY"])
def test_a_viewers_key_is_replaced_by_the_edges(apis: Mapping[str, Api], key: str) -> None:
    # Else the Region would refuse it, or see two.
    assert apis["public"].raw("GET", "/v1/items", headers={key: "guessed"}) == 401
