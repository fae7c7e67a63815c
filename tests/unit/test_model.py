"""What outlives a release: ids, digests and tags that are made in another way are lost retries.

A retry may reach a function of another release than the first request did, and a cursor or an ETag
is used long after it was given. So the values stand here as they were, written out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from items import cursor
from items.model import Item, body_digest, derived_id, new_write, timestamp
from tests.unit.support import caller

ITEM = Item(
    owner=caller().owner,
    sub=caller().sub,
    id="01234567-89ab-8def-8123-456789abcdef",
    title="t",
    status="todo",
    tags=(),
    notes=None,
    due_on=None,
    version=7,
    created_at="2025-01-01T00:00:00.000000Z",
    updated_at="2025-02-03T04:05:06.000007Z",
    written_in="us-east-1",
    request_hash="0" * 64,
    writes=("w",),
)
LISTED_AT = f"{ITEM.created_at}#{ITEM.id}"
CURSOR = (
    "-92CtODmXRcdjlNdMjAyNS0wMS0wMVQwMDowMDowMC4wMDAwMDBaIzAxMjM0NTY3LTg5YWItOGRlZi04MTIzLTQ1Njc4"
    "OWFiY2RlZg"
)
CURSOR_OF_A_STATUS = (
    "Ur9xm0B7-7Ygr981ZG9pbmcjMjAyNS0wMS0wMVQwMDowMDowMC4wMDAwMDBaIzAxMjM0NTY3LTg5YWItOGRlZi04MTIz"
    "LTQ1Njc4OWFiY2RlZg"
)


def test_a_key_makes_the_same_id_in_every_release() -> None:
    key = "5d1c8a52-3f7e-4c7b-9a51-0c7f2e6d9b10"
    assert derived_id(caller(), key) == "b4815e63-8ac9-86bb-b637-d10c1c1f2de0"


def test_a_body_has_the_same_digest_in_every_release_however_its_members_are_ordered() -> None:
    body = {"title": "Müsli 🥛", "tags": ["a", "b"], "notes": "x\ny"}
    digest = "3c0b595ed5e322a9f4855c0d887abdc3d2d14234c9deef6fb30928a955712dec"
    assert body_digest(body) == body_digest(dict(reversed(body.items()))) == digest


@pytest.mark.parametrize(
    ("status", "sort_key", "made"),
    [(None, LISTED_AT, CURSOR), ("doing", f"doing#{LISTED_AT}", CURSOR_OF_A_STATUS)],
)
def test_a_place_makes_the_same_cursor_in_every_release(
    status: str | None, sort_key: str, made: str
) -> None:
    assert cursor.encode(ITEM.owner, status, sort_key) == made


def test_a_version_has_the_same_tag_in_every_release() -> None:
    assert ITEM.etag == '"7-0f0ecffd4eb8"'


@pytest.mark.parametrize(
    "change",
    [{"version": 8}, {"updated_at": "2025-02-03T04:05:06.000008Z"}, {"written_in": "us-west-2"}],
    ids=lambda change: next(iter(change)),
)
def test_a_tag_differs_by_all_that_tells_two_writes_apart(change: dict[str, str]) -> None:
    assert replace(ITEM, **change).etag != ITEM.etag  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), "2025-01-01T00:00:00.000000Z"),
        (datetime(2025, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ITEM.created_at),
    ],
)
def test_a_moment_is_written_so_that_it_sorts_as_text(moment: datetime, written: str) -> None:
    assert timestamp(moment) == written


def test_no_two_writes_have_one_id_of_sixteen_hexadecimal_digits() -> None:
    ids = {new_write() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(bytes.fromhex(one)) == 8 for one in ids)
