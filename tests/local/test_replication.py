"""Replication: late, in order, the last writer wins; nothing lost while a Region is cut off."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from local.item_store import ItemStore, Rows
from local.patches import dynamodb
from local.patches.dynamodb import Item, Keys, TableWrite
from local.patches.scope import Scope
from local.replication import Replication, Write, install
from tests.support.emulator import Stack, eventually

# As they stand in the state folders of people who update: under another name nothing is found.
WAITING, STAMP = "on its way", "last write"


def test_a_write_arrives_in_the_other_region_after_the_lag(stack: Stack) -> None:
    with stack.emulator.lag(3600):
        stack.put("us-east-1", "lag", "1", "a")
        assert stack.items("us-east-1", "lag") == {"1": "a"}
        assert stack.items("us-west-2", "lag") == {}
        assert stack.emulator.status()["replication"]["pending"] == 1

    eventually(lambda: stack.items("us-west-2", "lag") == {"1": "a"})


def test_updates_and_deletions_arrive_as_well(stack: Stack) -> None:
    east = stack.emulator.client("dynamodb", "us-east-1")
    key = {"owner": {"S": "kinds"}, "item_id": {"S": "1"}}
    stack.put("us-east-1", "kinds", "1", "a")
    eventually(lambda: stack.items("us-west-2", "kinds") == {"1": "a"})

    east.update_item(
        TableName="things",
        Key=key,
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "value"},
        ExpressionAttributeValues={":v": {"S": "b"}},
    )
    eventually(lambda: stack.items("us-west-2", "kinds") == {"1": "b"})

    east.delete_item(TableName="things", Key=key)
    eventually(lambda: stack.items("us-west-2", "kinds") == {})


def test_transactions_and_batches_arrive_as_well(stack: Stack) -> None:
    west = stack.emulator.client("dynamodb", "us-west-2")

    def item(number: str) -> dict[str, dict[str, str]]:
        return {"owner": {"S": "many"}, "item_id": {"S": number}, "value": {"S": "x"}}

    west.transact_write_items(
        TransactItems=[{"Put": {"TableName": "things", "Item": item(n)}} for n in "12"]
    )
    west.batch_write_item(RequestItems={"things": [{"PutRequest": {"Item": item("3")}}]})

    expected = {"1": "x", "2": "x", "3": "x"}
    eventually(lambda: stack.items("us-east-1", "many") == expected)


def test_of_two_writes_on_their_way_to_each_other_the_later_wins_in_both_regions(
    stack: Stack,
) -> None:
    with stack.emulator.lag(3600):
        stack.put("us-east-1", "conflict", "1", "first")
        stack.put("us-west-2", "conflict", "1", "second")
        assert stack.items("us-east-1", "conflict") == {"1": "first"}

    eventually(lambda: stack.emulator.status()["replication"]["pending"] == 0)
    assert stack.items("us-east-1", "conflict") == {"1": "second"}
    assert stack.items("us-west-2", "conflict") == {"1": "second"}


class Links:
    """A replication by itself: the clock and the arrivals are the test's own."""

    def __init__(self, lag: float = 1.0, saved: ItemStore | None = None) -> None:
        self.now = 10**18
        self.arrived: list[tuple[str, object]] = []
        self.replication = Replication(lag, clock=lambda: self.now, store=self._arrive, saved=saved)

    def _arrive(self, write: Write) -> None:
        self.arrived.append((write.target, write.item and write.item["v"]))

    def write(self, source: str, value: object, key: str = "1", *, to: str = "") -> None:
        target = to or {"east": "west", "west": "east"}[source]
        item = None if value is None else {"v": value}
        self.replication.send("0", source, [target], "table", ("owner", key), item)

    def after(self, seconds: float) -> list[tuple[str, object]]:
        self.now += int(seconds * 1e9) + 1000  # two writes never have the same nanosecond
        self.arrived.clear()
        self.replication.deliver_due()
        return list(self.arrived)


def test_nothing_arrives_before_the_lag_and_everything_in_order_after_it() -> None:
    links = Links(lag=1.0)
    for value in range(3):
        links.write("east", value)

    assert links.after(0.999) == []
    assert links.after(0.001) == [("west", 0), ("west", 1), ("west", 2)]


def test_a_shorter_lag_holds_for_what_is_on_its_way_and_nothing_overtakes() -> None:
    links = Links(lag=10.0)
    links.write("east", "slow")
    links.replication.set_lag(2.0)
    links.write("east", "fast")

    assert links.after(1.9) == []
    assert links.after(0.2) == [("west", "slow"), ("west", "fast")]


def test_a_region_cut_off_neither_sends_nor_receives_until_it_is_back() -> None:
    links = Links(lag=1.0)
    links.replication.pause(frozenset({"west"}))
    links.write("east", "there")
    links.write("west", "back", key="2")

    assert links.after(60) == []
    assert links.replication.pending == 2

    links.replication.pause(frozenset())
    assert sorted(links.after(0)) == [("east", "back"), ("west", "there")]


def test_a_write_from_before_the_cut_never_undoes_a_newer_one_after_it() -> None:
    links = Links(lag=1.0)
    links.replication.pause(frozenset({"east"}))
    links.write("east", "old")
    links.write("west", "new")

    links.replication.pause(frozenset())

    assert links.after(60) == [("east", "new")]
    assert links.replication.overwritten == 1


def test_a_deletion_is_a_write_like_any_other() -> None:
    links = Links(lag=1.0)
    links.write("east", "old")
    links.write("west", None)

    assert links.after(60) == [("east", None)]


def test_a_write_arrives_as_it_was_however_its_item_is_changed_meanwhile() -> None:
    links, item = Links(), {"v": "then"}
    links.replication.send("0", "east", ["west"], "table", ("owner", "1"), item)
    item["v"] = "now"

    assert links.after(60) == [("west", "then")]


def test_a_write_goes_to_every_other_region() -> None:
    links = Links()
    links.replication.send("0", "east", ["west", "south"], "table", ("o", "1"), {"v": 1})

    assert links.replication.pending == 2
    assert links.after(60) == [("west", 1), ("south", 1)]
    assert links.replication.pending == 0


@pytest.mark.parametrize("back", [0, 1, 3600 * 10**9], ids=["stands", "a tick", "an hour"])
def test_the_later_of_two_writes_wins_whatever_the_clock_does(back: int) -> None:
    links = Links()
    links.write("east", "first")
    links.now -= back
    links.write("west", "second")

    assert links.after(7200) == [("east", "second")]
    assert links.replication.overwritten == 1


def test_a_write_that_has_arrived_holds_against_an_older_one_from_a_third_region() -> None:
    links = Links()
    links.replication.pause(frozenset({"south"}))
    links.write("south", "old", to="west")
    links.write("east", "new")
    assert links.after(60) == [("west", "new")]

    links.replication.pause(frozenset())

    assert links.after(60) == []
    assert links.replication.overwritten == 1


def test_only_writes_to_the_very_same_item_meet() -> None:
    links = Links()
    links.write("east", "mine")
    for account, table, keys in (
        ("1", "table", ("owner", "1")),
        ("0", "other", ("owner", "1")),
        ("0", "table", ("other", "1")),
        ("0", "table", ("owner", "2")),
    ):
        links.replication.send(account, "west", ["east"], table, keys, {"v": "another"})

    assert len(links.after(60)) == 5
    assert links.replication.overwritten == 0


def test_an_older_write_that_is_dropped_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    links = Links()
    links.write("east", "old")
    links.write("west", "new")
    with caplog.at_level(logging.INFO, "local.replication"):
        links.after(60)

    (message,) = caplog.messages
    assert "'west', 'table', 'owner', '1') keeps its newer write: dropped one from east" in message


def test_listeners_learn_how_long_each_write_took() -> None:
    links, took = Links(lag=1.5), []
    links.replication.listeners.append(lambda write, seconds: took.append((write.item, seconds)))
    links.write("east", "a")
    links.now += 2_500_000_000

    assert links.replication.deliver_due() == 1
    assert took == [({"v": "a"}, 2.5)]
    assert links.replication.deliver_due() == 0


def test_a_pause_is_of_exactly_the_regions_that_it_names() -> None:
    links = Links()
    assert links.replication.paused == frozenset()
    links.replication.pause(frozenset({"east"}))
    links.replication.pause(frozenset({"south"}))

    assert links.replication.paused == {"south"}
    links.write("east", "a")
    assert links.after(60) == [("west", "a")]


async def delivers(links: Links, wake: Callable[[Replication], None]) -> bool:
    """Whether the delivery at work, which has nothing to do, wakes and tells of what arrived."""
    told = asyncio.Event()
    work = asyncio.create_task(links.replication.run(told.set))
    await asyncio.sleep(0)
    assert not told.is_set()
    wake(links.replication)
    try:
        await asyncio.wait_for(told.wait(), 30)
    except TimeoutError:
        return False
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    return True


def test_a_write_wakes_the_delivery() -> None:
    links = Links(lag=0)
    assert asyncio.run(delivers(links, lambda _: links.write("east", "a")))
    assert links.arrived == [("west", "a")]


def test_the_end_of_a_pause_wakes_the_delivery() -> None:
    links = Links(lag=0)
    links.replication.pause(frozenset({"west"}))
    links.write("east", "a")
    assert asyncio.run(delivers(links, lambda replication: replication.pause(frozenset())))


def test_a_shorter_lag_wakes_the_delivery() -> None:
    links = Links(lag=3600)
    links.write("east", "a")
    assert asyncio.run(delivers(links, lambda replication: replication.set_lag(0)))


def test_the_delivery_sleeps_until_the_first_write_is_due_and_not_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links, waits = Links(lag=2.0), list[float | None]()
    links.write("east", "later")
    links.now += 500_000_000
    links.write("west", "last", key="2")

    async def pass_time(woken: Coroutine[Any, Any, None], seconds: float | None) -> None:
        woken.close()  # the clock is the test's
        waits.append(seconds)
        if seconds is None:
            raise asyncio.CancelledError
        links.now += int(seconds * 1e9)
        raise TimeoutError

    monkeypatch.setattr(asyncio, "wait_for", pass_time)
    told: list[int] = []
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(links.replication.run(lambda: told.append(len(links.arrived))))

    assert waits == [1.5, 0.5, None]
    assert told == [1, 2]


def test_what_ministack_writes_to_a_global_table_is_sent_to_its_other_regions() -> None:
    sent: list[Write] = []
    replication = Replication(0, clock=lambda: 7, store=sent.append)
    item = {"owner": {"S": "o"}}
    replication.record(TableWrite(("0", "east"), "table", ("o", "1"), item, ("west",)))
    replication.deliver_due()

    assert sent == [Write("0", "east", "west", "table", "o", "1", item, 7)]


def test_an_installed_replication_gets_the_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Callable[[TableWrite], None]] = []
    monkeypatch.setattr(dynamodb, "replicate_through", taken.append)
    replication = Replication(0)
    install(replication)

    assert taken == [replication.record]


def test_what_arrives_is_stored_in_the_replica_that_it_was_sent_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored: list[tuple[Scope, str, Keys, Item | None]] = []
    monkeypatch.setattr(dynamodb, "store_in_replica", lambda *write: stored.append(write))
    replication = Replication(0)
    replication.send("0", "east", ["west"], "table", ("o", "1"), {"v": {"S": "a"}})
    replication.deliver_due()

    assert stored == [(("0", "west"), "table", ("o", "1"), {"v": {"S": "a"}})]


def saved_by(store: ItemStore) -> dict[str, Rows]:
    """What a later run finds."""
    store.write()
    return store.read()


def test_what_is_on_its_way_survives_a_restart_with_its_order_and_its_times(
    tmp_path: Path,
) -> None:
    store = ItemStore(tmp_path / "items")
    before, after = Links(lag=1.0, saved=store), Links(lag=1.0)
    before.write("east", "old")
    before.write("west", "new")

    found = saved_by(store)
    after.replication.restore([fields for _, fields in found[WAITING]], dict(found[STAMP]))

    assert after.after(0.5) == []
    assert after.after(0.5) == [("east", "new")]


@pytest.mark.parametrize("found_again", [WAITING, STAMP])
def test_writes_after_a_restart_are_newer_than_all_before_it_whatever_the_clock_says(
    tmp_path: Path, found_again: str
) -> None:
    store = ItemStore(tmp_path / "items")
    before, after = Links(saved=store), Links()
    before.write("east", "old")
    found = saved_by(store)
    waiting = [fields for _, fields in found[WAITING]] if found_again == WAITING else []
    stamps = dict(found[STAMP]) if found_again == STAMP else {}
    after.now -= 3600 * 10**9
    after.replication.restore(waiting, stamps)

    after.write("west", "new")

    assert ("east", "new") in after.after(7200)
    assert ("west", "old") not in after.arrived


def test_a_write_to_two_regions_is_on_its_way_to_both_after_a_restart(tmp_path: Path) -> None:
    store = ItemStore(tmp_path / "items")
    before, after = Links(saved=store), Links()
    before.replication.send("0", "east", ["west", "south"], "table", ("o", "1"), {"v": 1})
    after.replication.restore([fields for _, fields in saved_by(store)[WAITING]], {})

    assert sorted(after.after(60)) == [("south", 1), ("west", 1)]


def test_what_has_been_overtaken_is_dropped_after_a_restart_too(tmp_path: Path) -> None:
    store = ItemStore(tmp_path / "items")
    before, after = Links(saved=store), Links()
    before.replication.pause(frozenset({"east"}))
    before.write("east", "old")
    before.write("west", "new", to="south")
    found = saved_by(store)
    after.replication.restore([fields for _, fields in found[WAITING]], dict(found[STAMP]))

    assert after.after(60) == [("south", "new")]
    assert after.replication.overwritten == 1


def test_what_is_restored_arrives_in_the_order_of_its_writing(tmp_path: Path) -> None:
    store = ItemStore(tmp_path / "items")
    before, after = Links(saved=store), Links()
    for key in "abc":
        before.write("east", key, key=key)
    found = saved_by(store)
    backwards = sorted((f for _, f in found[WAITING]), key=lambda f: -f["written_at"])
    after.replication.restore(backwards, {})

    assert after.after(60) == [("west", "a"), ("west", "b"), ("west", "c")]


def test_what_is_restored_is_saved_again(tmp_path: Path) -> None:
    first, second = ItemStore(tmp_path / "first"), ItemStore(tmp_path / "second")
    before, after = Links(saved=first), Links(saved=second)
    before.write("east", "a")
    found = saved_by(first)
    after.replication.restore([fields for _, fields in found[WAITING]], dict(found[STAMP]))

    assert saved_by(second) == found


def test_a_stamp_is_kept_while_an_older_write_is_still_on_its_way() -> None:
    links = Links()
    links.replication.pause(frozenset({"south"}))
    links.write("south", "old", to="west")
    for number in range(1000):
        links.write("east", "x", key=f"filler {number}")
    links.write("east", "new")
    assert len(links.after(60)) == 1001

    links.replication.pause(frozenset())

    assert links.after(60) == []
    assert links.replication.overwritten == 1


@pytest.mark.parametrize(("others", "kept"), [(257, 260), (258, 0)], ids=["few", "many"])
def test_stamps_that_matter_no_more_are_forgotten_once_they_are_many(
    tmp_path: Path, others: int, kept: int
) -> None:
    store = ItemStore(tmp_path / "items")
    links = Links(saved=store)
    links.replication.pause(frozenset({"south"}))
    for number in range(others):
        links.replication.send("0", "east", [], "table", ("owner", f"{number}"), {"v": 1})
    links.write("east", "arrives, and leaves a stamp in both Regions", key="arrives")
    links.write("south", "waits", to="west", key="waits")

    links.after(60)

    assert len(saved_by(store).get(STAMP, ())) == kept


def test_stamps_do_not_pile_up(tmp_path: Path) -> None:
    store = ItemStore(tmp_path / "items")
    links = Links(lag=1.0, saved=store)
    for number in range(1000):
        links.write("east", "x", key=str(number))
    assert set(saved_by(store)) == {WAITING, STAMP}
    links.after(2)

    assert saved_by(store) == {}
