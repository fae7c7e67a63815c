"""One health check request over a real connection."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import h11

from local.dns.health.checks import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    HealthCheck,
    Outcome,
    status_passes,
)

Address = tuple[str, int]
Connect = Callable[[str, int], Awaitable[Address]]

_READ_BYTES = 65_536


class NameNotResolvedError(Exception):
    """`connect` found no address for a name; its text says why."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a checker waits, in seconds; AWS's own unless a test is in a hurry."""

    connect: float = CONNECT_SECONDS
    answer: float = ANSWER_SECONDS


def unverified_tls() -> ssl.SSLContext:
    """Return the TLS settings of AWS's checkers, which take any certificate.

    An invalid or expired one fails no check (dns-failover-determining-health-of-endpoints).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class HealthCheckClient:
    """Asks endpoints: `connect` maps a check's name and port to the address to dial.

    `connect` raises `NameNotResolvedError` when there is none.
    """

    connect: Connect
    tls: ssl.SSLContext
    timeouts: Timeouts = Timeouts()

    async def __call__(self, check: HealthCheck) -> Outcome:
        """Send one request and judge the answer; never raises for what an endpoint does."""
        try:
            address = await self.connect(check.fqdn, check.port)
        except NameNotResolvedError as problem:
            return _silence(f"DNS resolution failed: {problem}")
        resolved = f" Resolved IP: {address[0]}"
        try:
            return await self._ask(check, address, resolved)
        except ssl.SSLError as problem:
            reason = (problem.reason or "handshake_failure").lower()
            return _silence(f"SSL alert {reason}.{resolved}")
        except h11.RemoteProtocolError:
            # Also for a header that isn't RFC 7230's
            # (dns-failover-determining-health-of-endpoints).
            status = f"Failure: The endpoint's response is not valid HTTP.{resolved}"
            return Outcome(passed=False, status=status)
        except OSError as problem:
            reason = os.strerror(problem.errno) if problem.errno else "Connection failed"
            return _silence(f"{reason}.{resolved}")
        except EOFError:
            return _silence(f"The endpoint closed the connection without an answer.{resolved}")

    async def _ask(self, check: HealthCheck, address: Address, resolved: str) -> Outcome:
        try:
            async with asyncio.timeout(self.timeouts.connect):
                reader, writer = await asyncio.open_connection(*address)
        except TimeoutError:
            return _silence(
                "The health checker could not establish a connection within the timeout limit."
                + resolved
            )
        try:
            async with asyncio.timeout(self.timeouts.answer):
                name = check.fqdn if check.enable_sni else None
                await writer.start_tls(self.tls, server_hostname=name)
                code = await _status_code(check, reader, writer)
        except TimeoutError:
            return _silence(
                "The endpoint did not respond with an HTTP status code within the timeout limit."
                + resolved
            )
        finally:
            writer.transport.abort()
        status = f"HTTP Status Code {code}, {_phrase(code)}"
        if status_passes(code):
            return Outcome(passed=True, status=f"Success: {status}")
        return Outcome(passed=False, status=f"Failure: {status}.{resolved}")


async def _status_code(
    check: HealthCheck, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> int:
    """Send the request and return the answer's code.

    Raises h11.RemoteProtocolError for what is not HTTP, EOFError for a connection that ends early.
    """
    connection = h11.Connection(h11.CLIENT)
    headers = {
        "Host": check.host_header,
        "Connection": "close",
        "User-Agent": f"Amazon-Route53-Health-Check-Service (ref {check.id})",
        "Accept": "*/*",
    }
    request = h11.Request(method="GET", target=check.request_path, headers=list(headers.items()))
    writer.write(connection.send(request) or b"")
    while not isinstance(event := connection.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            data = await reader.read(_READ_BYTES)
            if not data:
                raise EOFError
            connection.receive_data(data)
    return event.status_code


def _silence(reason: str) -> Outcome:
    return Outcome(passed=False, status=f"Failure: {reason}", answered=False)


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Unknown"
