"""Changes that meet each other, in one Region or in two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from items import etag
from items.logic import ATTEMPTS, Items
from items.problems import Problem
from items.table import Table
from tests.unit.support import MAX_ITEMS, TABLE, Replica, World, caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

    from items.model import Item

ALICE = caller()
ANYTHING = etag.parse("*")


class Busy(Replica):
    """A replica where somebody else writes between a reading and the writing that follows."""

    meetings = 0

    def update(self, current: Item, item: Item) -> bool:
        """Let the other writer in first, as long as there are meetings left."""
        if self.meetings:
            self.meetings -= 1
            there = self.get(current.owner, current.id)
            assert there is not None
            super().update(there, replace(there, version=there.version + 1, notes="theirs"))
        return super().update(current, item)


@pytest.fixture
def store() -> Busy:
    return Busy(World())


@pytest.fixture
def items(store: Busy) -> Items:
    return Items(store, "us-east-1", MAX_ITEMS)


def changes(items: Items, item: Item) -> list[Callable[[etag.Condition], object]]:
    return [
        lambda condition: items.put(ALICE, item.id, condition, {"title": "mine"}),
        lambda condition: items.patch(ALICE, item.id, condition, {"title": "mine"}),
        lambda condition: items.delete(ALICE, item.id, condition),
    ]


@pytest.mark.parametrize("which", range(3))
def test_a_change_overtaken_by_another_is_refused(store: Busy, items: Items, which: int) -> None:
    made = items.create(ALICE, "k", {"title": "a"}).item
    store.meetings = 1
    with pytest.raises(Problem) as raised:
        changes(items, made)[which](etag.parse(made.etag))
    assert raised.value.status == 412
    assert items.get(ALICE, made.id).notes == "theirs"


def test_a_patch_of_whatever_is_there_keeps_what_others_changed(store: Busy, items: Items) -> None:
    made = items.create(ALICE, "k", {"title": "a"}).item
    store.meetings = ATTEMPTS - 1
    patched = items.patch(ALICE, made.id, ANYTHING, {"title": "mine"})
    assert (patched.title, patched.notes) == ("mine", "theirs")
    assert patched.version == made.version + ATTEMPTS


def test_a_patch_can_leave_nothing_that_is_no_item(items: Items) -> None:
    made = items.create(ALICE, "k", {"title": "a"}).item
    with pytest.raises(Problem) as raised:
        items.patch(ALICE, made.id, ANYTHING, {"title": None})
    assert raised.value.status == 400
    assert items.get(ALICE, made.id) == made


@pytest.mark.parametrize("which", range(3))
def test_a_change_that_is_overtaken_every_time_gives_up(
    store: Busy, items: Items, which: int
) -> None:
    made = items.create(ALICE, "k", {"title": "a"}).item
    store.meetings = ATTEMPTS
    with pytest.raises(Problem) as raised:
        changes(items, made)[which](ANYTHING)
    assert raised.value.status == 409


class Overtaken(Table):
    """The table itself, where somebody else's change comes before each of the first ones."""

    def __init__(self, dynamodb: DynamoDBClient, times: int) -> None:
        super().__init__(dynamodb, TABLE)
        self._others = Items(Table(dynamodb, TABLE), "us-east-1", MAX_ITEMS)
        self._left = times

    def update(self, current: Item, item: Item) -> bool:
        """Let somebody else in first."""
        self._overtake(current)
        return super().update(current, item)

    def soft_delete(self, current: Item, item: Item, expires_at: int) -> bool:
        """Let somebody else in first."""
        self._overtake(current)
        return super().soft_delete(current, item, expires_at)

    def _overtake(self, current: Item) -> None:
        if self._left:
            self._left -= 1
            self._others.patch(ALICE, current.id, ANYTHING, {"notes": "theirs"})


@pytest.mark.parametrize("which", range(3))
def test_a_write_that_comes_second_is_never_taken_for_the_first(
    dynamodb: DynamoDBClient, which: int
) -> None:
    items = Items(Overtaken(dynamodb, times=1), "us-east-1", MAX_ITEMS)
    made = items.create(ALICE, "k", {"title": "a"}).item
    # A second version, so that what others wrote is no longer the first alone.
    made = Items(Table(dynamodb, TABLE), "us-east-1", MAX_ITEMS).patch(
        ALICE, made.id, ANYTHING, {"title": "b"}
    )

    with pytest.raises(Problem) as raised:
        changes(items, made)[which](etag.parse(made.etag))

    assert raised.value.status == 412
    assert (items.get(ALICE, made.id).title, items.get(ALICE, made.id).notes) == ("b", "theirs")


@pytest.mark.parametrize("which", range(3))
def test_a_hot_item_is_given_up_by_the_table_too(dynamodb: DynamoDBClient, which: int) -> None:
    items = Items(Overtaken(dynamodb, times=3), "us-east-1", MAX_ITEMS)
    made = items.create(ALICE, "k", {"title": "a"}).item

    with pytest.raises(Problem) as raised:
        changes(items, made)[which](ANYTHING)

    assert raised.value.status == 409
    assert items.get(ALICE, made.id).version == 4


def test_a_version_that_lost_to_the_other_regions_passes_no_condition() -> None:
    world = World()
    east = Items(world.east, "us-east-1", MAX_ITEMS)
    west = Items(world.west, "us-west-2", MAX_ITEMS)
    made = east.create(ALICE, "k", {"title": "a"}).item
    world.replicate()
    lost = east.put(ALICE, made.id, ANYTHING, {"title": "east"})
    kept = west.put(ALICE, made.id, ANYTHING, {"title": "west"})
    world.replicate()
    assert lost.version == kept.version
    assert east.get(ALICE, made.id).title == "west"
    with pytest.raises(Problem) as raised:
        east.put(ALICE, made.id, etag.parse(lost.etag), {"title": "again"})
    assert raised.value.status == 412


def test_a_clock_that_is_behind_never_makes_an_item_older() -> None:
    world, now = World(), datetime(2025, 1, 1, tzinfo=UTC)
    east = Items(world.east, "us-east-1", MAX_ITEMS, lambda: now)
    west = Items(world.west, "us-west-2", MAX_ITEMS, lambda: now - timedelta(seconds=5))
    made = east.create(ALICE, "k", {"title": "a"}).item
    world.replicate()
    changed = west.put(ALICE, made.id, ANYTHING, {"title": "b"})
    assert changed.updated_at == made.updated_at
    assert changed.etag != made.etag
    assert changed.written_in == "us-west-2"
