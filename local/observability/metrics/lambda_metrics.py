"""AWS/Lambda (docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).

ministack writes these for Invoke alone, with the time that starting an environment takes, and
counts a throttled call twice; here every invocation is counted where it runs, whoever called.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core import lambda_runtime as runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from local.observability.metrics.recorder import Dimensions, Recorder, Sample
from local.observability.records import Scope

NAMESPACE = "AWS/Lambda"
EVERY_FUNCTION: Dimensions = ()

Config = dict[str, Any]
Result = dict[str, Any]


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


class Observer:
    """Counts invocations as they begin and end, on the threads that they run on."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._running: Counter[tuple[Scope, Dimensions]] = Counter()
        self._lock = threading.Lock()

    def began(self, config: Config) -> None:
        """An invocation begins, beside those that run already."""
        scope = (get_account_id(), get_region())
        for dimensions in (EVERY_FUNCTION, *_dimensions(config)):
            with self._lock:
                self._running[scope, dimensions] += 1
                running = self._running[scope, dimensions]
            sample = Sample("ConcurrentExecutions", running, "Count")
            self._recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())

    def ended(self, config: Config, duration: float, *, failed: bool) -> None:
        """It ended, after so many milliseconds of the function's own."""
        scope = (get_account_id(), get_region())
        with self._lock:
            for dimensions in (EVERY_FUNCTION, *_dimensions(config)):
                self._running[scope, dimensions] -= 1
        self._put(
            config,
            Sample("Invocations", 1, "Count"),
            Sample("Errors", float(failed), "Count"),
            Sample("Throttles", 0, "Count"),
            # AWS gives hundredths. Whole milliseconds keep the distinct values few.
            Sample("Duration", max(1, round(duration)), "Milliseconds"),
        )

    def throttled(self, config: Config) -> None:
        """A call was refused, which is no invocation."""
        self._put(config, Sample("Throttles", 1, "Count"))

    def _put(self, config: Config, *samples: Sample) -> None:
        scope = (get_account_id(), get_region())
        for dimensions in _dimensions(config):
            self._recorder.put(scope, NAMESPACE, dimensions, samples, time.time())


def _dimensions(config: Config) -> tuple[Dimensions, Dimensions]:
    """The function, and the alias or version by which it was called, itself without any."""
    name = str(config["FunctionName"])
    call = called.get()
    reference = call.reference if call else str(config.get("FunctionArn", ""))
    qualifier = reference.rpartition(":function:")[2].partition(":")[2]
    resource = f"{name}:{qualifier}" if qualifier else name
    return (("FunctionName", name),), (("FunctionName", name), ("Resource", resource))


def install(recorder: Recorder) -> None:
    """Count what ministack invokes, in the place of its own metrics."""
    observer = Observer(recorder)
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
