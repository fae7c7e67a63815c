"""An answer's head and body leave in one write.

Hypercorn writes the head, then the body; on a busy machine milliseconds lie between. In that gap
Terraform's provider now and then gives its connection up; its SDK sends the request again, and what
it wants to create exists already. (Its HTTP client closes the request's body once it has the head,
smithy-go's ClientHandler.Handle, while net/http may not be through with it: likely the cause.)

Who serves a request can end its connection, too, without an answer.
"""

from __future__ import annotations

import asyncio
import contextvars

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Event, RawData

HEAD = b"HTTP/1.1 "
# An informational answer: nothing follows it at once.
INFORMATIONAL = b"HTTP/1.1 1"


_connection: contextvars.ContextVar[asyncio.StreamWriter] = contextvars.ContextVar("connection")


def abort_connection() -> None:
    """End the connection of the request being served, as a machine that is gone would."""
    _connection.get().transport.abort()


class SingleWrite(TCPServer):
    """Hypercorn's connection, which keeps a head back until what follows it is there."""

    _head = b""

    async def run(self) -> None:
        """Serve the connection, which `abort_connection` then knows."""
        _connection.set(self.writer)
        await super().run()

    async def protocol_send(self, event: Event) -> None:
        """Write what the protocol says; after a head it always says more, if only the end."""
        if isinstance(event, RawData):
            if event.data.startswith(HEAD) and not event.data.startswith(INFORMATIONAL):
                self._head = event.data
                return
            event, self._head = RawData(data=self._head + event.data), b""
        await super().protocol_send(event)


def install() -> None:
    """Make hypercorn serve its own ports so."""
    run.TCPServer = SingleWrite  # type: ignore[attr-defined]
