"""An authoritative DNS server on one port, UDP and TCP, for an asyncio process."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from local.dns import messages
from local.dns.routing import Answer, Question

_log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
_LENGTH = struct.Struct("!H")


class DnsServer:
    """Answers questions from `answer`, from `start()` to `stop()`."""

    def __init__(self, answer: Callable[[Question], Answer], host: str, port: int) -> None:
        self._answer = answer
        self._host = host
        self._port = port
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        self._tcp = await asyncio.start_server(self._serve, self._host, self._port)
        try:
            self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Datagrams(self._answer), local_addr=(self._host, self._port)
            )
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening and drop open connections; harmless when not running."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        if self._tcp is not None:
            await self._tcp.wait_closed()
        self._tcp = self._udp = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                while await self._one_exchange(reader, writer):
                    pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _one_exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        async with asyncio.timeout(IDLE_SECONDS):
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            packet = await reader.readexactly(length)
            response = messages.respond(packet, self._answer, over_udp=False)
            if response is None:
                return False
            writer.write(_LENGTH.pack(len(response)) + response)
            await writer.drain()
        return True


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[Question], Answer]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = messages.respond(data, self._answer, over_udp=True)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)

    def error_received(self, exc: Exception) -> None:
        # A client that went away before its answer came; nothing to do about it.
        _log.debug("datagram not delivered: %s", exc)
