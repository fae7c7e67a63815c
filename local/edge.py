"""The edge's door: CloudFront's distributions, served by ministack, reach the Regions' doors.

ministack plays a distribution's behaviours, policies and headers. What is ours is how its origin
is found and asked, as CloudFront does it: by DNS with its TTLs, over TLS with the origin's own
name, within the distribution's timeouts. Pages are those of
docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.

Not played: caching (the distribution here caches nothing, its errors included), compression (which
CloudFront does for what it may cache), geographic restrictions, and connections to the origin that
are kept for the next request: each request dials anew, which costs a handshake and saves the
question what a connection to a Region that is gone means for a write.
"""

from __future__ import annotations

import contextvars
import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ministack.services import cloudfront

from local import web_acl
from local.http_messages import Request, Response
from local.records import EdgeRecord, OriginExchange

Answer = tuple[int, str, Sequence[tuple[str, str]], bytes]
Origin = dict[str, Any]

# RequestAndResponseBehaviorCustomOrigin, "Origin response timeout": of the methods, these alone are
# sent again when no answer comes, as often as the distribution has connection attempts.
SENT_AGAIN = frozenset({"GET", "HEAD"})
# DownloadDistValuesOrigin: 3 attempts of 10 seconds, unless the origin says otherwise.
DEFAULT_ATTEMPTS = 3
DEFAULT_CONNECT_SECONDS = 10
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")


@dataclass(slots=True)
class _Exchange:
    """A request at the edge, and what became of it at the origin."""

    request_id: str
    origin: OriginExchange | None = None


_exchange: contextvars.ContextVar[_Exchange] = contextvars.ContextVar("exchange")
# Told of every request that a distribution has answered.
listeners: list[Callable[[EdgeRecord], None]] = []


def distribution_of(name: str) -> dict[str, Any] | None:
    """The enabled distribution that a host name leads to: by alias, or by CloudFront's own name."""
    found = (each for each in distributions() if name in map(str.lower, names(each)))
    return next(found, None)


def distributions() -> list[dict[str, Any]]:
    """Every enabled distribution."""
    return [each for each in cloudfront._distributions.values() if each["enabled"]]


def names(distribution: dict[str, Any]) -> list[str]:
    """A distribution's host names: its aliases, then CloudFront's own."""
    aliases: list[str] = cloudfront._get_distribution_aliases(distribution)
    return [*aliases, distribution["DomainName"]]


def origin_names(distribution: dict[str, Any]) -> list[str]:
    """The domain names of a distribution's origins."""
    origins = cloudfront.parse_distribution_dataplane_config(distribution)["origins"]
    return [origin["domain_name"] for origin in origins.values()]


async def answer(distribution: dict[str, Any], request: Request) -> Response:
    """What the distribution answers to a viewer."""
    exchange = _Exchange(cloudfront._cf_request_id())
    token = _exchange.set(exchange)
    try:
        refused = _blocked(distribution, request)
        response = refused or await _viewer_request(distribution, request)
    finally:
        _exchange.reset(token)
    record = _record(distribution, request, exchange, response)
    for listener in listeners:
        listener(record)
    return response


def _blocked(distribution: dict[str, Any], request: Request) -> Response | None:
    """CloudFront's answer to a request that the distribution's web ACL blocks, else None."""
    arn = cloudfront._text(cloudfront._dist_config_el(distribution), "WebACLId") or ""
    verdict = web_acl.verdict_of(arn, request)
    if verdict.allowed:
        return None
    if verdict.status is None:
        page: Response = cloudfront._cf_error_response(
            403, "Request blocked.", cloudfront._ERROR_X_CACHE
        )
        return page
    headers = cloudfront._add_cloudfront_headers(
        dict(verdict.headers), cloudfront._ERROR_X_CACHE, edge_server=True
    )
    return verdict.status, headers, b""


def _record(
    distribution: dict[str, Any], request: Request, exchange: _Exchange, response: Response
) -> EdgeRecord:
    status, headers, body = response
    return EdgeRecord(
        account=distribution["ARN"].split(":")[4],
        distribution=distribution["Id"],
        distribution_domain=distribution["DomainName"],
        request=request,
        request_id=exchange.request_id,
        status=status,
        headers={name.lower(): str(value) for name, value in headers.items()},
        response_length=len(body),
        end=time.time(),
        origin=exchange.origin,
    )


def too_large() -> Response:
    """CloudFront's answer to a body that it doesn't take."""
    page: Response = cloudfront._cf_error_response(
        413, "The request entity is too large.", cloudfront._ERROR_X_CACHE
    )
    return page


async def _viewer_request(distribution: dict[str, Any], request: Request) -> Response:
    response: Response = await cloudfront.handle_viewer_request(
        distribution, request.method, request.path, request.raw_path, request.query,
        {**request.headers, "x-forwarded-proto": "https"}, request.body,
        parse_qs(request.query, keep_blank_values=True), request.client,
    )  # fmt: skip
    return response


@dataclass(frozen=True, slots=True)
class Edge:
    """How origins are asked: every one of them is behind a door, on the door's port.

    `resolve` gives a name's address, and raises OSError when it has none.
    """

    resolve: Callable[[str], str]
    port: int
    tls: ssl.SSLContext

    def forward(  # noqa: PLR0913, PLR0917 - stands in for ministack's own
        self,
        origin: Origin,
        method: str,
        uri: str,
        query_string: str,
        headers: dict[str, str],
        body: bytes,
        viewer_is_https: bool,
        client_ip: str = "127.0.0.1",
        viewer_x_forwarded_for: str = "",
    ) -> Answer:
        """Send a request to its origin; blocks, on a thread of its own.

        Raises OriginTimeout (CloudFront's 504) and OriginUnreachable (502).
        """
        sent = cloudfront._origin_request_headers(
            origin, headers, client_ip, viewer_x_forwarded_for
        )
        target = _target(uri, query_string)
        attempts = origin["connection_attempts"] if method in SENT_AGAIN else 1
        while True:
            attempts -= 1
            start = time.time()
            try:
                answer = self._ask(origin, method, target, body, sent)
            except TimeoutError as silence:
                _note(start, failure="OriginReadError")
                if attempts < 1:
                    raise cloudfront.OriginTimeout(str(silence)) from silence
            except (OSError, http.client.HTTPException) as failure:
                _note(start, failure="OriginCommError")
                raise cloudfront.OriginUnreachable(str(failure)) from failure
            except (cloudfront.OriginTimeout, cloudfront.OriginUnreachable):
                _note(start, failure="OriginConnectError")
                raise
            else:
                _note(start, status=answer[0])
                return answer

    def _ask(
        self, origin: Origin, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection(origin["domain_name"])
        connection.sock = self._connected(origin)
        try:
            connection.sock.settimeout(origin["read_timeout"])
            connection.request(method, target, body=body or None, headers=headers)
            response = connection.getresponse()
            return response.status, response.reason, response.getheaders(), response.read()
        finally:
            connection.close()

    def _connected(self, origin: Origin) -> ssl.SSLSocket:
        """A connection to the origin: each attempt asks DNS, within the answer's TTL.

        An attempt that takes too long and one that is refused count alike. Time for the handshake
        is the connection's, which CloudFront's pages leave open.
        """
        for left in reversed(range(origin["connection_attempts"])):
            try:
                return self._dial(origin["domain_name"], origin["connection_timeout"])
            except ssl.SSLError as failure:
                raise cloudfront.OriginUnreachable(str(failure)) from failure
            except TimeoutError as silence:
                if not left:
                    raise cloudfront.OriginTimeout(str(silence)) from silence
            except OSError as failure:
                if not left:
                    raise cloudfront.OriginUnreachable(str(failure)) from failure
        raise AssertionError("an origin has at least one attempt")

    def _dial(self, name: str, seconds: float) -> ssl.SSLSocket:
        plain = socket.create_connection((self.resolve(name), self.port), timeout=seconds)
        try:
            return self.tls.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise


def install(edge: Edge) -> None:
    """Put the edge's way to an origin in the place of ministack's.

    ministack dials the name that the system's resolver knows, at the origin's own port (443), with
    the system's roots, once, and doesn't read the distribution's attempts and connection timeout.
    It gives each header of one request another x-amz-cf-id, where CloudFront's is one: what the
    viewer sees, the origin gets and the log keeps.
    """
    read_origin, new_id = cloudfront._dataplane_origin, cloudfront._cf_request_id

    def dataplane_origin(element: Any) -> Origin:  # noqa: ANN401 - an XML element of ministack's
        attempts = cloudfront._text(element, "ConnectionAttempts") or DEFAULT_ATTEMPTS
        seconds = cloudfront._text(element, "ConnectionTimeout") or DEFAULT_CONNECT_SECONDS
        times = {"connection_attempts": int(attempts), "connection_timeout": int(seconds)}
        return {**read_origin(element), **times}

    def cf_request_id() -> str:
        exchange = _exchange.get(None)
        return exchange.request_id if exchange else str(new_id())

    cloudfront._dataplane_origin = dataplane_origin
    cloudfront._cf_request_id = cf_request_id
    cloudfront._forward_to_origin = edge.forward


def _note(start: float, *, status: int | None = None, failure: str | None = None) -> None:
    exchange = _exchange.get(None)
    if exchange:
        exchange.origin = OriginExchange(start, time.time(), status, failure)


def _target(uri: str, query_string: str) -> str:
    target = f"{uri}?{query_string}" if query_string else uri
    return _NOT_IN_A_TARGET.sub(lambda found: f"%{ord(found[0]):02X}", target)
