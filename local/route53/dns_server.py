"""An authoritative DNS server on one port, UDP and TCP, for an asyncio process."""

from __future__ import annotations

import asyncio
import errno
import logging
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from local.route53 import wire
from local.route53.routing import Answer, Question

_log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
_PORT_ATTEMPTS = 20
_LENGTH = struct.Struct("!H")


class DnsServer:
    """Answers questions from `answer` until stopped; port 0 takes any port free for UDP and TCP."""

    def __init__(
        self, answer: Callable[[Question], Answer], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._answer = answer
        self._host = host
        self._wanted_port = port
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on; only while it runs."""
        if self._tcp is None:
            raise RuntimeError("the DNS server is not running")
        return cast("tuple[str, int]", self._tcp.sockets[0].getsockname()[:2])

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken."""
        for attempt in range(_PORT_ATTEMPTS):
            self._tcp = await asyncio.start_server(self._serve, self._host, self._wanted_port)
            try:
                await self._listen_udp(self.address[1])
            except OSError as problem:
                await self.stop()
                # A free TCP port may be taken on UDP; only a port of our own choice is tried again.
                taken = problem.errno == errno.EADDRINUSE
                if self._wanted_port or not taken or attempt == _PORT_ATTEMPTS - 1:
                    raise
            else:
                return

    async def _listen_udp(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._answer), local_addr=(self._host, port)
        )

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
            response = wire.respond(packet, self._answer, over_udp=False)
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
        response = wire.respond(data, self._answer, over_udp=True)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)

    def error_received(self, exc: Exception) -> None:
        # A client that went away before its answer came; nothing to do about it.
        _log.debug("datagram not delivered: %s", exc)
