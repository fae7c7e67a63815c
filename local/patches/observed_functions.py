"""Where a function's invocations begin and end, and how long each ran.

ministack's own metrics are for Invoke alone, with the time that starting an environment takes, and
count a throttled call twice; here every invocation is seen where it runs, whoever called.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ministack.core import lambda_runtime as runtime
from ministack.services import lambda_svc

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


@dataclass(slots=True)
class Call:
    """A call of a function, by name or ARN; `request_id` is the function's, once it runs."""

    reference: str
    request_id: str | None = None


@dataclass(slots=True)
class _Run:
    """The milliseconds that an environment has worked on an invocation."""

    duration: float = 0.0


# What the gateway calls, for the invocation that follows.
called: contextvars.ContextVar[Call | None] = contextvars.ContextVar("called", default=None)
_run: contextvars.ContextVar[_Run | None] = contextvars.ContextVar("run", default=None)


def called_as(config: Config) -> str:
    """The name or ARN by which the invocation that runs was called."""
    call = called.get()
    return call.reference if call else str(config.get("FunctionArn", ""))


def observe(observer: Observer) -> None:
    """Observe what ministack invokes, in the place of its own metrics."""
    lambda_svc._emit_lambda_metrics = lambda *_args, **_kwargs: None
    _observe_slots(observer)
    _observe_invocations(observer)
    _time_environments()


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
        call, run = called.get(), _Run()
        if call:
            call.request_id = request_id
        token, failed = _run.set(run), True
        observer.began(config)
        try:
            result = dispatch(func, config, event, request_id, started)
            failed = bool(result.get("error"))
        finally:
            _run.reset(token)
            observer.ended(config, run.duration, failed=failed)
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
            run = _run.get()
            if run:
                run.duration += (time.perf_counter() - start) * 1000

    runtime.Worker.invoke = invoke_timed
