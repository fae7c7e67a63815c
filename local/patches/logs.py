"""Patches of CloudWatch Logs, and what it holds."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ministack.core.responses import AccountRegionScopedDict, get_account_id
from ministack.services import cloudwatch_logs as logs
from ministack.services import kms

from local.key_policies import allows
from local.patches.scope import Scope, here, within

_log = logging.getLogger(__name__)

Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]
Row = Mapping[str, str]
Event = Mapping[str, Any]
StreamKey = tuple[str, str, str, str]  # account, Region, group, stream

# What is saved all the time; log events are not: `local.observability.logs.retention`.
SAVED = (
    *("destinations", "resource_policies", "log_group_policies", "metric_filters", "queries"),
    *("delivery_sources", "delivery_destinations", "deliveries"),
)
WALKS = 10
# What CloudWatch Logs does with a log group's key (AmazonCloudWatch/latest/logs/
# encrypt-log-data-kms); its page lists some by a wildcard.
KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
DEFINITION_FIELDS = ("name", "queryString", "logGroupNames")
_definitions: Any = AccountRegionScopedDict()


class MalformedQueryError(Exception):
    """A query that can't be read; the message says where."""


class QueryAnswer(Protocol):
    """The rows that answer a query, and how many events its filters let through."""

    @property
    def rows(self) -> Sequence[Row]:
        """Each row's fields, in order."""

    @property
    def matched(self) -> int:
        """How many."""


Query = Callable[[Iterable[Row]], QueryAnswer]


def write_event(scope: Scope, group: str, stream: str, message: str, at: float) -> None:
    """Add one event of this moment (seconds since the epoch) to a group; to none if it is gone."""
    with within(scope):
        found: dict[str, Any] | None = logs._log_groups.get(group)
        if found is None:
            return
        event = {
            "timestamp": int(at * 1000),
            "message": message,
            "ingestionTime": int(time.time() * 1000),
        }
        logs._append_log_events(_stream(found, stream), [event])
        logs._fanout_to_subscription_filters(group, stream, [event])


def is_there(scope: Scope, group: str) -> bool:
    """Whether there is a log group of this name."""
    with within(scope):
        return group in logs._log_groups


def _stream(group: dict[str, Any], name: str) -> dict[str, Any]:
    stream: dict[str, Any] = group["streams"].setdefault(
        name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": int(time.time() * 1000),
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    return stream


def on_events(listen: Callable[[str, Sequence[Event]], None]) -> None:
    """Call `listen` with a group and the events that it gets, in their account and Region.

    Every event passes ministack's subscription filters, whoever wrote it.
    """
    fan_out: Callable[[str, str, Sequence[Event]], None] = logs._fanout_to_subscription_filters

    def fan_out_and_tell(group: str, stream: str, events: Sequence[Event]) -> None:
        listen(group, events)
        fan_out(group, stream, events)

    logs._fanout_to_subscription_filters = fan_out_and_tell


def all_streams() -> Iterator[tuple[StreamKey, dict[str, Any]]]:
    """Every log stream of every account and Region."""
    for (account, region, group), document in logs._log_groups.all_items():
        for name, stream in list(document["streams"].items()):
            yield (account, region, group, name), stream


def put_stream(key: StreamKey, stream: dict[str, Any]) -> None:
    """Put a stream where it was; nowhere if its group is gone."""
    account, region, group, name = key
    found = logs._log_groups.get_scoped(account, region, group)
    if found is not None:
        found["streams"][name] = stream


def drop_oldest_streams(most: int) -> None:
    """Drop the oldest streams of each group that has more events than `most`."""
    for group in list(logs._log_groups._data.values()):
        streams: dict[str, Any] = group["streams"]
        total = sum(len(stream["events"]) for stream in list(streams.values()))
        # In the order in which they were made; the last is being written.
        for name in list(streams)[:-1]:
            if total <= most:
                break
            total -= len(streams.pop(name)["events"])


def access_log_deliveries(scope: Scope, arn: str) -> list[tuple[str, list[str]]]:
    """The log groups that a resource's access log goes to, and the fields of its format."""
    with within(scope):
        return list(_deliveries(arn))


def _deliveries(arn: str) -> Iterator[tuple[str, list[str]]]:
    sources = {
        source["name"]
        for source in logs._delivery_sources.values()
        if source["logType"] == "ACCESS_LOGS" and arn in source["resourceArns"]
    }
    destinations = {each["arn"]: each for each in logs._delivery_destinations.values()}
    for delivery in logs._deliveries.values():
        if delivery["deliverySourceName"] in sources:
            to = destinations[delivery["deliveryDestinationArn"]]
            target = to["deliveryDestinationConfiguration"]["destinationResourceArn"]
            group = target.partition(":log-group:")[2].removesuffix(":*")
            if group:
                yield group, delivery["recordFields"]


def saved_without_copies() -> None:
    """To be saved, every log event is first copied, on the event loop, and that ever again."""

    def get_state() -> dict[str, Any]:
        groups = type(logs._log_groups)()
        for (account, region, name), group in logs._log_groups.all_items():
            groups.set_scoped(account, region, name, {**group, "streams": {}})
        return {"log_groups": groups, **{name: getattr(logs, f"_{name}") for name in SAVED}}

    logs.get_state = get_state


def _serve(actions: Mapping[str, Callable[[dict[str, Any]], Response]]) -> None:
    """Answer operations that ministack doesn't know."""
    original: Handler = logs.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in actions:
            return actions[action](json.loads(body or b"{}"))
        return await original(method, path, headers, body, query)

    logs.handle_request = handle_request


def encrypted_log_groups() -> None:
    """A log group takes any key, and never another; AWS asks whether the key is for it.

    "If you attempt to associate a KMS key with the log group but the KMS key does not exist or the
    KMS key is disabled, you receive an InvalidParameterException error" (API_AssociateKmsKey). That
    its policy doesn't let Logs use it is an AccessDeniedException, as many have met it.
    """
    create: Callable[[dict[str, Any]], Response] = logs._create_log_group

    def create_log_group(data: dict[str, Any]) -> Response:
        key = data.get("kmsKeyId")
        return (_unfit(key, data["logGroupName"]) if key else None) or create(data)

    logs._create_log_group = create_log_group
    _serve({"AssociateKmsKey": _associate_key, "DisassociateKmsKey": _disassociate_key})


def _associate_key(data: dict[str, Any]) -> Response:
    name = data["logGroupName"]
    if name not in logs._log_groups:
        return _no_group(name)
    refused = _unfit(data["kmsKeyId"], name)
    if refused is None:
        logs._log_groups[name]["kmsKeyId"] = data["kmsKeyId"]
    return refused or _answer({})


def _disassociate_key(data: dict[str, Any]) -> Response:
    name = data["logGroupName"]
    if name not in logs._log_groups:
        return _no_group(name)
    logs._log_groups[name]["kmsKeyId"] = None
    return _answer({})


def _no_group(name: str) -> Response:
    return _refused("ResourceNotFoundException", f"The specified log group does not exist: {name}")


def _unfit(key_arn: str, group: str) -> Response | None:
    """The answer to a key that can't encrypt a log group, if it can't."""
    key: dict[str, Any] | None = kms._resolve_key(key_arn)
    arn = str(logs._make_group_arn(group)).removesuffix(":*")
    if key is None or key["KeyState"] != "Enabled" or key["KeySpec"] != "SYMMETRIC_DEFAULT":
        return _refused("InvalidParameterException", f"No key for {arn}: {key_arn}")
    service = f"logs.{here()[1]}.amazonaws.com"
    context = {"kms:EncryptionContext:aws:logs:arn": arn}
    policy = json.loads(key["Policy"])
    if all(allows(policy, service, action, context) for action in KEY_ACTIONS):
        return None
    message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
    return _refused("AccessDeniedException", message)


def query_definitions() -> None:
    """PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition are missing."""
    state_before: Callable[[], dict[str, Any]] = logs.get_state
    restore = logs.load_persisted_state
    _serve(
        {
            "PutQueryDefinition": _put,
            "DescribeQueryDefinitions": _describe,
            "DeleteQueryDefinition": _delete,
        }
    )

    def get_state() -> dict[str, Any]:
        state = state_before()
        state["query_definitions"] = _definitions
        return state

    def load_persisted_state(data: dict[str, Any]) -> None:
        restore(data)
        _definitions.update(data.get("query_definitions") or {})

    logs.get_state = get_state
    logs.load_persisted_state = load_persisted_state


def serve_queries(parse: Callable[[str], Query]) -> None:
    """StartQuery passes over nearly every filter, and knows no `stats` nor a line's own fields.

    `parse` raises MalformedQueryError.
    """
    original: Callable[[dict[str, Any]], Response] = logs._start_query

    def start_query(data: dict[str, Any]) -> Response:
        try:
            answer = parse(data.get("queryString", ""))
        except MalformedQueryError as error:
            return _refused("MalformedQueryException", str(error))
        # Without a time there is nothing to scan: ministack only takes the query down.
        started = original({**data, "startTime": 0, "endTime": 0})
        if started[0] == 200:
            query = logs._queries[json.loads(started[2])["queryId"]]
            query["status"] = "Running"
            # On a thread, with the caller's account and Region: a day's logs take seconds.
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(_run_query, query, answer, data)).start()
        return started

    logs._start_query = start_query


def _run_query(query: dict[str, Any], answer: Query, data: dict[str, Any]) -> None:
    """Put the rows that a query asks for into ministack's record of it."""
    start, end = data.get("startTime", 0), data.get("endTime", int(time.time()))
    query.update(startTime=start, endTime=end)
    try:
        groups = logs._resolve_query_log_groups(data)
        records = _records(groups, start, end)
        found = answer(map(_event, records))
    except Exception:
        _log.exception("a query of the logs failed")
        query["status"] = "Failed"
        return
    most = data.get("limit") or len(found.rows)
    query["results"] = [
        [{"field": name, "value": value} for name, value in row.items()]
        for row in found.rows[:most]
    ]
    query["statistics"] = {
        "recordsMatched": float(found.matched),
        "recordsScanned": float(len(records)),
        "bytesScanned": float(sum(len(record["@message"]) for record in records)),
    }
    query["status"] = "Complete"


def _records(groups: Sequence[str], start: int, end: int) -> list[dict[str, Any]]:
    # ministack walks a group's streams as they are: one that comes or goes meanwhile ends the walk.
    for _ in range(WALKS - 1):
        with contextlib.suppress(RuntimeError):
            return list(logs._collect_query_records(groups, start, end))
    return list(logs._collect_query_records(groups, start, end))


def _event(record: dict[str, Any]) -> dict[str, str]:
    # @log is "<account>:<group>" (CWL_AnalyzeLogData-discoverable-fields).
    public: dict[str, str] = logs._public_log_record(record)
    return {**public, "@log": f"{get_account_id()}:{record['@log']}"}


def _put(data: dict[str, Any]) -> Response:
    definition_id = data.get("queryDefinitionId") or str(uuid.uuid4())
    if data.get("queryDefinitionId") and definition_id not in _definitions:
        return _refused("ResourceNotFoundException", "The query definition does not exist.")
    kept: dict[str, Any] = {name: data[name] for name in DEFINITION_FIELDS if name in data}
    _definitions[definition_id] = {"queryDefinitionId": definition_id, **kept}
    return _answer({"queryDefinitionId": definition_id})


def _describe(data: dict[str, Any]) -> Response:
    prefix = data.get("queryDefinitionNamePrefix", "")
    found = [entry for entry in _definitions.values() if entry["name"].startswith(prefix)]
    return _answer({"queryDefinitions": found})


def _delete(data: dict[str, Any]) -> Response:
    gone = _definitions.pop(data.get("queryDefinitionId", ""), None)
    if gone is None:
        return _refused("ResourceNotFoundException", "The query definition does not exist.")
    return _answer({"success": True})


def _answer(body: dict[str, Any]) -> Response:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


def _refused(code: str, message: str) -> Response:
    response: Response = logs.error_response_json(code, message, 400)
    return response


PATCHES = (saved_without_copies, query_definitions, encrypted_log_groups)
