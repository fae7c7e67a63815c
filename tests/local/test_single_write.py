"""An answer leaves in one write, as the AWS SDK for Go needs it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import RawData

from local import single_write
from local.single_write import SingleWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 \r\n\r\n"


class Writer:
    """Keeps each write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def drain(self) -> None:
        pass


def written(server: type[TCPServer], *data: bytes) -> list[bytes]:
    """Each write that a protocol's words lead to."""
    writer: Any = Writer()

    async def say() -> None:
        nothing: Any = None
        loop, context = asyncio.get_running_loop(), WorkerContext(None)
        connection = server(nothing, loop, Config(), context, {}, nothing, writer)
        for each in data:
            await connection.protocol_send(RawData(data=each))

    asyncio.run(say())
    return list(filter(None, writer.written))


def test_hypercorn_still_needs_single_writes() -> None:
    assert written(TCPServer, HEAD, b"body", b"") == [HEAD, b"body"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ((HEAD, b"body", b""), [HEAD + b"body"]),
        ((HEAD, b""), [HEAD]),
        ((HEAD, b"body", b"", HEAD, b"more", b""), [HEAD + b"body", HEAD + b"more"]),
        ((CONTINUE, HEAD, b"body"), [CONTINUE, HEAD + b"body"]),
    ],
    ids=["a body", "none", "two answers", "after a 100"],
)
def test_an_answer_is_one_write(data: tuple[bytes, ...], expected: list[bytes]) -> None:
    assert written(SingleWrite, *data) == expected


def test_the_control_plane_answers_in_single_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TCPServer", TCPServer)
    single_write.install()
    assert vars(run)["TCPServer"] is SingleWrite
