"""Telemetry of one bench: put in place, kept in order while it runs, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch

from local import edge as distributions
from local import web_acl
from local.observability.logs import access_logs, log_groups, retention
from local.observability.metrics import (
    cloudfront_metrics,
    cognito_metrics,
    dynamodb_metrics,
    gateway_metrics,
    lambda_metrics,
    waf_metrics,
)
from local.observability.metrics.recorder import Recorder
from local.observability.metrics.store import Store
from local.replication import Replication

TIDY_SECONDS = 60


class Telemetry:
    """What AWS writes about requests. Make one per process, after everything else is in place."""

    def __init__(self, folder: Path, store: Store, replication: Replication) -> None:
        self._folder = folder
        self._recorder = Recorder()
        recorder = self._recorder
        gateway_metrics.install([gateway_metrics.metrics_into(recorder), access_logs.of_stage])
        distributions.listeners += [cloudfront_metrics.metrics_into(recorder), access_logs.of_edge]
        web_acl.listeners.append(waf_metrics.metrics_into(recorder))
        replication.listeners.append(dynamodb_metrics.replication_into(recorder))
        lambda_metrics.install(recorder)
        dynamodb_metrics.install(recorder)
        cognito_metrics.install(recorder)
        log_groups.install(recorder)
        store.sources.append(recorder.flush_complete)
        self._show_readers_everything()

    def restore(self) -> None:
        """Take up what the last run left."""
        retention.restore(self._folder)

    async def run(self) -> None:
        """Forget what is too old, until cancelled."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            self._recorder.flush_complete()
            cloudwatch._evict_old_metrics()
            retention.forget_old_events()

    def save(self) -> None:
        """Write what the next run takes up."""
        retention.save(self._folder)

    def table_failed(self, headers: dict[bytes, bytes], body: bytes) -> None:
        """DynamoDB has answered a function's request with 500."""
        dynamodb_metrics.failed(self._recorder, headers, body)

    def _show_readers_everything(self) -> None:
        handle: Callable[..., Awaitable[Any]] = cloudwatch.handle_request

        async def handle_request(*request: Any) -> Any:  # noqa: ANN401
            self._recorder.flush()
            return await handle(*request)

        cloudwatch.handle_request = handle_request
