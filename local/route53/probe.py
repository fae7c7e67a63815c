"""One health check request over a real connection."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from local.route53.health_checks import (
    ANSWER_SECONDS,
    BODY_SECONDS,
    HTTP_CONNECT_SECONDS,
    SEARCHED_BYTES,
    TCP_CONNECT_SECONDS,
    HealthCheck,
    Outcome,
    body_matches,
    status_passes,
)

Address = tuple[str, int]
Connect = Callable[[str, int], Awaitable[Address]]

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?$")
# A header field as RFC 7230, 3.2 has it; endpoints that send others fail
# (dns-failover-determining-health-of-endpoints).
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[^\x00\r\n]*$")
_HEAD_BYTES = 65_536


class NameNotResolvedError(Exception):
    """`connect` found no address for a name; its text says why."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a checker waits, in seconds; AWS's own unless a test is in a hurry."""

    http_connect: float = HTTP_CONNECT_SECONDS
    tcp_connect: float = TCP_CONNECT_SECONDS
    answer: float = ANSWER_SECONDS
    body: float = BODY_SECONDS


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of a response."""

    code: int
    chunked: bool
    length: int | None


class _BadResponseError(Exception):
    """The endpoint spoke, but not HTTP."""


def unverified_tls() -> ssl.SSLContext:
    """Return the TLS settings of AWS's checkers, which take any certificate.

    An invalid or expired one fails no check (dns-failover-determining-health-of-endpoints).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Prober:
    """Asks endpoints: `connect` maps a check's name and port to the address to dial.

    `connect` raises `NameNotResolvedError` when there is none. `tls` may verify certificates, which
    is stricter than AWS.
    """

    connect: Connect
    tls: ssl.SSLContext
    timeouts: Timeouts = Timeouts()

    async def __call__(self, check: HealthCheck) -> Outcome:
        """Send one request and judge the answer; never raises for what an endpoint does."""
        try:
            address = await self.connect(check.ip_address or check.fqdn or "", check.port)
        except NameNotResolvedError as problem:
            return _silence(f"DNS resolution failed: {problem}")
        resolved = "" if check.ip_address else f" Resolved IP: {address[0]}"
        try:
            return await self._ask(check, address, resolved)
        except ssl.SSLError as problem:
            return _silence(f"SSL alert {_reason_of(problem)}.{resolved}")
        except (_BadResponseError, asyncio.LimitOverrunError):
            status = f"Failure: The endpoint's response is not valid HTTP.{resolved}"
            return Outcome(passed=False, status=status)
        except OSError as problem:
            reason = os.strerror(problem.errno) if problem.errno else "Connection failed"
            return _silence(f"{reason}.{resolved}")
        except EOFError:
            return _silence(f"The endpoint closed the connection without an answer.{resolved}")

    async def _ask(self, check: HealthCheck, address: Address, resolved: str) -> Outcome:
        over_tcp = check.type == "TCP"
        seconds = self.timeouts.tcp_connect if over_tcp else self.timeouts.http_connect
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(*address, limit=_HEAD_BYTES)
        except TimeoutError:
            return _silence(
                "The health checker could not establish a connection within the timeout limit."
                + resolved
            )
        try:
            if over_tcp:
                return Outcome(passed=True, status="Success: TCP connection established")
            return await self._ask_http(check, reader, writer, resolved)
        finally:
            writer.transport.abort()

    async def _ask_http(
        self,
        check: HealthCheck,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        resolved: str,
    ) -> Outcome:
        try:
            async with asyncio.timeout(self.timeouts.answer):
                if check.over_tls:
                    name = check.fqdn if check.enable_sni else None
                    await writer.start_tls(self.tls, server_hostname=name)
                writer.write(_request(check))
                head = await _head(reader)
        except TimeoutError:
            return _silence(
                "The endpoint did not respond with an HTTP status code within the timeout limit."
                + resolved
            )
        said = f"HTTP Status Code {head.code}, {_phrase(head.code)}"
        if not status_passes(head.code):
            return Outcome(passed=False, status=f"Failure: {said}.{resolved}")
        if check.matches_string and not await self._matches(check, reader, head):
            missing = "the response body did not contain the specified search string"
            return Outcome(passed=False, status=f"Failure: {said}, but {missing}.{resolved}")
        return Outcome(passed=True, status=f"Success: {said}")

    async def _matches(self, check: HealthCheck, reader: asyncio.StreamReader, head: Head) -> bool:
        body = bytearray()
        try:
            async with asyncio.timeout(self.timeouts.body):
                await _read_body(reader, head, body)
        except TimeoutError:
            return False
        return body_matches(bytes(body), check.search_string)


def _silence(reason: str) -> Outcome:
    return Outcome(passed=False, status=f"Failure: {reason}", answered=False)


def _reason_of(problem: ssl.SSLError) -> str:
    return (problem.reason or "handshake_failure").lower()


def _request(check: HealthCheck) -> bytes:
    lines = (
        f"GET {check.request_path} HTTP/1.1",
        f"Host: {check.host_header}",
        "Connection: close",
        f"User-Agent: Amazon-Route53-Health-Check-Service (ref {check.id})",
        "Accept: */*",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


async def _head(reader: asyncio.StreamReader) -> Head:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *fields = raw[:-4].split(b"\r\n")
    status = _STATUS_LINE.match(first)
    if status is None or not all(map(_FIELD.match, fields)):
        raise _BadResponseError
    values = {
        name.lower(): value.strip()
        for name, _, value in (field.partition(b":") for field in fields)
    }
    length = values.get(b"content-length", b"")
    return Head(
        code=int(status.group(1)),
        chunked=values.get(b"transfer-encoding", b"").lower().endswith(b"chunked"),
        length=int(length) if length.isdigit() else None,
    )


async def _read_body(reader: asyncio.StreamReader, head: Head, body: bytearray) -> None:
    """Fill `body` with as much as is searched; a body cut short is searched as far as it came."""
    try:
        if head.chunked:
            await _read_chunks(reader, body)
            return
        wanted = SEARCHED_BYTES if head.length is None else min(head.length, SEARCHED_BYTES)
        body += await reader.readexactly(wanted)
    except asyncio.IncompleteReadError as problem:
        body += problem.partial


async def _read_chunks(reader: asyncio.StreamReader, body: bytearray) -> None:
    while len(body) < SEARCHED_BYTES:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError as problem:
            raise _BadResponseError from problem
        if size <= 0:
            return
        wanted = min(size, SEARCHED_BYTES - len(body))
        body += await reader.readexactly(wanted)
        if wanted < size:
            return
        await reader.readexactly(2)


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Unknown"
