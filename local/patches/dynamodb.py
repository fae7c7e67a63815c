"""Patches of DynamoDB; how it replicates is in `local.replication`."""

from __future__ import annotations

import copy
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id
from ministack.services import dynamodb

from local.patches.scope import Scope, here, within

Response = tuple[int, dict[str, Any], bytes]
Item = dict[str, Any]
Keys = tuple[str, str]  # partition key, sort key
Buckets = dict[str, dict[str, Item]]  # by partition key, then by sort key
MAX_DAYS = 35
# A name or a placeholder of one, at the beginning of a path; functions are followed by a bracket.
_NAME = re.compile(r"(?<![\w:#.\]])([#A-Za-z_]\w*)(?![\w(]|\s*\()")
_WORDS = {"SET", "ADD", "REMOVE", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"}
OPERATIONS = {
    "DeleteItem": "_delete_item",
    "GetItem": "_get_item",
    "PutItem": "_put_item",
    "Query": "_query",
    "Scan": "_scan",
    "UpdateItem": "_update_item",
}
# What ministack uses as a sort key where a table has none.
NO_SORT_KEY = "__no_sort__"
# What of a table isn't saved with it: its items, and what follows from them.
NOT_SAVED = frozenset({"items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS})
# What ministack saves with the tables.
SAVED_WITH_TABLES = (
    "tags",
    "ttl_settings",
    "pitr_settings",
    "kinesis_destinations",
    "contributor_insights",
    "backups",
    "resource_policies",
    "exports",
    "imports",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on one table that was answered; `error` is its code, None for a success."""

    scope: Scope
    table: str
    name: str
    milliseconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class TableWrite:
    """A write to a global table, in the Region of `scope`; `item` is None for a deletion.

    `replicas` are the table's other Regions.
    """

    scope: Scope
    table: str
    keys: Keys
    item: Item | None
    replicas: tuple[str, ...]


def on_operations(listen: Callable[[Operation], None]) -> None:
    """Call `listen` after every operation on a single item, every query and every scan."""
    for name, function in OPERATIONS.items():
        setattr(dynamodb, function, _timed(name, getattr(dynamodb, function), listen))


def _timed(
    name: str, handler: Callable[[dict[str, Any]], Response], listen: Callable[[Operation], None]
) -> Callable[[dict[str, Any]], Response]:
    def handle(data: dict[str, Any]) -> Response:
        start = time.perf_counter()
        answer = handler(data)
        milliseconds = (time.perf_counter() - start) * 1000
        status, headers, _ = answer
        error = None if status == 200 else str(headers.get("x-amzn-errortype"))
        table = table_name(data.get("TableName"))
        listen(Operation(here(), table, name, milliseconds, error))
        return answer

    return handle


def on_capacity(listen: Callable[[Scope, str, float, bool], None]) -> None:
    """Call `listen` with scope, table, units, and whether it was a write, for every operation.

    ministack computes what an operation takes only for those who ask for it.
    """
    add: Callable[..., None] = dynamodb._add_consumed_capacity

    def add_consumed_capacity(
        result: dict[str, Any],
        data: dict[str, Any],
        table: str,
        write: bool = False,
        **items: Any,  # noqa: ANN401 - passed through
    ) -> None:
        taken: dict[str, Any] = {}
        add(taken, {**data, "ReturnConsumedCapacity": "TOTAL"}, table, write=write, **items)
        listen(here(), table, taken["ConsumedCapacity"]["CapacityUnits"], write)
        add(result, data, table, write=write, **items)

    dynamodb._add_consumed_capacity = add_consumed_capacity


def table_name(name_or_arn: str | None) -> str:
    """A table's name, where a request may give its ARN."""
    return str(dynamodb._normalize_table_name(name_or_arn))


def replicate_through(record: Callable[[TableWrite], None]) -> None:
    """Give every write to a global table to `record`, in place of applying it to the replicas.

    ministack applies it to all of them at once.
    """

    def replicate_write(
        table: dict[str, Any], _event: str, old: Item | None, new: Item | None
    ) -> None:
        regions = dynamodb._replica_group(table)
        if not regions:
            return
        scope = here()
        keys = _keys(table, new if new is not None else old or {})
        replicas = tuple(region for region in regions if region != scope[1])
        record(TableWrite(scope, table["TableName"], keys, new, replicas))

    dynamodb._replicate_write = replicate_write


def _keys(table: dict[str, Any], item: Item) -> Keys:
    partition_key = str(dynamodb._extract_key_val(item.get(table["pk_name"])))
    if not table["sk_name"]:
        return partition_key, NO_SORT_KEY
    return partition_key, str(dynamodb._extract_key_val(item.get(table["sk_name"])))


def store_in_replica(scope: Scope, table: str, keys: Keys, item: Item | None) -> None:
    """Put an item's new state into the table's replica, if it still has one in that Region."""
    with within(scope):
        replica = dynamodb._tables.get(table)
        if replica is not None:
            _store(replica, table, keys, item)


def _store(replica: dict[str, Any], table: str, keys: Keys, item: Item | None) -> None:
    previous = replica["items"].get(keys[0], {}).get(keys[1])
    if item is None:
        if previous is None:
            return
        dynamodb._remove_item(replica, *keys)
        event = "REMOVE"
    else:
        dynamodb._set_item(replica, *keys, copy.deepcopy(item))
        event = "MODIFY" if previous else "INSERT"
    dynamodb._emit_stream_event(table, event, previous, copy.deepcopy(item), replicate=False)


def on_item_changes(changed: Callable[[str, Keys, Item | None], None]) -> None:
    """Call `changed` with the table's ARN, the keys and the item, None for one that is removed.

    Of a single item every change passes here, in whatever operation; `items_by_table` shows what is
    put in place of all of a table's items at once.
    """
    set_item, remove_item = dynamodb._set_item, dynamodb._remove_item

    def set_and_tell(
        table: dict[str, Any], partition_key: str, sort_key: str, item: Item
    ) -> Item | None:
        previous: Item | None = set_item(table, partition_key, sort_key, item)
        changed(table["TableArn"], (partition_key, sort_key), item)
        return previous

    def remove_and_tell(table: dict[str, Any], partition_key: str, sort_key: str) -> Item | None:
        previous: Item | None = remove_item(table, partition_key, sort_key)
        changed(table["TableArn"], (partition_key, sort_key), None)
        return previous

    dynamodb._set_item, dynamodb._remove_item = set_and_tell, remove_and_tell


def items_by_table() -> dict[str, Buckets]:
    """Every table's items, by its ARN: the very objects that ministack holds."""
    return {table["TableArn"]: table["items"] for table in dynamodb._tables.all_values()}


def save_without_items(restored: Callable[[str, Buckets], None]) -> None:
    """Save what tables are without their items, which are many and kept elsewhere.

    `restored` is called with the ARN of each table that comes back, and puts its items into what it
    is given. A file that has items in it, as ministack writes it, comes back as it is.
    """
    load = dynamodb.load_persisted_state

    def load_persisted_state(data: dict[str, Any]) -> None:
        bare = {table["TableArn"] for table in data["tables"].all_values() if "items" not in table}
        load(data)
        for table in dynamodb._tables.all_values():
            if table["TableArn"] in bare:
                table["items"] = defaultdict(dict)
                restored(table["TableArn"], table["items"])
            dynamodb._items_replaced(table)

    dynamodb.get_state = _tables_state
    dynamodb.load_persisted_state = load_persisted_state


def _tables_state() -> dict[str, Any]:
    tables = type(dynamodb._tables)()
    for (account, region, name), table in dynamodb._tables.all_items():
        kept = {k: v for k, v in table.items() if k not in NOT_SAVED}
        tables.set_scoped(account, region, name, kept)
    return {"tables": tables, **{each: getattr(dynamodb, f"_{each}") for each in SAVED_WITH_TABLES}}


def replica_key() -> None:
    """A replica forgets its own KMS key: it describes itself with the primary's.

    The key named in `ReplicaUpdates` is the replica's `SSEDescription`, and is in its
    `ReplicaDescription` as the other Regions see it.
    """
    apply_updates = dynamodb._apply_replica_updates
    describe = dynamodb._table_description

    def apply_replica_updates(name: str, table: dict[str, Any], updates: list[Any]) -> object:
        refused: object = apply_updates(name, table, updates)
        if not refused:
            for update in updates:
                _remember_key(name, update)
        return refused

    def table_description(name: str) -> dict[str, Any]:
        description: dict[str, Any] = describe(name)
        for replica in description.get("Replicas", []):
            other = dynamodb._tables.get_scoped(get_account_id(), replica["RegionName"], name, {})
            key = (other.get("SSEDescription") or {}).get("KMSMasterKeyArn", "")
            if ":key/" in key:
                replica["KMSMasterKeyId"] = key
        return description

    dynamodb._apply_replica_updates = apply_replica_updates
    dynamodb._table_description = table_description


def recovery_period() -> None:
    """DescribeContinuousBackups forgets for how many days a table can be recovered.

    AWS answers `RecoveryPeriodInDays`, 35 by default; without it, Terraform reads 0.
    """
    describe, update = dynamodb._describe_continuous_backups, dynamodb._update_continuous_backups

    def update_continuous_backups(data: dict[str, Any]) -> Response:
        answer: Response = update(data)
        name = dynamodb._normalize_table_name(data.get("TableName"))
        requested = data.get("PointInTimeRecoverySpecification", {})
        if answer[0] == 200 and requested.get("PointInTimeRecoveryEnabled"):
            # Any true value is "enabled" to ministack, so the days can stand in its place.
            dynamodb._pitr_settings[name] = requested.get("RecoveryPeriodInDays", MAX_DAYS)
        return _with_days(answer, dynamodb._pitr_settings.get(name))

    def describe_continuous_backups(data: dict[str, Any]) -> Response:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        return _with_days(describe(data), dynamodb._pitr_settings.get(name))

    dynamodb._update_continuous_backups = update_continuous_backups
    dynamodb._describe_continuous_backups = describe_continuous_backups


def _with_days(answer: Response, days: object) -> Response:
    status, headers, body = answer
    if status != 200 or not days:
        return answer
    document = json.loads(body)
    recovery = document["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    recovery["RecoveryPeriodInDays"] = MAX_DAYS if days is True else days
    return status, headers, json.dumps(document).encode()


def throughput_ceilings() -> None:
    """A ceiling of -1 is kept as one, a change of one member forgets the other, an index has none.

    -1 removes a maximum (API Reference, OnDemandThroughput). What a table then says of itself AWS
    doesn't write down. Measured by others: UpdateTable merges members and echoes a -1, and
    DescribeTable leaves out a maximum that was removed, the whole structure with the last of them.
    """
    create, update = dynamodb._create_table, dynamodb._update_table

    def create_table(data: dict[str, Any]) -> Response:
        answer: Response = create(data)
        return _with_ceilings(answer, data.get("TableName"), data)

    def update_table(data: dict[str, Any]) -> Response:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        before = copy.deepcopy((dynamodb._tables.get(name) or {}).get("OnDemandThroughput") or {})
        answer: Response = update(data)
        if answer[0] == 200 and "OnDemandThroughput" in data:
            dynamodb._tables[name]["OnDemandThroughput"] = before
        return _with_ceilings(answer, name, data)

    dynamodb._create_table = create_table
    dynamodb._update_table = update_table


def _with_ceilings(answer: Response, name: str | None, data: dict[str, Any]) -> Response:
    """Keep the ceilings that a request sets, and answer with what is left of them."""
    if answer[0] != 200:
        return answer
    table = dynamodb._tables[name]
    _set_ceiling(table, data.get("OnDemandThroughput"))
    updates = [each.get("Update") or {} for each in data.get("GlobalSecondaryIndexUpdates", [])]
    for index in table.get("GlobalSecondaryIndexes", []):
        _set_ceiling(index, index.get("OnDemandThroughput"))
        for change in updates:
            if change.get("IndexName") == index["IndexName"]:
                _set_ceiling(index, change.get("OnDemandThroughput"))
    description = dynamodb._table_description(name)
    changed: Response = dynamodb.json_response({"TableDescription": description})
    return changed


def _set_ceiling(described: dict[str, Any], requested: dict[str, int] | None) -> None:
    merged = {**(described.get("OnDemandThroughput") or {}), **(requested or {})}
    kept = {name: int(units) for name, units in merged.items() if int(units) != -1}
    described.pop("OnDemandThroughput", None)
    if kept:
        described["OnDemandThroughput"] = kept


def _remember_key(name: str, update: dict[str, Any]) -> None:
    requested = update.get("Create") or update.get("Update") or {}
    key = requested.get("KMSMasterKeyId")
    region = requested.get("RegionName", "")
    replica = dynamodb._tables.get_scoped(get_account_id(), region, name)
    if key and replica is not None:
        replica["SSEDescription"] = {
            "Status": "ENABLED",
            "SSEType": "KMS",
            "KMSMasterKeyArn": key,
        }


def condition_keys() -> None:
    """`dynamodb:Attributes` misses what a request writes, `dynamodb:LeadingKeys` is never there.

    The first lists the top-level attributes that a request names: keys, items and expressions too,
    not a projection alone. The second lists its partition keys; here it is known for requests that
    name items by their keys, not for queries, whose policies nothing here limits
    (amazondynamodb/latest/developerguide/specifying-conditions.html).
    """
    context_of = iam_actions.dynamodb_service_context

    def dynamodb_service_context(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        request = _document(body)
        named = {
            "dynamodb:Attributes": {*context.get("dynamodb:Attributes", []), *_written(request)},
            "dynamodb:LeadingKeys": set(_leading_keys(request)),
        }
        return context | {key: sorted(values) for key, values in named.items() if values}

    iam_actions.dynamodb_service_context = dynamodb_service_context


def _document(body: bytes) -> dict[str, Any]:
    """A request's members; none where it is no JSON object, which is refused elsewhere."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _written(request: dict[str, Any]) -> Iterator[str]:
    names = request.get("ExpressionAttributeNames") or {}
    for member in ("UpdateExpression", "ConditionExpression"):
        for name in _NAME.findall(str(request.get(member) or "")):
            if name.upper() not in _WORDS:
                yield names.get(name, name)
    batches = (request.get("RequestItems") or {}).values()
    writes = [write for batch in batches if isinstance(batch, list) for write in batch]
    for part in (request, *(detail for write in writes for detail in write.values())):
        yield from part.get("Item") or {}
        yield from part.get("Key") or {}


def _leading_keys(request: dict[str, Any]) -> Iterator[str]:
    for name, item in _named_items(request):
        table = dynamodb._tables.get(table_name(name)) or {}
        key = item.get(table.get("pk_name")) if isinstance(item, dict) else None
        if key is not None:
            yield str(dynamodb._extract_key_val(key))


def _named_items(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every item and key in a request of one item or a batch, with its table's name."""
    for part in ("Item", "Key"):
        yield str(request.get("TableName")), request.get(part)
    for name, batch in (request.get("RequestItems") or {}).items():
        writes = batch if isinstance(batch, list) else []
        for detail in (detail for write in writes for detail in write.values()):
            yield name, detail.get("Item") or detail.get("Key")
        for key in batch.get("Keys", ()) if isinstance(batch, dict) else ():
            yield name, key


def expressions_checked_once() -> None:
    """An expression's grammar is checked again for each item that it is held against.

    A query of a page of items spends most of its time so. What it finds in a text is always the
    same.
    """
    dynamodb._condition_syntax_error = lru_cache(maxsize=1024)(dynamodb._condition_syntax_error)


PATCHES = (
    condition_keys,
    replica_key,
    recovery_period,
    throughput_ceilings,
    expressions_checked_once,
)
