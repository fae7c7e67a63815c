"""One health check request against endpoints that behave, and that don't."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trustme

from local.dns.health.checks import HealthCheck, Outcome
from local.dns.health.client import (
    Address,
    Connect,
    HealthCheckClient,
    NameNotResolvedError,
    Timeouts,
    unverified_tls,
)

HASTY = Timeouts(connect=5, answer=5)
NAME = "us-east-1.example.com"
AUTHORITY = trustme.CA()
CHECK = HealthCheck("check-1", "HTTPS", fqdn=NAME, path="/health/ready")

Endpoint = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Spoken:
    """What an endpoint heard."""

    request = b""
    server_name: str | None = None


def speaking(answer: bytes, heard: Spoken | None = None) -> Endpoint:
    async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.request = request
        writer.write(answer)
        await writer.drain()
        writer.close()

    return endpoint


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def tls_of(name: str, heard: Spoken | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)

    def hear(_socket: object, name: str | None, _context: object) -> None:
        if heard is not None:
            heard.server_name = name

    context.sni_callback = hear
    return context


def client(connect: Connect, timeouts: Timeouts = HASTY) -> HealthCheckClient:
    return HealthCheckClient(connect, unverified_tls(), timeouts)


TLS = tls_of(NAME)


def probe(
    endpoint: Endpoint,
    check: HealthCheck = CHECK,
    *,
    timeouts: Timeouts = HASTY,
    tls: ssl.SSLContext | None = TLS,
) -> Outcome:
    async def run() -> Outcome:
        server = await asyncio.start_server(endpoint, "127.0.0.1", 0, ssl=tls)
        address: Address = server.sockets[0].getsockname()[:2]

        async def connect(_name: str, _port: int) -> Address:
            return address

        try:
            return await client(connect, timeouts)(check)
        finally:
            server.close()

    return asyncio.run(run())


def response(code: int) -> bytes:
    return f"HTTP/1.1 {code} Some Reason\r\nContent-Length: 2\r\n\r\nhi".encode()


@pytest.mark.parametrize(
    ("code", "passed", "status"),
    [
        (200, True, "Success: HTTP Status Code 200, OK"),
        (302, True, "Success: HTTP Status Code 302, Found"),
        (
            503,
            False,
            "Failure: HTTP Status Code 503, Service Unavailable. Resolved IP: 127.0.0.1",
        ),
        (404, False, "Failure: HTTP Status Code 404, Not Found. Resolved IP: 127.0.0.1"),
        (799, False, "Failure: HTTP Status Code 799, Unknown. Resolved IP: 127.0.0.1"),
    ],
)
def test_the_status_code_decides(code: int, status: str, *, passed: bool) -> None:
    assert probe(speaking(response(code))) == Outcome(passed, status)


def test_an_interim_response_decides_nothing() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert probe(speaking(interim + response(200))).passed


def test_the_request_is_a_checkers() -> None:
    heard = Spoken()
    probe(speaking(response(200), heard=heard))
    first, *headers = heard.request.decode().splitlines()
    assert first == "GET /health/ready HTTP/1.1"
    assert sorted(filter(None, headers)) == [
        "Accept: */*",
        "Connection: close",
        "Host: us-east-1.example.com",
        "User-Agent: Amazon-Route53-Health-Check-Service (ref check-1)",
    ]


def test_awss_own_timeouts_hold_unless_a_test_is_in_a_hurry() -> None:
    assert (Timeouts().connect, Timeouts().answer) == (4, 2)


@pytest.mark.parametrize(
    "noise",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX y: z\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
    ],
)
def test_what_is_not_http_fails(noise: bytes) -> None:
    assert probe(speaking(noise)) == Outcome(
        passed=False,
        status="Failure: The endpoint's response is not valid HTTP. Resolved IP: 127.0.0.1",
    )


def test_an_endpoint_that_hangs_up_fails() -> None:
    outcome = probe(speaking(b"HTTP/1.1 200 OK\r\n"))
    assert outcome == Outcome(
        passed=False,
        status="Failure: The endpoint closed the connection without an answer."
        " Resolved IP: 127.0.0.1",
        answered=False,
    )


def test_an_endpoint_that_hangs_fails_without_an_answer() -> None:
    outcome = probe(_silent, timeouts=replace(HASTY, answer=0.05))
    assert outcome == Outcome(
        passed=False,
        status="Failure: The endpoint did not respond with an HTTP status code within the timeout"
        " limit. Resolved IP: 127.0.0.1",
        answered=False,
    )


def test_an_endpoint_that_takes_no_connection_in_time_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "open_connection", never)

    async def connect(_name: str, port: int) -> Address:
        return "127.0.0.1", port

    outcome = asyncio.run(client(connect, replace(HASTY, connect=0.05))(CHECK))
    assert outcome == Outcome(
        passed=False,
        status="Failure: The health checker could not establish a connection within the timeout"
        " limit. Resolved IP: 127.0.0.1",
        answered=False,
    )


def test_a_refused_connection_fails() -> None:
    async def run() -> Outcome:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        address: Address = server.sockets[0].getsockname()[:2]
        server.close()
        await server.wait_closed()

        async def connect(_name: str, _port: int) -> Address:
            return address

        return await client(connect)(CHECK)

    outcome = asyncio.run(run())
    assert outcome.status == "Failure: Connection refused. Resolved IP: 127.0.0.1"
    assert not outcome.answered


def test_a_name_that_does_not_resolve_fails() -> None:
    async def connect(name: str, _port: int) -> Address:
        raise NameNotResolvedError(f"no A record for {name}")

    outcome = asyncio.run(client(connect)(CHECK))
    assert outcome.status == (
        "Failure: DNS resolution failed: no A record for us-east-1.example.com"
    )


def test_the_name_and_the_port_of_the_check_are_dialled() -> None:
    dialled: list[tuple[str, int]] = []

    async def connect(name: str, port: int) -> Address:
        dialled.append((name, port))
        raise NameNotResolvedError("enough")

    for port in (443, 8443):
        asyncio.run(client(connect)(replace(CHECK, port=port)))
    assert dialled == [(NAME, 443), (NAME, 8443)]


@pytest.mark.parametrize(("enabled", "name"), [(True, NAME), (False, None)])
def test_the_server_name_is_sent_when_sni_is_enabled(name: str | None, *, enabled: bool) -> None:
    heard = Spoken()
    check, tls = replace(CHECK, enable_sni=enabled), tls_of(NAME, heard)
    assert probe(speaking(response(200)), check, tls=tls).passed
    assert heard.server_name == name


def test_a_certificate_is_not_validated() -> None:
    assert probe(speaking(response(200)), tls=tls_of("elsewhere.example.org")).passed


def test_a_handshake_that_hangs_counts_against_the_answers_two_seconds() -> None:
    outcome = probe(_silent, timeouts=replace(HASTY, answer=0.05), tls=None)
    assert "did not respond with an HTTP status code" in outcome.status


def test_an_endpoint_that_speaks_no_tls_fails() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200))
        await writer.drain()
        writer.close()

    assert probe(plain, tls=None).status.startswith("Failure: SSL alert")
