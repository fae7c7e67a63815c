"""How an origin is found and asked: DNS for each attempt, TLS with its own name, time limits.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from local.edge import exchange
from local.patches.cloudfront import (
    Origin,
    OriginRequest,
    OriginResponse,
    OriginTimeoutError,
    OriginUnreachableError,
    forward_through,
    one_request_id,
)

# RequestAndResponseBehaviorCustomOrigin, "Origin response timeout": of the methods, these alone are
# sent again when no answer comes, as often as the distribution has connection attempts.
SENT_AGAIN = frozenset({"GET", "HEAD"})
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")


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
                exchange.note_attempt(start, failure="OriginReadError")
                if attempts < 1:
                    raise OriginTimeoutError(str(silence)) from silence
            except (OSError, http.client.HTTPException) as failure:
                exchange.note_attempt(start, failure="OriginCommError")
                raise OriginUnreachableError(str(failure)) from failure
            except (OriginTimeoutError, OriginUnreachableError):
                exchange.note_attempt(start, failure="OriginConnectError")
                raise
            else:
                exchange.note_attempt(start, status=response.status)
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
    forward_through(edge.forward)
    one_request_id(exchange.request_id)


def _target(uri: str, query_string: str) -> str:
    target = f"{uri}?{query_string}" if query_string else uri
    return _NOT_IN_A_TARGET.sub(lambda found: f"%{ord(found[0]):02X}", target)
