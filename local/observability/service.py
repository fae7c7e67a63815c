"""Observability of one emulator: put in place, kept in order while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from local.observability.alarms import evaluation
from local.observability.alarms.runner import Runner
from local.observability.logs import (
    access_logs,
    insights_evaluation,
    insights_language,
    retention,
    web_acl_logs,
)
from local.observability.metrics import (
    cloudfront_metrics,
    cognito_metrics,
    dynamodb_metrics,
    gateway_metrics,
    lambda_metrics,
    logs_metrics,
    metric_data,
    waf_metrics,
)
from local.observability.metrics.queries import QueryError
from local.observability.metrics.recorder import Recorder
from local.observability.metrics.store import Store
from local.observability.traces import api
from local.observability.traces.invocations import InvocationTracer
from local.patches import cloudwatch, lambda_invocations, logs, xray
from local.patches.cloudwatch import Document, RefusedError
from local.patches.logs import MalformedQueryError, Query, Row

TIDY_SECONDS = 60


def trace_invocations(endpoint: str) -> None:
    """Serve X-Ray, and trace what Lambda runs; daemons send to `endpoint`."""
    xray.serve(api)
    tracer = InvocationTracer(endpoint)
    lambda_invocations.trace(tracer)
    lambda_invocations.add_to_environment(tracer.environment)


class Observability:
    """What AWS records of requests. Make one per process, after everything else is in place.

    Its listeners are for the Regions, the edge, the web ACLs and the replication to call.
    """

    def __init__(self, folder: Path, alarm_interval: float) -> None:
        self._folder = folder
        self._recorder = recorder = Recorder()
        store = Store(before=recorder.flush_complete)
        self._alarms = Runner(alarm_interval, store)
        self.gateway_listeners = (gateway_metrics.metrics_into(recorder), access_logs.of_stage)
        self.edge_listeners = [cloudfront_metrics.metrics_into(recorder), access_logs.of_edge]
        self.web_acl_listeners = (waf_metrics.metrics_into(recorder), web_acl_logs.of_web_acl)
        self.replication_listener = dynamodb_metrics.replication_into(recorder)
        for service in (lambda_metrics, dynamodb_metrics, cognito_metrics, logs_metrics):
            service.install(recorder)
        cloudwatch.check_alarms(_check_alarm)
        cloudwatch.serve_metric_data(metric_data.answering(store.fetch))
        cloudwatch.before_each_request(recorder.flush)
        logs.serve_queries(as_a_query)

    def restore(self) -> None:
        """Take up what the last run left."""
        retention.restore(self._folder)

    async def run(self, changed: Callable[[], None]) -> None:
        """Evaluate alarms and forget what is too old, until cancelled; `changed` is for alarms."""
        await asyncio.gather(self._alarms.run(changed), self._tidy())

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            self._recorder.flush_complete()
            cloudwatch.drop_old_points()
            retention.forget_old_events()

    def save(self) -> None:
        """Write what the next run takes up."""
        self._recorder.flush()
        retention.save(self._folder)

    def table_failed(self, headers: dict[bytes, bytes], body: bytes) -> None:
        """DynamoDB has answered a function's request with 500."""
        dynamodb_metrics.failed(self._recorder, headers, body)


def _check_alarm(document: Document) -> None:
    try:
        evaluation.read(document)
    except QueryError as error:
        raise RefusedError(str(error)) from error


def as_a_query(text: str) -> Query:
    """A Logs Insights query. Raises MalformedQueryError."""
    try:
        commands = insights_language.parse(text)
    except insights_language.MalformedQueryError as error:
        raise MalformedQueryError(str(error)) from error

    def answer(events: Iterable[Row]) -> insights_evaluation.Answer:
        return insights_evaluation.answer(commands, events)

    return answer
