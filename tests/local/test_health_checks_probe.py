"""One health check request against endpoints that behave, and that don't."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import trustme

from local.route53.health_checks import HealthCheck, Outcome
from local.route53.probe import Address, NameNotResolvedError, Prober, Timeouts, unverified_tls

HASTY = Timeouts(http_connect=5, tcp_connect=5, answer=5, body=5)
IMPATIENT = Timeouts(http_connect=0.05, tcp_connect=0.05, answer=0.05, body=0.05)
CHECK = HealthCheck("check-1", "HTTP", fqdn="us-east-1.example.com", path="/health/ready")
MATCHING = replace(CHECK, type="HTTP_STR_MATCH", search_string='"ready"')

Endpoint = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Spoken:
    """What an endpoint heard."""

    request = b""
    server_name: str | None = None


def speaking(*parts: bytes, heard: Spoken | None = None, closes: bool = True) -> Endpoint:
    async def endpoint(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.request = request
        for part in parts:
            writer.write(part)
        await writer.drain()
        if not closes:
            await reader.read()
        writer.close()

    return endpoint


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def probe(
    endpoint: Endpoint,
    check: HealthCheck = CHECK,
    *,
    timeouts: Timeouts = HASTY,
    tls: ssl.SSLContext | None = None,
) -> Outcome:
    async def run() -> Outcome:
        server = await asyncio.start_server(endpoint, "127.0.0.1", 0, ssl=tls)
        address: Address = server.sockets[0].getsockname()[:2]

        async def connect(_name: str, _port: int) -> Address:
            return address

        try:
            return await Prober(connect, unverified_tls(), timeouts)(check)
        finally:
            server.close()

    return asyncio.run(run())


def response(code: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Some Reason", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


# --- what passes, what fails ---


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


def test_the_request_is_a_checkers() -> None:
    heard = Spoken()
    probe(speaking(response(200), heard=heard))
    first, *headers = heard.request.decode().splitlines()
    assert first == "GET /health/ready HTTP/1.1"
    assert "Host: us-east-1.example.com" in headers
    assert "User-Agent: Amazon-Route53-Health-Check-Service (ref check-1)" in headers


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
    assert "not valid HTTP" in probe(speaking(noise)).status


def test_an_endpoint_that_hangs_up_fails() -> None:
    outcome = probe(speaking(b"HTTP/1.1 200 OK\r\n"))
    assert not outcome.passed
    assert "closed the connection" in outcome.status


def test_an_endpoint_that_hangs_fails_without_an_answer() -> None:
    outcome = probe(_silent, timeouts=replace(HASTY, answer=0.05))
    assert (outcome.passed, outcome.answered) == (False, False)
    assert "did not respond with an HTTP status code" in outcome.status


def test_a_refused_connection_fails() -> None:
    async def run() -> Outcome:
        server = await asyncio.start_server(_silent, "127.0.0.1", 0)
        address: Address = server.sockets[0].getsockname()[:2]
        server.close()
        await server.wait_closed()

        async def connect(_name: str, _port: int) -> Address:
            return address

        return await Prober(connect, unverified_tls(), HASTY)(CHECK)

    outcome = asyncio.run(run())
    assert outcome.status == "Failure: Connection refused. Resolved IP: 127.0.0.1"
    assert not outcome.answered


def test_a_name_that_does_not_resolve_fails() -> None:
    async def connect(name: str, _port: int) -> Address:
        raise NameNotResolvedError(f"no A record for {name}")

    outcome = asyncio.run(Prober(connect, unverified_tls())(CHECK))
    assert outcome.status == (
        "Failure: DNS resolution failed: no A record for us-east-1.example.com"
    )


def test_the_name_and_the_port_of_the_check_are_dialled() -> None:
    dialled: list[tuple[str, int]] = []

    async def connect(name: str, port: int) -> Address:
        dialled.append((name, port))
        raise NameNotResolvedError("enough")

    asyncio.run(Prober(connect, unverified_tls())(replace(CHECK, port=443)))
    asyncio.run(Prober(connect, unverified_tls())(replace(CHECK, ip_address="192.0.2.1")))
    assert dialled == [("us-east-1.example.com", 443), ("192.0.2.1", 80)]


# --- string matching ---


def test_the_string_is_found_in_the_body() -> None:
    assert probe(speaking(response(200, b'{"status":"ready"}')), MATCHING).passed


def test_a_body_without_the_string_fails() -> None:
    outcome = probe(speaking(response(200, b"no")), MATCHING)
    assert "did not contain the specified search string" in outcome.status


def test_the_string_does_not_help_a_failing_code() -> None:
    assert not probe(speaking(response(503, b'"ready"')), MATCHING).passed


def test_the_string_is_not_looked_for_beyond_5120_bytes() -> None:
    assert probe(speaking(response(200, b"x" * 5113 + b'"ready"')), MATCHING).passed
    assert not probe(speaking(response(200, b"x" * 5114 + b'"ready"')), MATCHING).passed


@pytest.mark.parametrize(
    "body",
    [
        b'4\r\n"rea\r\n3;ext=1\r\ndy"\r\n0\r\n\r\n',
        b"1400\r\n" + b'"ready"' + b"x" * (0x1400 - 7) + b"\r\n0\r\n\r\n",
    ],
)
def test_a_chunked_body_is_put_together(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert probe(speaking(head, body), MATCHING).passed


def test_a_damaged_chunk_fails() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert "not valid HTTP" in probe(speaking(head, b"zz\r\n"), MATCHING).status


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert probe(speaking(b'HTTP/1.1 200 OK\r\n\r\n"ready"'), MATCHING).passed


def test_a_body_that_does_not_come_in_time_fails() -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"ready"'
    endpoint = speaking(head, closes=False)
    assert not probe(endpoint, MATCHING, timeouts=replace(HASTY, body=0.05)).passed


# --- TLS ---


OVER_TLS = replace(CHECK, type="HTTPS", port=443)


def tls_of(*names: str, heard: Spoken | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(*names).configure_cert(context)

    def hear(_socket: object, name: str | None, _context: object) -> None:
        if heard is not None:
            heard.server_name = name

    context.sni_callback = hear
    return context


@pytest.mark.parametrize(("enabled", "name"), [(True, "us-east-1.example.com"), (False, None)])
def test_the_server_name_is_sent_when_sni_is_enabled(name: str | None, *, enabled: bool) -> None:
    heard = Spoken()
    tls = tls_of("us-east-1.example.com", heard=heard)
    outcome = probe(speaking(response(200)), replace(OVER_TLS, enable_sni=enabled), tls=tls)
    assert outcome.passed
    assert heard.server_name == name


def test_a_certificate_is_not_validated() -> None:
    tls = tls_of("elsewhere.example.org")
    assert probe(speaking(response(200)), replace(OVER_TLS, enable_sni=True), tls=tls).passed


def test_a_handshake_that_hangs_counts_against_the_answers_two_seconds() -> None:
    outcome = probe(_silent, OVER_TLS, timeouts=replace(HASTY, answer=0.05))
    assert "did not respond with an HTTP status code" in outcome.status


def test_an_endpoint_that_speaks_no_tls_fails() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200))
        await writer.drain()
        writer.close()

    outcome = probe(plain, OVER_TLS)
    assert outcome.status.startswith("Failure: SSL alert")


# --- TCP ---


def test_a_tcp_check_only_connects() -> None:
    outcome = probe(_silent, replace(CHECK, type="TCP"), timeouts=IMPATIENT)
    assert outcome.passed
