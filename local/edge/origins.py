"""How origins are asked: one or a group in turn, within their time limits.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Collection, Sequence

from local.edge import exchange, functions
from local.edge.connections import Connection, Connections, ConnectTimeoutError
from local.patches.cloudfront import (
    OriginRequest,
    OriginResponse,
    OriginTimeoutError,
    OriginUnreachableError,
    forward_through,
    one_request_id,
    run_functions_with,
)

# RequestAndResponseBehaviorCustomOrigin, "Origin response timeout": of the methods, these alone are
# sent again when no answer comes, as often as the distribution has connection attempts.
READS = frozenset({"GET", "HEAD"})
UNAVAILABLE, GATEWAY_TIMEOUT = 503, 504
_NOT_IN_A_TARGET = re.compile(r"[^\x21-\x7e]")


class Edge:
    """How origins are asked: one, or those of a group in turn."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def forward(
        self, requests: Sequence[OriginRequest], fails_over_on: Collection[int]
    ) -> OriginResponse:
        """Send a request to its origin, or to each of a group's until one answers otherwise.

        `requests` is the same one for each origin in turn. Blocks, on a thread of its own. Raises
        OriginTimeoutError and OriginUnreachableError for the last origin.

        A connection that fails counts as 503, a silence as 504, and other methods than GET and HEAD
        stay with the first origin (high_availability_origin_failover; it names OPTIONS too, which
        is not emulated).
        """
        *others, last = requests if requests[0].method in READS else requests[:1]
        for request in others:
            try:
                response = self._from_origin(request)
            except (OriginUnreachableError, ConnectTimeoutError):
                if UNAVAILABLE not in fails_over_on:
                    raise
            except OriginTimeoutError:
                if GATEWAY_TIMEOUT not in fails_over_on:
                    raise
            else:
                if response.status not in fails_over_on:
                    return response
        return self._from_origin(last)

    def _from_origin(self, request: OriginRequest) -> OriginResponse:
        attempts = request.origin.connection_attempts if request.method in READS else 1
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
        connection = self._connections.take(request.origin)
        try:
            return self._exchange(request, connection)
        except (ConnectionError, ssl.SSLError, http.client.HTTPException):
            # Closed under the request, it may have been used once too often: a read is asked again.
            # A write may have arrived.
            if not connection.used or request.method not in READS:
                raise
            return self._exchange(request, self._connections.dial(request.origin))

    def _exchange(self, request: OriginRequest, connection: Connection) -> OriginResponse:
        target = _target(request.uri, request.query_string)
        try:
            connection.http.request(
                request.method, target, body=request.body or None, headers=request.headers
            )
            response = connection.http.getresponse()
            whole = OriginResponse(
                response.status, response.reason, response.getheaders(), response.read()
            )
        except BaseException:
            connection.http.close()
            raise
        if response.will_close:
            connection.http.close()
        else:
            self._connections.keep(request.origin, connection)
        return whole


def install(edge: Edge) -> None:
    """Ask origins through `edge`, in turn where a function says so, with the exchange's one id."""
    run_functions_with(functions.run, exchange.choose)
    forward_through(edge.forward, exchange.chosen)
    one_request_id(exchange.request_id)


def _target(uri: str, query_string: str) -> str:
    target = f"{uri}?{query_string}" if query_string else uri
    return _NOT_IN_A_TARGET.sub(lambda found: f"%{ord(found[0]):02X}", target)
