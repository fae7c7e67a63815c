"""Groups of origins that are asked in turn, and connections that are kept; no emulator."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from local.edge.connections import Connections
from local.edge.origins import Edge
from local.patches.cloudfront import (
    Origin,
    OriginRequest,
    OriginResponse,
    OriginTimeoutError,
    OriginUnreachableError,
)

AUTHORITY = trustme.CA()
FIRST, SECOND = "first.localhost", "second.localhost"
FAILS_OVER_ON = (500, 502, 503, 504)
# The edge dials one port at every address, as the Regions' endpoints have one.
ADDRESSES = {FIRST: "127.0.0.1", SECOND: "127.0.0.2"}
SILENT = 0


@dataclass(slots=True)
class Region:
    """An endpoint that keeps connections open; its status is SILENT where it never answers."""

    status: int = 200
    hangs_up: bool = False
    requests: list[str] = field(default_factory=list)
    peers: list[tuple[str, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def connections(self) -> int:
        """How many connections the requests came over."""
        return len(set(self.peers))


@contextmanager
def serving(region: Region, name: str, port: int = 0) -> Iterator[int]:
    """Serve a Region at its name's address while open; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            region.requests.append(self.command)
            region.peers.append(self.client_address)
            if region.status == SILENT:
                region.over.wait()
                return
            if region.hangs_up and len(region.requests) > 1:
                self.close_connection = True
                return
            self.send_response(region.status)
            self.send_header("content-length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)
    server = ThreadingHTTPServer((ADDRESSES[name], port), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        region.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class Clock:
    """Seconds that pass when a test says so."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def edge(
    port: int,
    now: Clock | None = None,
    resolve: Callable[[str], str] = ADDRESSES.__getitem__,
) -> Edge:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    return Edge(Connections(resolve, port, trusting, now or Clock()))


def request(name: str, method: str = "GET", read_timeout: float = 30.0) -> OriginRequest:
    origin = Origin(name, 1, connection_timeout=5, read_timeout=read_timeout, keepalive_timeout=3)
    return OriginRequest(origin, method, "/v1/items", "", {}, b"")


def group(method: str = "GET", read_timeout: float = 30.0) -> list[OriginRequest]:
    return [request(FIRST, method, read_timeout), request(SECOND, method)]


@dataclass(slots=True)
class Pair:
    """Two Regions and the edge in front of them; `patience` is with the first, in seconds."""

    first: Region
    second: Region
    edge: Edge
    clock: Clock
    patience: float = 30.0

    def ask(
        self, method: str = "GET", fails_over_on: tuple[int, ...] = FAILS_OVER_ON
    ) -> OriginResponse:
        return self.edge.forward(group(method, self.patience), fails_over_on)


@pytest.fixture
def pair() -> Iterator[Pair]:
    first, second = Region(), Region()
    with ExitStack() as open_ones:
        port = open_ones.enter_context(serving(first, FIRST))
        open_ones.enter_context(serving(second, SECOND, port))
        clock = Clock()
        yield Pair(first, second, edge(port, clock), clock)


@pytest.mark.parametrize("status", FAILS_OVER_ON)
def test_a_read_that_the_first_fails_is_answered_by_the_second(pair: Pair, status: int) -> None:
    pair.first.status = status

    answer = pair.ask()

    assert (answer.status, answer.body) == (200, SECOND.encode())
    assert (len(pair.first.requests), len(pair.second.requests)) == (1, 1)


@pytest.mark.parametrize("status", [200, 304, 400, 403, 404, 412, 429, 501])
def test_what_is_not_listed_is_the_answer(pair: Pair, status: int) -> None:
    pair.first.status = status

    assert pair.ask().status == status
    assert pair.second.requests == []


def test_a_first_that_never_answers_is_left_for_the_second(pair: Pair) -> None:
    pair.first.status, pair.patience = SILENT, 0.3

    assert pair.ask().body == SECOND.encode()


def test_a_silence_counts_only_where_504_is_listed(pair: Pair) -> None:
    pair.first.status, pair.patience = SILENT, 0.3

    with pytest.raises(OriginTimeoutError):
        pair.ask(fails_over_on=(500, 502, 503))
    assert pair.second.requests == []


@pytest.fixture
def second_alone() -> Iterator[Pair]:
    first, second = Region(), Region()
    with serving(second, SECOND) as port:
        yield Pair(first, second, edge(port), Clock())


def test_a_first_that_takes_no_connection_is_left_for_the_second(second_alone: Pair) -> None:
    assert second_alone.ask().body == SECOND.encode()


def test_a_failed_connection_counts_only_where_503_is_listed(second_alone: Pair) -> None:
    with pytest.raises(OriginUnreachableError):
        second_alone.ask(fails_over_on=(500, 502, 504))


@pytest.fixture
def first_takes_too_long() -> Iterator[Pair]:
    """A first that nobody comes to be connected with in time."""

    def resolve(name: str) -> str:
        if name == FIRST:
            raise TimeoutError
        return ADDRESSES[name]

    first, second = Region(), Region()
    with serving(second, SECOND) as port:
        yield Pair(first, second, edge(port, resolve=resolve), Clock())


def test_a_connection_that_takes_too_long_counts_as_503(first_takes_too_long: Pair) -> None:
    assert first_takes_too_long.ask(fails_over_on=(503,)).body == SECOND.encode()
    with pytest.raises(OriginTimeoutError):
        first_takes_too_long.ask(fails_over_on=(500, 502, 504))


def test_a_write_stays_with_the_first(pair: Pair) -> None:
    pair.first.status = 503

    assert pair.ask("POST").status == 503
    assert pair.second.requests == []


def test_where_both_fail_the_second_has_the_last_word(pair: Pair) -> None:
    pair.first.status, pair.second.status = 503, 500

    assert pair.ask().status == 500


@pytest.mark.parametrize(
    ("waits", "connections"),
    [
        pytest.param(
            (0.0, 2.9, 1.9), 1, id="used again, its origin's keep-alive timeout at most idle"
        ),
        pytest.param((0.0, 3.0), 2, id="idle for too long"),
        pytest.param((0.0, 2.0, 2.0, 1.0), 2, id="never idle for long, and too old"),
    ],
)
def test_how_long_a_connection_is_used(
    pair: Pair, waits: tuple[float, ...], connections: int
) -> None:
    for seconds in waits:
        pair.clock.seconds += seconds
        pair.ask()

    assert pair.first.connections == connections


def test_methods_share_an_origins_connections(pair: Pair) -> None:
    for method in ("GET", "POST", "GET"):
        pair.ask(method)

    assert (len(pair.first.requests), pair.first.connections) == (3, 1)


def test_a_read_on_a_kept_connection_that_is_closed_under_it_is_asked_again(pair: Pair) -> None:
    pair.ask()
    pair.first.hangs_up = True

    with pytest.raises(OriginUnreachableError):
        pair.edge.forward([request(FIRST)], ())
    assert pair.first.connections == 2


def test_a_write_on_a_kept_connection_that_is_closed_under_it_is_not(pair: Pair) -> None:
    pair.ask()
    pair.first.hangs_up = True

    with pytest.raises(OriginUnreachableError):
        pair.ask("POST")
    assert (len(pair.first.requests), pair.first.connections) == (2, 1)
