"""How the edge asks an origin: attempts, time limits, names and certificates; no bench."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from ministack.services import cloudfront

from local.dns.resolver import NameLookupError
from local.edge import Edge

NAME = "origin.landing.localhost"
AUTHORITY = trustme.CA()


@dataclass(slots=True)
class Door:
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
def door() -> Iterator[Door]:
    opened = Door()
    thread = threading.Thread(target=opened.serve)
    thread.start()
    yield opened
    opened.shut()
    thread.join()


def origin(**more: Any) -> dict[str, Any]:
    """An origin as ministack's data plane reads it from a distribution."""
    return {
        "domain_name": NAME,
        "custom_headers": [("x-origin-key", "secret")],
        "connection_attempts": 2,
        "connection_timeout": 5,
        "read_timeout": 0.2,
        **more,
    }


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


def ask(door: Door, method: str = "GET", names: Names | None = None, **more: Any) -> Any:
    edge = Edge((names or Names()).resolve, door.port, trusting())
    return edge.forward(origin(**more), method, "/v1/x", "a=1", {"x-origin-key": "v"}, b"", True)


def test_the_answer_comes_back_whole(door: Door) -> None:
    status, reason, headers, body = ask(door)

    assert (status, reason, body) == (200, "OK", b"hi")
    assert [value for name, value in headers if name == "X-A"] == ["1", "2"]
    sent = door.requests[0].decode()
    assert sent.startswith("GET /v1/x?a=1 HTTP/1.1\r\n")
    assert f"\r\nHost: {NAME}\r\n" in sent
    assert sent.lower().count("x-origin-key: ") == 1
    assert "\r\nx-origin-key: secret\r\n" in sent


def test_the_origins_name_is_asked_for_in_the_handshake(door: Door) -> None:
    ask(door)

    assert door.names == [NAME]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_that_gets_no_answer_is_asked_again(door: Door, method: str) -> None:
    door.silent = 1

    assert ask(door, method)[0] == 200
    assert len(door.requests) == 2


def test_a_read_is_not_asked_more_often_than_there_are_attempts(door: Door) -> None:
    door.silent = 9

    with pytest.raises(cloudfront.OriginTimeout):
        ask(door, connection_attempts=3)
    assert len(door.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_write_that_gets_no_answer_is_not_sent_again(door: Door, method: str) -> None:
    door.silent = 9

    with pytest.raises(cloudfront.OriginTimeout):
        ask(door, method)
    assert len(door.requests) == 1


def test_an_origin_that_hangs_up_without_an_answer_is_unreachable(door: Door) -> None:
    door.answer = b""

    with pytest.raises(cloudfront.OriginUnreachable):
        ask(door, "POST")
    assert len(door.requests) == 1


def test_a_certificate_of_another_authority_is_refused(door: Door) -> None:
    edge = Edge(Names().resolve, door.port, trusting(trustme.CA()))

    with pytest.raises(cloudfront.OriginUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        edge.forward(origin(), "GET", "/", "", {}, b"", True)
    assert door.requests == []


def test_a_certificate_of_another_name_is_refused(door: Door) -> None:
    with pytest.raises(cloudfront.OriginUnreachable, match="not valid for"):
        ask(door, domain_name="other.landing.localhost")


@pytest.mark.parametrize("known", [True, False])
def test_each_attempt_to_connect_asks_dns(known: bool) -> None:
    nobody = Door()
    port = nobody.port
    nobody.shut()
    names = Names(known)
    edge = Edge(names.resolve, port, trusting())

    with pytest.raises(cloudfront.OriginUnreachable):
        edge.forward(origin(connection_attempts=3), "POST", "/", "", {}, b"", True)
    assert names.asked == 3


def test_an_origin_that_takes_too_long_to_connect_to_is_a_timeout() -> None:
    # A listener that nobody serves: the handshake never ends.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        edge = Edge(Names().resolve, silent.getsockname()[1], trusting())
        slow = origin(connection_attempts=2, connection_timeout=0.1)

        with pytest.raises(cloudfront.OriginTimeout):
            edge.forward(slow, "POST", "/", "", {}, b"", True)


def test_what_can_not_stand_in_a_request_line_is_encoded(door: Door) -> None:
    edge = Edge(Names().resolve, door.port, trusting())

    edge.forward(origin(), "GET", "/a b\r\nX: 1", "ü", {}, b"", True)

    assert door.requests[0].startswith(b"GET /a%20b%0D%0AX:%201?%FC HTTP/1.1\r\n")
