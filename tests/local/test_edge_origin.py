"""How the edge asks an origin: attempts, time limits, names and certificates; no emulator."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
import trustme
from ministack.services import cloudfront

from local.dns.resolver import NameLookupError
from local.edge.connections import Connections
from local.edge.origins import Edge
from local.patches.cloudfront import (
    Origin,
    OriginRequest,
    OriginResponse,
    OriginTimeoutError,
    OriginUnreachableError,
    forward_through,
)

NAME = "origin.landing.localhost"
AUTHORITY = trustme.CA()


@dataclass(slots=True)
class Endpoint:
    """A TLS server that leaves the first `silent` requests without an answer."""

    silent: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\n\r\nhi"
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Answer until the listener is closed."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        AUTHORITY.issue_cert(NAME).configure_cert(context)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        while True:
            try:
                plain, _ = self.listener.accept()
                secure = context.wrap_socket(plain, server_side=True)
                self._open.append(secure)
                self.requests.append(secure.recv(65536))
                if len(self.requests) > self.silent:
                    secure.sendall(self.answer)
                    secure.close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    def shut(self) -> None:
        """Stop listening, which ends `serve`."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self._open:
            each.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    opened = Endpoint()
    thread = threading.Thread(target=opened.serve)
    thread.start()
    yield opened
    opened.shut()
    thread.join()


ORIGIN = Origin(
    NAME, connection_attempts=2, connection_timeout=5, read_timeout=30, keepalive_timeout=5
)
# For an origin that is silent, and for no other: a busy machine takes its time.
IMPATIENT = 0.2


def request(origin: Origin = ORIGIN, method: str = "GET") -> OriginRequest:
    """What CloudFront's behaviours hand over."""
    return OriginRequest(origin, method, "/v1/x", "a=1", {"Host": origin.domain_name}, b"")


@dataclass(slots=True)
class Names:
    """DNS with one answer, counting how often it is asked."""

    known: bool = True
    asked: int = 0

    def resolve(self, name: str) -> str:
        self.asked += 1
        if not self.known:
            raise NameLookupError(f"{name} doesn't exist")
        return "127.0.0.1"


def trusting(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def ask(
    endpoint: Endpoint, method: str = "GET", names: Names | None = None, **more: Any
) -> OriginResponse:
    edge = Edge(Connections((names or Names()).resolve, endpoint.port, trusting()))
    return edge.forward([request(replace(ORIGIN, **more), method)], ())


def test_the_answer_comes_back_whole(endpoint: Endpoint) -> None:
    answer = ask(endpoint)

    assert (answer.status, answer.reason, answer.body) == (200, "OK", b"hi")
    assert [value for name, value in answer.headers if name == "X-A"] == ["1", "2"]
    sent = endpoint.requests[0].decode()
    assert sent.startswith("GET /v1/x?a=1 HTTP/1.1\r\n")
    assert f"\r\nHost: {NAME}\r\n" in sent


@pytest.fixture
def through_ministack(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint) -> None:
    """The data plane of ministack asks this endpoint."""
    monkeypatch.setattr(cloudfront, "_forward_to_origin", cloudfront._forward_to_origin)
    forward_through(
        Edge(Connections(Names().resolve, endpoint.port, trusting())).forward, lambda: None
    )


def as_read_from_a_distribution(read_timeout: float = 30) -> dict[str, Any]:
    """The origin as ministack's data plane has it."""
    origin = replace(ORIGIN, read_timeout=read_timeout)
    return {**asdict(origin), "custom_headers": [("x-origin-key", "secret")]}


@pytest.mark.usefixtures("through_ministack")
def test_ministack_forwards_with_the_origins_own_headers(endpoint: Endpoint) -> None:
    status, reason, headers, body = cloudfront._forward_to_origin(
        as_read_from_a_distribution(), "GET", "/v1/x", "a=1", {"x-origin-key": "v"}, b"", True
    )

    assert (status, reason, body) == (200, "OK", b"hi")
    assert [value for name, value in headers if name == "X-A"] == ["1", "2"]
    sent = endpoint.requests[0].decode()
    assert f"\r\nHost: {NAME}\r\n" in sent
    assert sent.lower().count("x-origin-key: ") == 1
    assert "\r\nx-origin-key: secret\r\n" in sent


@pytest.mark.parametrize(
    ("silent", "error"), [(9, cloudfront.OriginTimeout), (0, cloudfront.OriginUnreachable)]
)
@pytest.mark.usefixtures("through_ministack")
def test_ministack_gets_its_own_error(
    endpoint: Endpoint, silent: int, error: type[Exception]
) -> None:
    endpoint.silent, endpoint.answer = silent, b""
    origin = as_read_from_a_distribution(IMPATIENT)

    with pytest.raises(error):
        cloudfront._forward_to_origin(origin, "POST", "/", "", {}, b"", True)


def test_the_origins_name_is_asked_for_in_the_handshake(endpoint: Endpoint) -> None:
    ask(endpoint)

    assert endpoint.names == [NAME]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_that_gets_no_answer_is_asked_again(endpoint: Endpoint, method: str) -> None:
    endpoint.silent = 1

    assert ask(endpoint, method, read_timeout=2).status == 200
    assert len(endpoint.requests) == 2


def test_a_read_is_not_asked_more_often_than_there_are_attempts(endpoint: Endpoint) -> None:
    endpoint.silent = 9

    with pytest.raises(OriginTimeoutError):
        ask(endpoint, connection_attempts=3, read_timeout=IMPATIENT)
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_write_that_gets_no_answer_is_not_sent_again(endpoint: Endpoint, method: str) -> None:
    endpoint.silent = 9

    with pytest.raises(OriginTimeoutError):
        ask(endpoint, method, read_timeout=IMPATIENT)
    assert len(endpoint.requests) == 1


def test_an_origin_that_hangs_up_without_an_answer_is_unreachable(endpoint: Endpoint) -> None:
    endpoint.answer = b""

    with pytest.raises(OriginUnreachableError):
        ask(endpoint, "POST")
    assert len(endpoint.requests) == 1


def test_a_certificate_of_another_authority_is_refused(endpoint: Endpoint) -> None:
    edge = Edge(Connections(Names().resolve, endpoint.port, trusting(trustme.CA())))

    with pytest.raises(OriginUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        edge.forward([request()], ())
    assert endpoint.requests == []


def test_a_certificate_of_another_name_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(OriginUnreachableError, match="not valid for"):
        ask(endpoint, domain_name="other.landing.localhost")


@pytest.mark.parametrize("known", [True, False])
def test_each_attempt_to_connect_asks_dns(known: bool) -> None:
    nobody = Endpoint()
    port = nobody.port
    nobody.shut()
    names = Names(known)
    edge = Edge(Connections(names.resolve, port, trusting()))

    with pytest.raises(OriginUnreachableError):
        edge.forward([request(replace(ORIGIN, connection_attempts=3), "POST")], ())
    assert names.asked == 3


def test_an_origin_that_takes_too_long_to_connect_to_is_a_timeout() -> None:
    # A listener that nobody serves: the handshake never ends.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        edge = Edge(Connections(Names().resolve, silent.getsockname()[1], trusting()))
        slow = replace(ORIGIN, connection_timeout=0.1)

        with pytest.raises(OriginTimeoutError):
            edge.forward([request(slow, "POST")], ())


def test_what_can_not_stand_in_a_request_line_is_encoded(endpoint: Endpoint) -> None:
    edge = Edge(Connections(Names().resolve, endpoint.port, trusting()))

    edge.forward([replace(request(), uri="/a b\r\nX: 1", query_string="ü")], ())

    assert endpoint.requests[0].startswith(b"GET /a%20b%0D%0AX:%201?%FC HTTP/1.1\r\n")
