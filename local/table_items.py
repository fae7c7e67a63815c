"""Keeps the items of every table in the item store, change by change."""

from __future__ import annotations

from collections.abc import Mapping

from local.item_store import ItemStore, Key, Rows
from local.patches import dynamodb
from local.patches.dynamodb import Buckets, Item

# An item's kind in the store is its table's ARN.
_TABLE = "arn:"


class TableItems:
    """The tables' items, in the store and back; `kept` is what it had. Install it once."""

    def __init__(self, store: ItemStore, kept: Mapping[str, Rows]) -> None:
        self._store = store
        self._read = {kind: rows for kind, rows in kept.items() if kind.startswith(_TABLE)}
        # What each table's items are known to be held in, by its ARN.
        self._known: dict[str, Buckets | None] = dict.fromkeys(self._read)

    def install(self) -> None:
        """Follow every change from now on, and give restored tables their items."""
        dynamodb.on_item_changes(self._changed)
        dynamodb.save_without_items(self._restored)

    def follow_tables(self) -> None:
        """Take up tables that were made, deleted, or filled at once, such as a new replica."""
        tables = dynamodb.items_by_table()
        for arn, buckets in tables.items():
            if self._known.get(arn) is not buckets:
                self._store.replace(arn, _rows(buckets))
        for arn in self._known.keys() - tables.keys():
            self._store.replace(arn, ())
        self._known = {**tables}

    def _changed(self, table: str, keys: Key, item: Item | None) -> None:
        if item is None:
            self._store.remove(table, keys)
        else:
            self._store.put(table, keys, item)

    def _restored(self, table: str, buckets: Buckets) -> None:
        """Fill a table that has come back."""
        for (partition_key, sort_key), item in self._read.pop(table, ()):
            buckets[partition_key][sort_key] = item
        self._known[table] = buckets


def _rows(buckets: Buckets) -> Rows:
    # Copies: ministack's own thread, which removes what has expired, may be at it.
    return [
        ((partition_key, sort_key), item)
        for partition_key, bucket in list(buckets.items())
        for sort_key, item in list(bucket.items())
    ]
