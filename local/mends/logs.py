"""Mends of CloudWatch Logs."""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id
from ministack.services import cloudwatch_logs as logs

from local.observability.logs import insights_evaluation as evaluation
from local.observability.logs import insights_language as language

_log = logging.getLogger(__name__)

Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]

# What is saved all the time; log events are not: `local.observability.logs.retention`.
SAVED = (
    *("destinations", "resource_policies", "log_group_policies", "metric_filters", "queries"),
    *("delivery_sources", "delivery_destinations", "deliveries"),
)
WALKS = 10
DEFINITION_FIELDS = ("name", "queryString", "logGroupNames")
_definitions: Any = AccountRegionScopedDict()


def saved_without_copies() -> None:
    """To be saved, every log event is first copied, on the event loop, and that ever again."""

    def get_state() -> dict[str, Any]:
        groups = type(logs._log_groups)()
        for (account, region, name), group in logs._log_groups.all_items():
            groups.set_scoped(account, region, name, {**group, "streams": {}})
        return {"log_groups": groups, **{name: getattr(logs, f"_{name}") for name in SAVED}}

    logs.get_state = get_state


def query_definitions() -> None:
    """PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition are missing."""
    original: Handler = logs.handle_request
    state_before: Callable[[], dict[str, Any]] = logs.get_state
    restore = logs.load_persisted_state
    actions = {
        "PutQueryDefinition": _put,
        "DescribeQueryDefinitions": _describe,
        "DeleteQueryDefinition": _delete,
    }

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action in actions:
            return actions[action](json.loads(body or b"{}"))
        return await original(method, path, headers, body, query)

    def get_state() -> dict[str, Any]:
        state = state_before()
        state["query_definitions"] = _definitions
        return state

    def load_persisted_state(data: dict[str, Any]) -> None:
        restore(data)
        _definitions.update(data.get("query_definitions") or {})

    logs.handle_request = handle_request
    logs.get_state = get_state
    logs.load_persisted_state = load_persisted_state


def whole_queries() -> None:
    """StartQuery passes over nearly every filter, and knows no `stats` nor a line's own fields."""
    original: Callable[[dict[str, Any]], Response] = logs._start_query

    def start_query(data: dict[str, Any]) -> Response:
        try:
            commands = language.parse(data.get("queryString", ""))
        except language.MalformedQueryError as error:
            return _refused("MalformedQueryException", str(error))
        # Without a time there is nothing to scan: ministack only takes the query down.
        started = original({**data, "startTime": 0, "endTime": 0})
        if started[0] == 200:
            query = logs._queries[json.loads(started[2])["queryId"]]
            query["status"] = "Running"
            # On a thread, with the caller's account and Region: a day's logs take seconds.
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(_run_query, query, commands, data)).start()
        return started

    logs._start_query = start_query


def _run_query(
    query: dict[str, Any], commands: Sequence[language.Command], data: dict[str, Any]
) -> None:
    """Put the rows that a query asks for into ministack's record of it."""
    start, end = data.get("startTime", 0), data.get("endTime", int(time.time()))
    query.update(startTime=start, endTime=end)
    try:
        groups = logs._resolve_query_log_groups(data)
        records = _records(groups, start, end)
        found = evaluation.answer(commands, map(_event, records))
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


MENDS = (saved_without_copies, query_definitions, whole_queries)
