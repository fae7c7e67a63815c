"""Where a function's invocations begin and end, how long each ran, and what it was traced by.

ministack's own metrics are for Invoke alone, with the time that starting an environment takes, and
count a throttled call twice; and it gives every function with active tracing a trace of its own,
always sampled. Here every invocation is seen where it runs, whoever called.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ministack.core import lambda_runtime as runtime
from ministack.services import lambda_svc

from local.patches import chain

Config = dict[str, Any]
Result = dict[str, Any]


class Observer(Protocol):
    """Sees invocations, on the threads that they run on, in their account and Region."""

    def began(self, config: Config) -> None:
        """An invocation begins, beside those that run already."""

    def ended(self, config: Config, duration: float, *, failed: bool) -> None:
        """It ended, after so many milliseconds of the function's own."""

    def throttled(self, config: Config) -> None:
        """A call was refused, which is no invocation."""


class Tracer(Protocol):
    """Traces invocations. A trace is the tracer's own: this module only hands it on."""

    def began(self, config: Config, caller: str | None, segment_id: str) -> Any:  # noqa: ANN401
        """A trace for an invocation, or None.

        `caller` is the header of the gateway that called, and `segment_id` that of its call.
        """

    def header(self, trace: Any) -> str:  # noqa: ANN401
        """The tracing header that the function gets."""

    def initialized(self, trace: Any, start: float, end: float) -> None:  # noqa: ANN401
        """The invocation has started an environment."""

    def ended(  # noqa: PLR0913 - what a segment is made of
        self,
        trace: Any,  # noqa: ANN401
        arn: str,
        request_id: str,
        start: float,
        end: float,
        *,
        failed: bool,
    ) -> None:
        """The invocation is over."""


@dataclass(slots=True)
class _Invocation:
    """The milliseconds that an environment has worked on it, and its trace."""

    duration: float = 0.0
    trace: Any = None


_invocation: contextvars.ContextVar[_Invocation | None] = contextvars.ContextVar(
    "invocation", default=None
)


def called_as(config: Config) -> str:
    """The name or ARN by which the invocation that runs was called."""
    context = chain.current.get()
    call = context.call if context else None
    return call.reference if call else str(config.get("FunctionArn", ""))


def observe(observer: Observer) -> None:
    """Observe what ministack invokes, in the place of its own metrics."""
    lambda_svc._emit_lambda_metrics = lambda *_args, **_kwargs: None
    _observe_slots(observer)
    _observe_invocations(observer)
    _time_environments()


def trace(tracer: Tracer) -> None:
    """Trace what ministack invokes, in the place of its own decision."""
    execute: Callable[..., Result] = lambda_svc._execute_function_warm
    spawn: Callable[..., Any] = runtime.Worker._spawn

    def execute_function_warm(func: Config, event: Any, request_id: str) -> Result:  # noqa: ANN401
        config = func.get("config") or func
        invocation = _invocation.get() or _Invocation()
        invocation.trace = tracer.began(config, *_caller())
        token, start = _invocation.set(invocation), time.time()
        try:
            result = execute(func, event, request_id)
        finally:
            _invocation.reset(token)
        if invocation.trace is not None:
            tracer.ended(
                invocation.trace, config["FunctionArn"], request_id, start, time.time(),
                failed=bool(result.get("error")),
            )  # fmt: skip
        return result

    def spawn_timed(worker: Any) -> None:  # noqa: ANN401 - ministack's Worker
        start = time.time()
        spawn(worker)
        invocation = _invocation.get()
        if invocation and invocation.trace is not None:
            tracer.initialized(invocation.trace, start, time.time())

    def trace_id_for_invocation(_config: Config, _inbound: str | None = None) -> str | None:
        invocation = _invocation.get()
        traced = invocation is not None and invocation.trace is not None
        return tracer.header(invocation.trace) if invocation and traced else None

    lambda_svc._execute_function_warm = execute_function_warm
    lambda_svc._xray_trace_id_for_invocation = trace_id_for_invocation
    runtime.Worker._spawn = spawn_timed


def add_to_environment(made: Callable[[str, dict[str, str]], dict[str, str]]) -> None:
    """Give a function's environment what `made` makes of its Region and its credentials."""
    credentials: Callable[[Config], dict[str, str]] = runtime.execution_credentials

    def execution_credentials(config: Config) -> dict[str, str]:
        given = credentials(config)
        region = runtime._account_region_from_function_config(config)[1]
        return {**given, **made(region, given)}

    runtime.execution_credentials = execution_credentials


def _caller() -> tuple[str | None, str]:
    """The tracing header of the gateway that called, and its call's segment."""
    context = chain.current.get()
    call = context.call if context else None
    return (context.trace_header, call.segment_id) if context and call else (None, "")


def _observe_slots(observer: Observer) -> None:
    acquire: Callable[[Any, Config], tuple[str | None, str | None]] = (
        lambda_svc._acquire_execution_slot
    )

    def acquire_execution_slot(func: Any, config: Config) -> tuple[str | None, str | None]:  # noqa: ANN401
        slot, limit = acquire(func, config)
        if slot is None:
            observer.throttled(config)
        return slot, limit

    lambda_svc._acquire_execution_slot = acquire_execution_slot


def _observe_invocations(observer: Observer) -> None:
    dispatch: Callable[..., Result] = lambda_svc._execute_function_dispatch

    def execute_function_dispatch(
        func: Any,  # noqa: ANN401
        config: Config,
        event: Any,  # noqa: ANN401
        request_id: str,
        started: float,
    ) -> Result:
        context = chain.current.get()
        if context and context.call:
            context.call.request_id = request_id
        invocation = _Invocation()
        token, failed = _invocation.set(invocation), True
        observer.began(config)
        try:
            result = dispatch(func, config, event, request_id, started)
            failed = bool(result.get("error"))
        finally:
            _invocation.reset(token)
            observer.ended(config, invocation.duration, failed=failed)
        return result

    lambda_svc._execute_function_dispatch = execute_function_dispatch


def _time_environments() -> None:
    """Duration is the handler's: starting an environment is `Init Duration`, and no metric."""
    invoke: Callable[..., Result] = runtime.Worker.invoke

    def invoke_timed(worker: Any, *args: Any, **kwargs: Any) -> Result:  # noqa: ANN401
        start = time.perf_counter()
        try:
            return invoke(worker, *args, **kwargs)
        finally:
            invocation = _invocation.get()
            if invocation:
                invocation.duration += (time.perf_counter() - start) * 1000

    runtime.Worker.invoke = invoke_timed
