"""Nobody goes round the edge: a Region's own name opens only to who has the key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_tokens import GUARDED, attempt

if TYPE_CHECKING:
    from tests.e2e.api import Api, SignedIn


def with_key(api: Api, key: str | None) -> Api:
    """The API at the same name, sent this key and no other."""
    headers = {} if key is None else {"x-origin-key": key}
    return replace(api, target=replace(api.target, headers=headers))


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


def test_the_key_says_nothing_about_who_is_asking(api: Api) -> None:
    for operation in GUARDED:
        assert attempt(api, operation) == 401


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/takeover"])
def test_a_health_checker_needs_no_key(api: Api, path: str) -> None:
    answer = with_key(api, None).send("GET", path, fault_expected=True)

    assert answer.status_code in (200, 503)
