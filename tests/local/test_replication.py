"""Replication: late, in order, the last writer wins; nothing lost while a Region is cut off."""

from pathlib import Path

from local.item_store import ItemStore, Rows
from local.replication import STAMP, WAITING, Replication, Write
from tests.support.emulator import Stack, eventually


def test_a_write_arrives_in_the_other_region_after_the_lag(stack: Stack) -> None:
    with stack.emulator.lag(3600):
        stack.put("us-east-1", "lag", "1", "a")
        assert stack.items("us-east-1", "lag") == {"1": "a"}
        assert stack.items("us-west-2", "lag") == {}
        assert stack.emulator.status()["replication"]["pending"] == 1


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

    def write(self, source: str, value: object, key: str = "1") -> None:
        target = {"east": "west", "west": "east"}[source]
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


def test_stamps_do_not_pile_up(tmp_path: Path) -> None:
    store = ItemStore(tmp_path / "items")
    links = Links(lag=1.0, saved=store)
    for number in range(1000):
        links.write("east", "x", key=str(number))
    assert set(saved_by(store)) == {WAITING, STAMP}
    links.after(2)

    assert saved_by(store) == {}
