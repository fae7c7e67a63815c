"""One record of each request that a stage answers, from what the steps of the request leave."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import apigateway_v1 as gateway

from local import doors, web_acl
from local.observability.records import Authorization, GatewayRecord, Integration, Scope
from local.observability.traces import header
from local.patches import observed_functions
from local.settings import LOOPBACK

Response = tuple[int, dict[str, Any], bytes]
Listener = Callable[[GatewayRecord], None]


@dataclass(slots=True)
class _Notes:
    """What the steps of a request leave, until it is answered."""

    response_type: str | None = None
    integration: Integration | None = None
    authorization: Authorization | None = None
    waf_status: int | None = None
    trace_root: str | None = None


_notes: contextvars.ContextVar[_Notes | None] = contextvars.ContextVar("notes", default=None)


def install(listeners: list[Listener]) -> None:
    """Hand a record of every request that a stage answers to each of the listeners.

    Goes around everything else that is done to a request (web ACL, traces).
    """
    _record_requests(listeners)
    _note_outcomes()
    _note_authorizers()
    _note_integrations()
    web_acl.listeners.append(_note_web_acl)


def _record_requests(listeners: list[Listener]) -> None:
    execute: Callable[..., Awaitable[Response]] = gateway.handle_execute

    async def handle_execute(  # noqa: PLR0913, PLR0917 - stands in for ministack's own
        api_id: str, stage_name: str, method: str, path: str, headers: dict[str, str],
        body: bytes, query: dict[str, Any],
    ) -> Response:  # fmt: skip
        notes, start = _Notes(), time.time()
        token = _notes.set(notes)
        try:
            answer = await execute(api_id, stage_name, method, path, headers, body, query)
        finally:
            _notes.reset(token)
        stage = _stage(api_id, stage_name)
        if stage:
            record = _record(stage, notes, method, path, headers, answer, start)
            for listener in listeners:
                listener(record)
        return answer

    gateway.handle_execute = handle_execute


@dataclass(frozen=True, slots=True)
class _Stage:
    scope: Scope
    api_id: str
    api_name: str
    name: str


def _stage(api_id: str, name: str) -> _Stage | None:
    scope = gateway.find_api_scope(api_id)
    if scope is None:
        return None
    with request_scope(*scope):
        if name not in gateway._stages_v1.get(api_id, {}):
            return None
        return _Stage(scope, api_id, gateway._rest_apis[api_id]["name"], name)


def _record(  # noqa: PLR0913, PLR0917 - what a record is made of
    stage: _Stage,
    notes: _Notes,
    method: str,
    path: str,
    headers: dict[str, str],
    answer: Response,
    start: float,
) -> GatewayRecord:
    status, answered, body = answer
    request = doors.current.get()
    request_id = request.request_id if request else _request_id(answered)
    default_domain = f"{stage.api_id}.execute-api.{stage.scope[1]}.amazonaws.com"
    return GatewayRecord(
        scope=stage.scope,
        api_id=stage.api_id,
        api_name=stage.api_name,
        stage=stage.name,
        domain_name=request.name if request else default_domain,
        protocol=request.protocol if request else "HTTP/1.1",
        method=method,
        resource=_resource(stage, method, path),
        status=status,
        response_type=notes.response_type,
        response_length=len(body),
        start=request.received if request else start,
        end=time.time(),
        integration=notes.integration,
        authorization=notes.authorization,
        waf_status=notes.waf_status,
        request_id=request_id,
        extended_id=request.extended_id if request else doors.new_extended_id(),
        trace_root=notes.trace_root,
        edge_request_id=headers.get("x-amz-cf-id"),
        source_ip=request.client if request else LOOPBACK,
    )


def _request_id(answered: dict[str, Any]) -> str:
    return str(answered.get("x-amzn-requestid") or gateway.new_uuid())


def _resource(stage: _Stage, method: str, path: str) -> str | None:
    """The template of the resource that has the method, as ministack finds it."""
    segments = [segment for segment in path.split("/") if segment]
    with request_scope(*stage.scope):
        found, _ = gateway._match_resource_tree(stage.api_id, segments)
        if not _serves(found, method):
            found, _ = gateway._match_greedy_fallback(stage.api_id, segments, method)
    return found["path"] if _serves(found, method) else None


def _serves(resource: dict[str, Any] | None, method: str) -> bool:
    return not {method, "ANY"}.isdisjoint((resource or {}).get("resourceMethods", {}))


# -- what the steps leave --------------------------------------------------------------


def _note_outcomes() -> None:
    execute: Callable[..., Awaitable[Any]] = gateway._execute_in_scope

    async def execute_in_scope(request: dict[str, Any], *args: Any) -> Any:  # noqa: ANN401
        answer = await execute(request, *args)
        notes = _notes.get()
        if notes:
            notes.trace_root = header.read(request["headers"].get(header.NAME)).root
            if isinstance(answer, gateway._GatewayError):
                notes.response_type = answer.response_type
        return answer

    gateway._execute_in_scope = execute_in_scope


def _note_authorizers() -> None:
    authorize: Callable[..., Awaitable[tuple[Any, Any]]] = gateway._authorize_request_v1

    async def authorize_request(
        api_id: str,
        stage_name: str,
        method: dict[str, Any],
        *args: Any,  # noqa: ANN401
    ) -> tuple[Any, Any]:
        start = time.time()
        refused, context = await authorize(api_id, stage_name, method, *args)
        notes = _notes.get()
        if notes and method.get("authorizerId"):
            claims = (context or {}).get("claims") or {}
            notes.authorization = Authorization(
                start=start,
                end=time.time(),
                status=_status_of(refused) if refused else 200,
                error=refused.message if refused else None,
                sub=claims.get("sub"),
            )
        return refused, context

    gateway._authorize_request_v1 = authorize_request


def _status_of(refused: Any) -> int:  # noqa: ANN401 - ministack's _GatewayError
    default: dict[str, Any] = gateway._default_gateway_response(refused.response_type)
    return int(default.get("statusCode") or 403)


def _note_integrations() -> None:
    call: Callable[..., Awaitable[tuple[Any, str | None]]] = gateway._call_lambda_raw

    async def call_lambda_raw(
        function_ref: str,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> tuple[Any, str | None]:
        notes = _notes.get()
        if notes is None:
            return await call(function_ref, *args, **kwargs)
        made, start = observed_functions.Call(function_ref), time.time()
        token = observed_functions.called.set(made)
        try:
            result, missing = await call(function_ref, *args, **kwargs)
        finally:
            observed_functions.called.reset(token)
        notes.integration = _integration(made, start, result or {}, missing=bool(missing))
        return result, missing

    gateway._call_lambda_raw = call_lambda_raw


def _integration(
    call: observed_functions.Call, start: float, result: dict[str, Any], *, missing: bool
) -> Integration:
    status = 404 if missing else 429 if result.get("throttle") else 200
    error = None
    if status != 200:
        error = f"Lambda invocation failed with status: {status}."
    elif result.get("error"):
        error = (
            f"Lambda execution failed with status 200 due to customer function error. "
            f"Lambda request id: {call.request_id}"
        )
    answered = result.get("body")
    return Integration(
        start=start,
        end=time.time(),
        status=status,
        function_status=answered.get("statusCode") if isinstance(answered, dict) else None,
        request_id=call.request_id,
        error=error,
    )


def _note_web_acl(decision: web_acl.Decision) -> None:
    notes = _notes.get()
    if notes is None:
        return
    notes.waf_status = 200 if decision.verdict.allowed else 403
    if not decision.verdict.allowed and decision.verdict.status is None:
        notes.response_type = "WAF_FILTERED"
