"""What is kept is there again, whole: however the process ends, and whatever the operation was."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import dynamodb

from local.item_store import ItemStore, SaveError
from local.patches import dynamodb as patches
from local.settings import REPOSITORY
from local.table_items import TableItems
from local.unreadable import UnreadableStateError

# Writes batches of two records that belong together, and says after each that it is written.
WRITER = """
import sys
from pathlib import Path
from local.item_store import ItemStore
store = ItemStore(Path(sys.argv[1]))
for number in range(10**9):
    store.put("left", ("x",), [number, "a" * 50_000])
    store.put("right", ("x",), [number, "b" * 50_000])
    store.write()
    print(number, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "items.sqlite"


def test_values_come_back_by_kind_and_key(file: Path) -> None:
    store = ItemStore(file)
    store.put("a", ("x", "é\0'"), {"S": "\ud800 and ü"})
    store.put("a", ("y", ""), [1, None])
    store.put("b", ("x", "1"), "gone")
    store.remove("b", ("x", "1"))
    store.write()
    store.close()

    assert ItemStore(file).read() == {
        "a": [(("x", "é\0'"), {"S": "\ud800 and ü"}), (("y", ""), [1, None])]
    }


def test_a_kind_is_replaced_whole_and_changed_after(file: Path) -> None:
    store = ItemStore(file)
    store.put("a", ("old",), 1)
    store.put("b", ("other",), 1)
    store.write()
    store.put("a", ("never written",), 1)
    store.replace("a", [(("new",), 2)])
    store.put("a", ("newer",), 3)
    store.write()

    assert store.read() == {"a": [(("new",), 2), (("newer",), 3)], "b": [(("other",), 1)]}


def test_what_can_not_be_written_is_kept_for_the_next_time(file: Path) -> None:
    store = ItemStore(file)
    store.put("a", ("x",), 1)
    store.put("a", ("y",), 1)
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE busy (x)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SaveError, match=r"items\.sqlite: database is locked"):
            store.write()
        store.put("a", ("x",), 2)
        assert store.changed
        other.rollback()
    other.close()
    store.write()

    assert store.read() == {"a": [(("x",), 2), (("y",), 1)]}
    assert not store.changed


def test_a_kill_leaves_what_was_written_and_nothing_by_halves(file: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        written = [int(writer.stdout.readline()) for _ in range(50)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        written = max([written, *map(int, writer.stdout.read().split())])

    found = ItemStore(file).read()
    numbers = {kind: rows[0][1][0] for kind, rows in found.items()}
    assert numbers["left"] == numbers["right"] >= written


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_file_that_is_cut_short_is_not_taken_for_a_whole_one(file: Path, keep: float) -> None:
    store = ItemStore(file)
    for number in range(1000):
        store.put("a", (str(number),), "x" * 500)
    store.write()
    store.close()
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep)])

    with pytest.raises(UnreadableStateError, match=str(file)):
        ItemStore(file).read()


def test_a_damaged_page_is_found_wherever_it_is(file: Path) -> None:
    store = ItemStore(file)
    for number in range(300):
        store.put("a", (str(number), "k" * 200), "x" * 500)
    store.write()
    store.close()
    whole = file.read_bytes()

    for page in range(0, len(whole), 4096):
        file.write_bytes(whole[:page] + bytes(4096) + whole[page + 4096 :])
        damaged = ItemStore(file)
        with pytest.raises(UnreadableStateError):
            damaged.read()
        damaged.close()


def test_a_file_that_somebody_holds_is_not_taken_for_damaged(file: Path) -> None:
    holder = ItemStore(file)
    holder.put("a", ("x",), 1)
    holder.write()

    with pytest.raises(SaveError, match="locked"):
        ItemStore(file).read()


def test_what_belongs_together_is_written_together(file: Path) -> None:
    store = ItemStore(file)
    store.put("left", ("x",), 1)
    store.put("right", ("x",), 1)
    store.write()
    store.close()
    with sqlite3.connect(file) as other:
        refuse = "WHEN NEW.kind = 'right' BEGIN SELECT RAISE(FAIL, 'full'); END"
        other.execute(f"CREATE TRIGGER full BEFORE INSERT ON record {refuse}")
    other.close()

    store.put("left", ("x",), 2)
    store.put("right", ("x",), 2)
    with pytest.raises(SaveError, match="full"):
        store.write()
    store.close()

    assert {kind: rows[0][1] for kind, rows in ItemStore(file).read().items()} == {
        "left": 1,
        "right": 1,
    }


ACCOUNT, REGION, TABLE = "000000000000", "us-east-1", "stored"
NAME = {"TableName": TABLE}
DEFINITION = {
    "AttributeDefinitions": [
        {"AttributeName": "p", "AttributeType": "S"},
        {"AttributeName": "s", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "p", "KeyType": "HASH"},
        {"AttributeName": "s", "KeyType": "RANGE"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def tables(file: Path, monkeypatch: pytest.MonkeyPatch) -> TableItems:
    """This process's own ministack with an empty table, followed from now on."""
    for name in ("_set_item", "_remove_item", "get_state", "load_persisted_state"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    monkeypatch.setattr(dynamodb, "_tables", type(dynamodb._tables)())
    set_request_account_id(ACCOUNT)
    set_request_region(REGION)
    store = ItemStore(file)
    items = TableItems(store, store.read())
    items.install()
    answered(dynamodb._create_table, NAME | DEFINITION)
    return items


def answered(operation: Any, request: dict[str, Any]) -> None:
    status, _, body = operation(request)
    assert status == 200, body


def key(number: int) -> dict[str, Any]:
    return {"p": {"S": str(number % 3)}, "s": {"S": str(number)}}


def operations() -> list[tuple[Any, Any]]:
    """Every way of changing items, each as what makes a request of an item's number."""

    def item(number: int) -> dict[str, Any]:
        return {**key(number), "v": {"N": str(random.random())}}

    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}

    def partiql(text: str) -> Any:
        def request(number: int) -> dict[str, Any]:
            where = f"WHERE p='{number % 3}' AND s='{number}'"
            return {"Statement": f"{text.replace('TABLE', TABLE)} {where}"}

        return request

    return [
        (dynamodb._put_item, lambda n: NAME | {"Item": item(n)}),
        (dynamodb._update_item, lambda n: NAME | {"Key": key(n), **update}),
        (dynamodb._delete_item, lambda n: NAME | {"Key": key(n)}),
        (
            dynamodb._batch_write_item,
            lambda n: {
                "RequestItems": {
                    TABLE: [
                        {"PutRequest": {"Item": item(n)}},
                        {"DeleteRequest": {"Key": key(n + 1)}},
                    ]
                }
            },
        ),
        (
            dynamodb._transact_write_items,
            lambda n: {
                "TransactItems": [
                    {"Put": NAME | {"Item": item(n)}},
                    {"Update": NAME | {"Key": key(n + 1), **update}},
                    {"Delete": NAME | {"Key": key(n + 2)}},
                ]
            },
        ),
        (dynamodb._execute_statement, partiql('DELETE FROM "TABLE"')),
        (dynamodb._execute_statement, partiql("UPDATE \"TABLE\" SET v='y'")),
    ]


def stored(items: TableItems, file: Path) -> dict[str, patches.Buckets]:
    """What a later run would have in its tables."""
    items.follow_tables()
    items._store.write()
    tables: dict[str, patches.Buckets] = {}
    for table, rows in items._store.read().items():
        buckets: patches.Buckets = defaultdict(dict)
        for (partition_key, sort_key), item in rows:
            buckets[partition_key][sort_key] = item
        tables[table] = buckets
    return tables


def held() -> dict[str, patches.Buckets]:
    return {table: items for table, items in patches.items_by_table().items() if items}


def test_every_operation_that_changes_an_item_is_followed(tables: TableItems, file: Path) -> None:
    chance = random.Random(1)
    for _ in range(300):
        operation, request = chance.choice(operations())
        operation(request(chance.randrange(20)))
        if chance.random() < 0.1:
            assert stored(tables, file) == held()

    assert stored(tables, file) == held() != {}


def test_tables_that_are_filled_at_once_are_followed(tables: TableItems, file: Path) -> None:
    put = NAME | {"Item": {**key(1), "v": {"S": "x"}}}
    answered(dynamodb._put_item, put)
    replica = {"ReplicaUpdates": [{"Create": {"RegionName": "us-west-2"}}]}
    answered(dynamodb._update_table, NAME | replica)
    assert stored(tables, file) == held()
    assert len(held()) == 2

    copy = {"SourceTableName": TABLE, "TargetTableName": "restored"}
    answered(dynamodb._restore_table_to_point_in_time, copy)
    assert stored(tables, file) == held()
    assert len(held()) == 3

    answered(dynamodb._delete_table, {"TableName": "restored"})
    assert stored(tables, file) == held()
    assert len(held()) == 2


def test_a_table_that_was_deleted_and_made_again_is_empty(tables: TableItems, file: Path) -> None:
    answered(dynamodb._put_item, NAME | {"Item": key(1)})
    assert len(stored(tables, file)) == 1

    answered(dynamodb._delete_table, NAME)
    answered(dynamodb._create_table, NAME | DEFINITION)
    assert stored(tables, file) == {}

    answered(dynamodb._put_item, NAME | {"Item": key(2)})
    assert stored(tables, file) == held() != {}


def test_a_table_comes_back_with_its_items_its_count_and_its_indexes(
    tables: TableItems, file: Path
) -> None:
    for number in range(10):
        answered(dynamodb._put_item, NAME | {"Item": key(number)})
    before = stored(tables, file)
    state = dynamodb.get_state()
    assert "items" not in state["tables"].get_scoped(ACCOUNT, REGION, TABLE)

    dynamodb._tables.clear() if hasattr(
        dynamodb._tables, "clear"
    ) else dynamodb._tables._data.clear()
    again = ItemStore(file)
    tables._store.close()
    TableItems(again, again.read()).install()
    dynamodb.load_persisted_state(state)

    assert held() == before
    assert dynamodb._tables[TABLE]["ItemCount"] == 10
    answered(dynamodb._put_item, NAME | {"Item": key(11)})
    assert again.changed


def test_a_file_with_items_in_it_as_ministack_writes_it_comes_back_and_is_taken_over(
    tables: TableItems, file: Path
) -> None:
    answered(dynamodb._put_item, NAME | {"Item": key(1)})
    state = dynamodb.get_state()
    saved = state["tables"].get_scoped(ACCOUNT, REGION, TABLE)
    saved["items"] = {"1": {"1": key(1)}}
    dynamodb._tables._data.clear()
    tables._store.close()
    file.unlink(missing_ok=True)
    again = ItemStore(file)
    fresh = TableItems(again, again.read())
    fresh.install()
    dynamodb.load_persisted_state(state)

    assert stored(fresh, file) == held()
    assert len(held()) == 1
