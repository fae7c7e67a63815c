"""The edge: CloudFront's distributions, emulated by ministack, reach the regional endpoints.

ministack emulates a distribution's behaviours, policies and headers. What is ours is how its origin
is found and asked, as CloudFront does it: by DNS with its TTLs, over TLS with the origin's own
name, within the distribution's timeouts. Pages are those of
docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.

Not emulated: caching (the distribution here caches nothing, its errors included), compression
(which CloudFront does for what it may cache), geographic restrictions, and connections to the
origin that are kept for the next request: each request dials anew, which costs a handshake and
saves the question what a connection to a Region that is gone means for a write.
"""

from __future__ import annotations

import contextvars
import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from local import web_acl
from local.http_messages import Request, Response
from local.records import EdgeRecord, OriginExchange
from local.patches import cloudfront
from local.patches.cloudfront import (
    Distribution,
    Origin,
    OriginRequest,
    OriginResponse,
    OriginTimeoutError,
    OriginUnreachableError,
    ViewerRequest,
)

# RequestAndResponseBehaviorCustomOrigin, "Origin response timeout": of the methods, these alone are
# sent again when no answer comes, as often as the distribution has connection attempts.
SENT_AGAIN = frozenset({"GET", "HEAD"})
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")


@dataclass(slots=True)
class _Exchange:
    """A request at the edge, and what became of it at the origin."""

    request_id: str
    origin: OriginExchange | None = None


_exchange: contextvars.ContextVar[_Exchange] = contextvars.ContextVar("exchange")
# Called with every request that a distribution has answered.
listeners: list[Callable[[EdgeRecord], None]] = []


def distribution_of(name: str) -> Distribution | None:
    """The enabled distribution that a host name leads to: by alias, or by CloudFront's own name."""
    found = (each for each in cloudfront.distributions() if name in map(str.lower, each.names))
    return next(found, None)


async def answer(distribution: Distribution, request: Request) -> Response:
    """What the distribution answers to a viewer."""
    exchange = _Exchange(cloudfront.new_request_id())
    token = _exchange.set(exchange)
    try:
        blocked = _blocked(distribution, request)
        response = blocked or await cloudfront.viewer_request(distribution, _viewer(request))
    finally:
        _exchange.reset(token)
    record = _record(distribution, request, exchange, response)
    for listener in listeners:
        listener(record)
    return response


def _blocked(distribution: Distribution, request: Request) -> Response | None:
    """CloudFront's answer to a request that the distribution's web ACL blocks, else None."""
    verdict = web_acl.verdict_of(cloudfront.web_acl_arn(distribution), request)
    if verdict.allowed:
        return None
    if verdict.status is None:
        return cloudfront.blocked_page()
    return cloudfront.custom_block(verdict.status, dict(verdict.headers))


def _record(
    distribution: Distribution, request: Request, exchange: _Exchange, response: Response
) -> EdgeRecord:
    status, headers, body = response
    return EdgeRecord(
        account=distribution.account,
        distribution=distribution.id,
        distribution_domain=distribution.domain_name,
        request=request,
        request_id=exchange.request_id,
        status=status,
        headers={name.lower(): str(value) for name, value in headers.items()},
        response_length=len(body),
        end=time.time(),
        origin=exchange.origin,
    )


def _viewer(request: Request) -> ViewerRequest:
    return ViewerRequest(
        method=request.method,
        path=request.path,
        raw_path=request.raw_path,
        query=request.query,
        headers=request.headers,
        body=request.body,
        client=request.client,
    )


def too_large() -> Response:
    """CloudFront's answer to a body that it doesn't take."""
    return cloudfront.too_large_page()


@dataclass(frozen=True, slots=True)
class Edge:
    """How origins are asked: each is a regional endpoint, at the endpoints' port.

    `resolve` gives a name's address, and raises OSError when it has none.
    """

    resolve: Callable[[str], str]
    port: int
    tls: ssl.SSLContext

    def forward(self, request: OriginRequest) -> OriginResponse:
        """Send a request to its origin; blocks, on a thread of its own.

        Raises OriginTimeoutError and OriginUnreachableError.
        """
        repeated = request.method in SENT_AGAIN
        attempts = request.origin.connection_attempts if repeated else 1
        while True:
            attempts -= 1
            start = time.time()
            try:
                response = self._ask(request)
            except TimeoutError as silence:
                _note(start, failure="OriginReadError")
                if attempts < 1:
                    raise OriginTimeoutError(str(silence)) from silence
            except (OSError, http.client.HTTPException) as failure:
                _note(start, failure="OriginCommError")
                raise OriginUnreachableError(str(failure)) from failure
            except (OriginTimeoutError, OriginUnreachableError):
                _note(start, failure="OriginConnectError")
                raise
            else:
                _note(start, status=response.status)
                return response

    def _ask(self, request: OriginRequest) -> OriginResponse:
        connection = http.client.HTTPConnection(request.origin.domain_name)
        connection.sock = self._connected(request.origin)
        try:
            connection.sock.settimeout(request.origin.read_timeout)
            target = _target(request.uri, request.query_string)
            connection.request(
                request.method, target, body=request.body or None, headers=request.headers
            )
            response = connection.getresponse()
            return OriginResponse(
                response.status, response.reason, response.getheaders(), response.read()
            )
        finally:
            connection.close()

    def _connected(self, origin: Origin) -> ssl.SSLSocket:
        """A connection to the origin: each attempt asks DNS, within the answer's TTL.

        An attempt that takes too long and one that is refused count alike. Time for the handshake
        is the connection's, which CloudFront's pages leave open.
        """
        for left in reversed(range(origin.connection_attempts)):
            try:
                return self._dial(origin.domain_name, origin.connection_timeout)
            except ssl.SSLError as failure:
                raise OriginUnreachableError(str(failure)) from failure
            except TimeoutError as silence:
                if not left:
                    raise OriginTimeoutError(str(silence)) from silence
            except OSError as failure:
                if not left:
                    raise OriginUnreachableError(str(failure)) from failure
        raise AssertionError("an origin has at least one attempt")

    def _dial(self, name: str, seconds: float) -> ssl.SSLSocket:
        plain = socket.create_connection((self.resolve(name), self.port), timeout=seconds)
        try:
            return self.tls.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise


def install(edge: Edge) -> None:
    """Ask origins through `edge`, with the one request id of the exchange."""
    cloudfront.forward_through(edge.forward)
    cloudfront.one_request_id(_request_id)


def _request_id() -> str | None:
    exchange = _exchange.get(None)
    return exchange.request_id if exchange else None


def _note(start: float, *, status: int | None = None, failure: str | None = None) -> None:
    exchange = _exchange.get(None)
    if exchange:
        exchange.origin = OriginExchange(start, time.time(), status, failure)


def _target(uri: str, query_string: str) -> str:
    target = f"{uri}?{query_string}" if query_string else uri
    return _NOT_IN_A_TARGET.sub(lambda found: f"%{ord(found[0]):02X}", target)
