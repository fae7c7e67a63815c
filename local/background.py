"""What runs as long as the emulator does; what dies before is an error that somebody sees."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger("local")


@dataclass(slots=True)
class Background:
    """Tasks and threads of one emulator. `failures` says of each that died what it was, and why."""

    failures: list[str] = field(default_factory=list)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something that ends only when it is cancelled."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def watch_threads(self) -> None:
        """Note every thread that dies, ministack's among them."""
        threading.excepthook = self._thread_ended

    def cancel(self) -> None:
        """End all that still runs."""
        for task in tuple(self._running):
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            self._note(task.get_name(), task.exception())

    def _thread_ended(self, ended: threading.ExceptHookArgs) -> None:
        self._note(ended.thread.name if ended.thread else "a thread", ended.exc_value)

    def _note(self, name: str, error: BaseException | None) -> None:
        logger.error("%s has ended, and should not have", name, exc_info=error)
        self.failures.append(f"{name}: {error!r}")
