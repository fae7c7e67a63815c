"""Where API Gateway and Lambda decide what is traced, and send it.

The gateway's stage takes up the tracing header, or begins a trace. When it traces, it obeys an
upstream decision or decides by the Region's sampling rules, and hands the decision on to the
function. A function with active tracing decides for itself when nobody before it did: one request
a second, and five percent of those beyond, which can't be configured (docs.aws.amazon.com/lambda/
latest/dg/services-xray.html). Otherwise it is traced only when its caller decided so.

ministack itself gives every function with active tracing a trace of its own, always sampled.
"""

from __future__ import annotations

import contextvars
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core import lambda_runtime as runtime
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import apigateway_v1 as gateway
from ministack.services import lambda_svc

from local import doors
from local.observability.traces import api, header, segments
from local.observability.traces.daemon import Daemon, Role
from local.observability.traces.header import TraceHeader, new_segment_id
from local.observability.traces.sampling import Candidate, Sampler, matching
from local.observability.traces.segments import Call, Exchange, Invocation, Span, Stage
from local.settings import LOOPBACK

Response = tuple[int, dict[str, Any], bytes]
Headers = dict[str, str]
Result = dict[str, Any]

LAMBDA_RESERVOIR, LAMBDA_RATE = 1, 0.05


@dataclass(slots=True)
class RequestTrace:
    """A request's way through a stage: what the stage sends on, and the calls that it makes."""

    header: TraceHeader
    rule: str | None = None
    calls: list[Call] = field(default_factory=list)


_request_trace: contextvars.ContextVar[RequestTrace | None] = contextvars.ContextVar(
    "request_trace", default=None
)
_upstream_header: contextvars.ContextVar[TraceHeader | None] = contextvars.ContextVar(
    "upstream_header", default=None
)
_invocation: contextvars.ContextVar[Invocation | None] = contextvars.ContextVar(
    "invocation", default=None
)
_sampler = Sampler(random.random)
_daemons: dict[Role, Daemon] = {}


def install() -> None:
    """Trace what ministack serves."""
    _trace_stages()
    _trace_calls_of_functions()
    _trace_invocations()
    _give_daemons()


# -- API Gateway -----------------------------------------------------------------------


def _trace_stages() -> None:
    execute: Callable[..., Awaitable[Response]] = gateway.handle_execute

    async def handle_execute(  # noqa: PLR0913, PLR0917 - stands in for ministack's own
        api_id: str, stage_name: str, method: str, path: str, headers: Headers,
        body: bytes, query: dict[str, Any],
    ) -> Response:  # fmt: skip
        stage = _traced_stage(api_id, stage_name)
        trace = _entered(stage, method, path, headers)
        sent_on = {**headers, header.NAME: str(trace.header)}
        token, span_start = _request_trace.set(trace), time.time()
        try:
            answer = await execute(api_id, stage_name, method, path, sent_on, body, query)
        finally:
            _request_trace.reset(token)
        span = Span(span_start, time.time())
        if stage and trace.header.sampled:
            exchange = _exchange(stage, trace, method, path, headers, answer)
            document = segments.of_stage(stage, exchange, trace.header, span, trace.calls)
            api.traces.put((stage.account, stage.region), document)
        return _with_trace_header(answer, trace)

    gateway.handle_execute = handle_execute


def _traced_stage(api_id: str, stage_name: str) -> Stage | None:
    """The stage, where it is one that traces."""
    scope = gateway.find_api_scope(api_id)
    if scope is None:
        return None
    with request_scope(*scope):
        stage = gateway._stages_v1.get(api_id, {}).get(stage_name) or {}
        name = gateway._rest_apis.get(api_id, {}).get("name", "")
    # A patch leaves it as text.
    traces = str(stage.get("tracingEnabled")).lower() == "true"
    account, region = scope
    return Stage(account, region, api_id, name, stage_name) if traces else None


def _entered(stage: Stage | None, method: str, path: str, headers: Headers) -> RequestTrace:
    taken_up = header.read(headers.get(header.NAME))
    if stage is None:
        return RequestTrace(taken_up)
    rule = None
    if taken_up.sampled is None:
        with request_scope(stage.account, stage.region):
            rule = matching(api.rules_here(), _candidate(stage, method, path, headers))
        picked = rule is not None and _sampler.picks(
            f"{stage.account} {stage.region} {rule.name}", rule.reservoir, rule.rate, time.time()
        )
        taken_up = replace(taken_up, sampled=picked)
    return RequestTrace(taken_up.below(new_segment_id()), rule.name if rule else None)


def _candidate(stage: Stage, method: str, path: str, headers: Headers) -> Candidate:
    request = doors.current.get()
    return Candidate(
        service_name=stage.service_name,
        service_type="AWS::ApiGateway::Stage",
        host=request.name if request else headers.get("host", ""),
        method=method,
        url_path=request.path if request else path,
        resource_arn=stage.arn,
        headers=headers,
    )


def _exchange(  # noqa: PLR0913, PLR0917 - what an exchange is made of
    stage: Stage, trace: RequestTrace, method: str, path: str, headers: Headers, answer: Response
) -> Exchange:
    status, answered, body = answer
    request = doors.current.get()
    default_host = f"{stage.api_id}.execute-api.{stage.region}.amazonaws.com/{stage.name}"
    named = {name.lower(): str(value) for name, value in answered.items()}
    return Exchange(
        url=f"https://{request.name}{request.path}" if request else f"https://{default_host}{path}",
        method=method,
        client=request.client if request else LOOPBACK,
        user_agent=headers.get("user-agent", ""),
        request_id=request.request_id if request else named.get("x-amzn-requestid", ""),
        status=status,
        size=len(body),
        rule=trace.rule,
    )


def _with_trace_header(answer: Response, trace: RequestTrace) -> Response:
    """The answer with the trace's header, which the gateway adds to what a function answered."""
    status, headers, body = answer
    if trace.calls:
        headers = {**headers, header.NAME: str(trace.header)}
    return status, headers, body


def _trace_calls_of_functions() -> None:
    call: Callable[..., Awaitable[Any]] = gateway._call_lambda_raw

    async def call_lambda_raw(function_ref: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        trace = _request_trace.get()
        if trace is None:
            return await call(function_ref, *args, **kwargs)
        segment_id, start = new_segment_id(), time.time()
        token = _upstream_header.set(trace.header.below(segment_id))
        try:
            return await call(function_ref, *args, **kwargs)
        finally:
            _upstream_header.reset(token)
            trace.calls.append(Call(segment_id, function_ref, Span(start, time.time())))

    gateway._call_lambda_raw = call_lambda_raw


# -- Lambda ----------------------------------------------------------------------------


def _trace_invocations() -> None:
    execute: Callable[..., Result] = lambda_svc._execute_function_warm
    spawn: Callable[..., Any] = runtime.Worker._spawn

    def execute_function_warm(func: dict[str, Any], event: Any, request_id: str) -> Result:  # noqa: ANN401
        config = func.get("config") or func
        invocation = _invoked(config)
        token, start = _invocation.set(invocation), time.time()
        try:
            result = execute(func, event, request_id)
        finally:
            _invocation.reset(token)
        if invocation and invocation.header.sampled:
            span, failed = Span(start, time.time()), bool(result.get("error"))
            for document in segments.of_invocation(
                invocation, config["FunctionArn"], request_id, span, failed=failed
            ):
                api.traces.put((get_account_id(), get_region()), document)
        return result

    def spawn_timed(worker: Any) -> None:  # noqa: ANN401 - ministack's Worker
        start = time.time()
        spawn(worker)
        invocation = _invocation.get()
        if invocation:
            invocation.initialization = Span(start, time.time())

    def trace_id_for_invocation(_config: dict[str, Any], _inbound: str | None = None) -> str | None:
        invocation = _invocation.get()
        return str(invocation.header_below()) if invocation else None

    lambda_svc._execute_function_warm = execute_function_warm
    lambda_svc._xray_trace_id_for_invocation = trace_id_for_invocation
    runtime.Worker._spawn = spawn_timed


def _invoked(config: dict[str, Any]) -> Invocation | None:
    """An invocation's place in its trace; None for a function that nobody traces."""
    upstream = _upstream_header.get()
    active = config.get("TracingConfig", {}).get("Mode") == "Active"
    if upstream is None and not active:
        return None
    upstream_or_new = upstream or header.read(None)
    if upstream_or_new.sampled is None:
        name = f"{config['FunctionArn']} {config.get('Version')}"
        picked = active and _sampler.picks(name, LAMBDA_RESERVOIR, LAMBDA_RATE, time.time())
        upstream_or_new = replace(upstream_or_new, sampled=picked)
    return Invocation(upstream_or_new)


def _give_daemons() -> None:
    """What a function's environment has of X-Ray (configuration-envvars), daemon included."""
    credentials: Callable[[dict[str, Any]], dict[str, str]] = runtime.execution_credentials

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        given = credentials(config)
        role = Role(
            endpoint=f"http://{LOOPBACK}:{os.environ['GATEWAY_PORT']}",
            region=runtime._account_region_from_function_config(config)[1],
            access_key_id=given["AWS_ACCESS_KEY_ID"],
            secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            session_token=given["AWS_SESSION_TOKEN"],
        )
        if role not in _daemons:
            _daemons[role] = Daemon(role)
        return {
            **given,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": _daemons[role].address,
        }

    runtime.execution_credentials = execution_credentials
