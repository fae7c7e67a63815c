"""A cursor leads to its own list and to no other."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from items.cursor import CursorError, decode, encode, item_id
from items.model import timestamp

owners = st.text(max_size=20).map(lambda name: f"user#{name}")
statuses = st.sampled_from([None, "todo", "doing", "done"])
moments = st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC)).map(timestamp)  # noqa: DTZ001


@st.composite
def lists(draw: st.DrawFn) -> tuple[str, str | None, str]:
    status = draw(statuses)
    prefix = "" if status is None else f"{status}#"
    return draw(owners), status, f"{prefix}{draw(moments)}#{draw(st.uuids())}"


@given(lists())
def test_a_cursor_gives_its_place_back(query: tuple[str, str | None, str]) -> None:
    owner, status, sort_key = query
    assert decode(owner, status, encode(owner, status, sort_key)) == sort_key


@given(lists(), owners, statuses)
def test_a_cursor_of_another_owner_or_status_is_refused(
    query: tuple[str, str | None, str], owner: str, status: str | None
) -> None:
    assume((owner, status) != query[:2])
    with pytest.raises(CursorError):
        decode(owner, status, encode(*query))


@given(lists(), st.data())
def test_a_cursor_with_one_character_changed_is_refused(
    query: tuple[str, str | None, str], data: st.DataObject
) -> None:
    cursor = encode(*query)
    at = data.draw(st.integers(0, len(cursor)))
    replacement = data.draw(st.text(max_size=2))
    tampered = cursor[:at] + replacement + cursor[at + 1 :]
    assume(tampered != cursor)
    with pytest.raises(CursorError):
        decode(query[0], query[1], tampered)


@given(st.text(max_size=200))
def test_any_other_text_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        decode("user#a", None, cursor)


@pytest.mark.parametrize(
    "sort_key",
    [
        "2025-01-01T00:00:00.000000Z#not-an-id",
        f"yesterday#{uuid.UUID(int=1)}",
        f"done#2025-01-01T00:00:00.000000Z#{uuid.UUID(int=1)}",
        f"2025-01-01T00:00:00.000000Z#{uuid.UUID(int=1)}\n",
        "",
    ],
)
def test_a_forged_cursor_can_only_say_a_sort_key_that_the_list_could_have(sort_key: str) -> None:
    digest = hashlib.sha256(json.dumps(["user#a", None, sort_key]).encode()).digest()[:12]
    forged = base64.urlsafe_b64encode(digest + sort_key.encode()).rstrip(b"=").decode()
    with pytest.raises(CursorError):
        decode("user#a", None, forged)


def test_the_same_forgery_with_a_proper_place_reads_as_a_cursor() -> None:
    sort_key = f"2025-01-01T00:00:00.000000Z#{uuid.UUID(int=1)}"
    digest = hashlib.sha256(json.dumps(["user#a", None, sort_key]).encode()).digest()[:12]
    forged = base64.urlsafe_b64encode(digest + sort_key.encode()).rstrip(b"=").decode()
    assert decode("user#a", None, forged) == sort_key
    assert item_id(sort_key) == str(uuid.UUID(int=1))
