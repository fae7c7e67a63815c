"""AWS/Lambda (docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html).

ministack writes these for Invoke alone, with the time that starting an environment takes, and
counts a throttled call twice; here every invocation is counted where it runs, whoever called.

By ExecutedVersion AWS describes the metrics of "two versions of a function that are both targets of
a weighted alias" (monitoring-metrics-view.html); what an alias without weights has is documented
nowhere, and here it has none.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from local.observability.metrics.recorder import Dimensions, Recorder, Sample
from local.patches.lambda_aliases import executed_version
from local.patches.lambda_invocations import Config, called_as, observe
from local.patches.scope import here
from local.records import Scope

NAMESPACE = "AWS/Lambda"
EVERY_FUNCTION: Dimensions = ()


def install(recorder: Recorder) -> None:
    """Count every invocation, whoever called."""
    observe(Observer(recorder))


class Observer:
    """Counts invocations as they begin and end, on the threads that they run on."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._running: Counter[tuple[Scope, Dimensions]] = Counter()
        self._lock = threading.Lock()

    def began(self, config: Config) -> None:
        """An invocation begins, beside those that run already."""
        scope = here()
        for dimensions in (EVERY_FUNCTION, *_dimensions(config)):
            with self._lock:
                self._running[scope, dimensions] += 1
                running = self._running[scope, dimensions]
            sample = Sample("ConcurrentExecutions", running, "Count")
            self._recorder.put(scope, NAMESPACE, dimensions, [sample], time.time())

    def ended(self, config: Config, duration: float, *, failed: bool) -> None:
        """It ended, after so many milliseconds of the function's own."""
        scope = here()
        with self._lock:
            for dimensions in (EVERY_FUNCTION, *_dimensions(config)):
                self._running[scope, dimensions] -= 1
        samples = (
            Sample("Invocations", 1, "Count"),
            Sample("Errors", float(failed), "Count"),
            # AWS gives hundredths. Whole milliseconds keep the distinct values few.
            Sample("Duration", max(1, round(duration)), "Milliseconds"),
        )
        for dimensions in _dimensions(config):
            self._put(dimensions, *samples, Sample("Throttles", 0, "Count"))
        version = executed_version(config)
        if version is not None:
            (*_, resource) = _dimensions(config)
            self._put((*resource, ("ExecutedVersion", version)), *samples)

    def throttled(self, config: Config) -> None:
        """A call was refused, which is no invocation."""
        for dimensions in _dimensions(config):
            self._put(dimensions, Sample("Throttles", 1, "Count"))

    def _put(self, dimensions: Dimensions, *samples: Sample) -> None:
        self._recorder.put(here(), NAMESPACE, dimensions, samples, time.time())


def _dimensions(config: Config) -> tuple[Dimensions, Dimensions]:
    """The function, and the alias or version by which it was called, itself without any."""
    name = str(config["FunctionName"])
    qualifier = called_as(config).rpartition(":function:")[2].partition(":")[2]
    resource = f"{name}:{qualifier}" if qualifier else name
    return (("FunctionName", name),), (("FunctionName", name), ("Resource", resource))
