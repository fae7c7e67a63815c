"""Telemetry of one bench: put in place, kept in order while it runs, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch

from local import edge as distributions
from local import web_acl
from local.cloudwatch.store import Store
from local.replication import Replication
from local.telemetry import (
    access_logs,
    edge,
    functions,
    gateway,
    keeping,
    log_groups,
    sign_ins,
    tables,
    web_acls,
)
from local.telemetry.metrics import Recorder

TIDY_SECONDS = 60


class Telemetry:
    """What AWS writes about requests. Make one per process, after everything else is in place."""

    def __init__(self, folder: Path, store: Store, replication: Replication) -> None:
        self._folder = folder
        self._recorder = Recorder()
        recorder = self._recorder
        gateway.install([gateway.metrics_into(recorder), access_logs.of_stage])
        distributions.listeners += [edge.metrics_into(recorder), access_logs.of_edge]
        web_acl.listeners.append(web_acls.metrics_into(recorder))
        replication.listeners.append(tables.replication_into(recorder))
        functions.install(recorder)
        tables.install(recorder)
        sign_ins.install(recorder)
        log_groups.install(recorder)
        store.sources.append(recorder.flush_complete)
        self._show_readers_everything()

    def restore(self) -> None:
        """Take up what the last run left."""
        keeping.restore(self._folder)

    async def run(self) -> None:
        """Forget what is too old, until cancelled."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            self._recorder.flush_complete()
            cloudwatch._evict_old_metrics()
            log_groups.forget_old_events()

    def save(self) -> None:
        """Write what the next run takes up."""
        self._recorder.flush()
        keeping.save(self._folder)

    def table_failed(self, headers: dict[bytes, bytes], body: bytes) -> None:
        """DynamoDB has answered a function's request with 500."""
        tables.failed(self._recorder, headers, body)

    def _show_readers_everything(self) -> None:
        handle: Callable[..., Awaitable[Any]] = cloudwatch.handle_request

        async def handle_request(*request: Any) -> Any:  # noqa: ANN401
            self._recorder.flush()
            return await handle(*request)

        cloudwatch.handle_request = handle_request
