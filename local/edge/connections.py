"""Connections to origins, kept open as CloudFront keeps them.

An origin's keep-alive timeout is how long a connection may be *idle* (DownloadDistValuesOrigin,
"Keep-alive timeout"). While requests follow each other it is used again, wherever DNS leads by
then. How long that may go on is documented neither by CloudFront nor by API Gateway, and a function
behind a REST API can't end it: its `Connection` header is renamed (api-gateway-known-issues). So
MAX_AGE_SECONDS is an assumption, no rule of AWS's, and on AWS the answer has to be measured.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from local.patches.cloudfront import Origin, OriginTimeoutError, OriginUnreachableError

# As long as an idle one may live by default. A busy one that were never closed would keep an edge
# at a Region that answers with errors for ever, which nobody has reported of CloudFront.
MAX_AGE_SECONDS = 5.0


class ConnectTimeoutError(OriginTimeoutError):
    """No connection came about in time.

    A viewer is told as of any silence. A group counts it as 503 (high_availability_origin_failover:
    CloudFront "fails to connect to the primary origin").
    """


@dataclass(slots=True)
class Connection:
    """A connection to an origin; `used` once an answer has come over it. Times are monotonic."""

    http: http.client.HTTPConnection
    made_at: float
    used: bool = False
    idle_since: float = 0.0


@dataclass(slots=True)
class Connections:
    """Dials origins, and keeps what they leave open. Each is an endpoint at the endpoints' port.

    `resolve` gives a name's address, and raises OSError when it has none. `now` is a clock, in
    seconds, that never goes back.
    """

    resolve: Callable[[str], str]
    port: int
    tls: ssl.SSLContext
    now: Callable[[], float] = time.monotonic
    _idle: dict[Origin, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, origin: Origin) -> Connection:
        """A connection that was kept, else a new one; the origin's timeouts apply.

        Raises OriginTimeoutError and OriginUnreachableError.
        """
        while kept := self._kept(origin):
            if self._open(kept, origin):
                return kept
            kept.http.close()
        return self.dial(origin)

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Put a connection back, on which another request may follow."""
        connection.used, connection.idle_since = True, self.now()
        with self._lock:
            self._idle[origin].append(connection)

    def dial(self, origin: Origin) -> Connection:
        """A new connection: each attempt asks DNS, within the answer's TTL.

        An attempt that takes too long and one that is refused count alike. Time for the handshake
        is the connection's, which CloudFront's pages leave open.
        """
        for left in reversed(range(origin.connection_attempts)):
            try:
                return self._connected(origin)
            except ssl.SSLError as failure:
                raise OriginUnreachableError(str(failure)) from failure
            except TimeoutError as silence:
                if not left:
                    raise ConnectTimeoutError(str(silence)) from silence
            except OSError as failure:
                if not left:
                    raise OriginUnreachableError(str(failure)) from failure
        raise AssertionError("an origin has at least one attempt")

    def _kept(self, origin: Origin) -> Connection | None:
        with self._lock:
            return self._idle[origin].pop() if self._idle[origin] else None

    def _connected(self, origin: Origin) -> Connection:
        name, seconds = origin.domain_name, origin.connection_timeout
        plain = socket.create_connection((self.resolve(name), self.port), timeout=seconds)
        try:
            secure = self.tls.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise
        secure.settimeout(origin.read_timeout)
        connection = http.client.HTTPConnection(name)
        connection.sock = secure
        return Connection(connection, made_at=self.now())

    def _open(self, connection: Connection, origin: Origin) -> bool:
        """Whether a kept connection may be used: not too old, nor idle for too long, nor closed."""
        now = self.now()
        if now - connection.made_at >= MAX_AGE_SECONDS:
            return False
        if now - connection.idle_since >= origin.keepalive_timeout:
            return False
        closed = select.poll()
        closed.register(connection.http.sock, select.POLLIN)
        return not closed.poll(0)
