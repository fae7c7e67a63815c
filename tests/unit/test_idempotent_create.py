"""A retried create makes one item, whichever Region the retries reach."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from items.logic import Items
from items.model import Caller, derived_id
from items.problems import Problem
from tests.unit.support import MAX_ITEMS, World, caller

ALICE, KEY = caller(), "key"
ID = derived_id(ALICE, KEY)
BODY: dict[str, Any] = {"title": "Milk"}
OTHER: dict[str, Any] = {"title": "Bread"}

regions = st.sampled_from(["east", "west"])
steps = st.lists(
    st.tuples(st.sampled_from(["create", "other", "delete", "replicate"]), regions), max_size=12
)


class Run:
    """Two Regions at work on one owner's key, and what every request was answered."""

    def __init__(self) -> None:
        ticks = itertools.count()
        start = datetime(2025, 1, 1, tzinfo=UTC)
        self.world = World()

        def now() -> datetime:
            return start + timedelta(seconds=next(ticks))

        self.items = {
            "east": Items(self.world.east, "us-east-1", MAX_ITEMS, now),
            "west": Items(self.world.west, "us-west-2", MAX_ITEMS, now),
        }

    def step(self, what: str, region: str) -> int:
        """Do one thing in one Region; the status that it was answered with."""
        try:
            if what == "replicate":
                self.world.replicate()
            elif what == "delete":
                self.items[region].delete(ALICE, ID, None)
            else:
                body = BODY if what == "create" else OTHER
                made = self.items[region].create(ALICE, KEY, body)
                assert made.item.id == ID
        except Problem as problem:
            return problem.status
        return 201

    def listed(self, region: str) -> list[str]:
        """The ids in a Region's list."""
        page = self.items[region].page(ALICE, None, 100, None)
        return [item.id for item in page.items]


@given(steps)
def test_there_is_never_more_than_one_item(interleaving: list[tuple[str, str]]) -> None:
    run = Run()
    for what, region in interleaving:
        run.step(what, region)
        assert run.listed("east") in ([], [ID])
        assert run.listed("west") in ([], [ID])
    run.world.replicate()
    assert run.listed("east") == run.listed("west")


@given(st.lists(st.tuples(st.sampled_from(["create", "replicate"]), regions), min_size=1))
def test_every_retry_is_answered_like_the_first(interleaving: list[tuple[str, str]]) -> None:
    run = Run()
    assert {run.step(what, region) for what, region in interleaving} == {201}
    run.world.replicate()
    made = any(what == "create" for what, _ in interleaving)
    assert run.listed("east") == run.listed("west") == ([ID] if made else [])


# Left to chance, hardly any run deletes what it has made and makes it again.
MADE_DELETED_MADE = [("create", "east"), ("delete", "east"), ("create", "east"), ("other", "east")]


@given(steps)
@example(MADE_DELETED_MADE)
def test_a_region_that_knows_of_the_deletion_never_undoes_it(
    interleaving: list[tuple[str, str]],
) -> None:
    run = Run()
    for what, region in interleaving:
        current = getattr(run.world, region).get(ALICE.owner, ID)
        status = run.step(what, region)
        if what in {"create", "other"} and current is not None and current.deleted_at is not None:
            assert status in {410, 422}
            assert getattr(run.world, region).get(ALICE.owner, ID) == current


@given(steps)
@example(MADE_DELETED_MADE)
def test_with_one_region_writing_at_a_time_nothing_deleted_returns(
    interleaving: list[tuple[str, str]],
) -> None:
    run = Run()
    deleted = False
    for what, region in interleaving:
        status = run.step(what, region)
        run.world.replicate()
        if deleted and what not in {"replicate", "delete"}:
            assert status in {410, 422}
        deleted = deleted or (what == "delete" and status == 201)
    if deleted:
        assert run.listed("east") == run.listed("west") == []


@given(steps)
@example([("other", "west"), ("replicate", "west"), ("other", "east")])
def test_another_body_never_changes_what_the_key_made(interleaving: list[tuple[str, str]]) -> None:
    run = Run()
    run.step("create", "east")
    run.world.replicate()
    for what, region in interleaving:
        status = run.step(what, region)
        assert what != "other" or status == 422
    current = run.world.east.get(ALICE.owner, ID)
    assert current is not None
    assert current.title == "Milk"


callers = st.builds(Caller, st.text(max_size=9), st.text(max_size=9))
keys = st.text(max_size=9)


@given(callers, keys, callers, keys)
def test_no_two_callers_or_keys_share_an_id(a: Caller, b: str, c: Caller, d: str) -> None:
    assert (derived_id(a, b) == derived_id(c, d)) == ((a, b) == (c, d))


def test_a_create_that_meets_a_removed_item_is_tried_again() -> None:
    run = Run()
    taken = iter([False, True])
    insert = run.world.east.insert
    run.world.east.insert = lambda item: next(taken) and insert(item)  # type: ignore[method-assign]
    assert run.items["east"].create(ALICE, KEY, BODY).replayed is False


def test_a_create_that_is_never_settled_asks_to_be_sent_again() -> None:
    run = Run()
    run.world.east.insert = lambda item: False  # type: ignore[method-assign]
    with pytest.raises(Problem) as raised:
        run.items["east"].create(ALICE, KEY, BODY)
    assert raised.value.status == 503
    assert "with the same Idempotency-Key" in raised.value.detail
