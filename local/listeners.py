"""HTTPS on one port of several loopback addresses, each opened and shut by itself.

Hypercorn speaks HTTP; it opens its own sockets once and for all, so these are opened here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from local.http_messages import Receive, Scope, Send
from local.single_write import SingleWrite

GRACE_SECONDS = 2.0

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(slots=True)
class _Listener:
    server: asyncio.Server
    writers: set[asyncio.StreamWriter]


@dataclass(slots=True)
class Listeners:
    """Serves an ASGI application on `port` of every address that is open."""

    app: Application
    config: Config
    port: int
    _open: dict[str, _Listener] = field(default_factory=dict)
    _context: WorkerContext = field(default_factory=lambda: WorkerContext(None))
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, address: str) -> None:
        """Take connections; harmless when it does already. Raises OSError when it can't."""
        if address in self._open:
            return
        writers: set[asyncio.StreamWriter] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(reader, writer, writers)

        server = await asyncio.start_server(
            serve, address, self.port,
            backlog=self.config.backlog, ssl=self.config.create_ssl_context(),
            ssl_handshake_timeout=self.config.ssl_handshake_timeout,
        )  # fmt: skip
        self._open[address] = _Listener(server, writers)

    def shut(self, address: str) -> None:
        """Refuse connections, and cut those that there are; harmless when shut already."""
        listener = self._open.pop(address, None)
        if listener is not None:
            listener.server.close()
            for writer in tuple(listener.writers):
                writer.transport.abort()

    async def stop(self) -> None:
        """Take no more connections, let what is being served finish for a while, cut the rest."""
        for listener in self._open.values():
            listener.server.close()
        await self._context.terminated.set()
        if self._serving:
            await asyncio.wait(self._serving, timeout=GRACE_SECONDS)
        for address in tuple(self._open):
            self.shut(address)

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        writers: set[asyncio.StreamWriter],
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        writers.add(writer)
        try:
            loop = asyncio.get_running_loop()
            app = ASGIWrapper(self.app)  # type: ignore[arg-type]
            await SingleWrite(app, loop, self.config, self._context, {}, reader, writer)
        finally:
            self._serving.discard(task)
            writers.discard(writer)
