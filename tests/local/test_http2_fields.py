"""An empty token is answered over HTTP/2, and breaks nothing."""

from __future__ import annotations

from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.exceptions import ProtocolError
from hypercorn import protocol
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.protocol.h2 import H2Protocol

from local import http2_fields

REQUEST = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "api.landing.localhost"),
    (":path", "/v1/items"),
]
EMPTY_TOKEN = ("authorization", "Bearer ")


def sent(*fields: tuple[str, str]) -> bytes:
    """What a client that checks nothing sends."""
    careless = H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    client = H2Connection(careless)
    client.initiate_connection()
    client.send_headers(1, [*REQUEST, *fields], end_stream=True)
    return client.data_to_send()


def spoken() -> H2Protocol:
    """The protocol as hypercorn makes it for a connection."""
    nothing: Any = None
    config = Config()
    wrapper = protocol.ProtocolWrapper(
        nothing, config, WorkerContext(None), nothing, nothing, True, None, None, nothing, "h2"
    )
    assert isinstance(wrapper.protocol, H2Protocol)
    return wrapper.protocol


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "H2Protocol", H2Protocol)
    http2_fields.install()


def test_hypercorn_still_needs_trimmed_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "H2Protocol", H2Protocol)
    with pytest.raises(ProtocolError, match="surrounded by whitespace"):
        spoken().connection.receive_data(sent(EMPTY_TOKEN))


@pytest.mark.usefixtures("_installed")
def test_blanks_around_a_value_belong_to_no_value() -> None:
    events = spoken().connection.receive_data(sent(EMPTY_TOKEN, ("x-a", "\t b c ")))
    (request,) = (event for event in events if isinstance(event, RequestReceived))
    assert [tuple(field) for field in request.headers[-2:]] == [
        (b"authorization", b"Bearer"),
        (b"x-a", b"b c"),
    ]


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("field", [("x-a", "b\r\nx-b: c"), ("X-A", "b"), ("x-a ", "b")])
def test_what_else_is_malformed_stays_so(field: tuple[str, str]) -> None:
    with pytest.raises(ProtocolError):
        spoken().connection.receive_data(sent(field))
