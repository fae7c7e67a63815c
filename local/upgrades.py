"""A handshake for a websocket is answered as the GET that it is: nothing here speaks websockets.

"A server MAY ignore a received Upgrade header field" (RFC 9110, 7.8). Hypercorn hands a handshake
on as something other than a request, so that no rule for requests would meet it, and answers it
with a 500 where nobody takes it. What API Gateway makes of one for a REST API is documented
nowhere; a WebSocket API is another kind.
"""

from __future__ import annotations

from typing import Any

from local.http_messages import Receive, Scope, Send

SCHEMES = {"ws": "http", "wss": "https"}


def as_request(scope: Scope, receive: Receive, send: Send) -> tuple[Scope, Receive, Send]:
    """An ASGI websocket's scope, receive and send, as those of a GET without a body."""
    request = {**scope, "type": "http", "method": "GET", "scheme": SCHEMES[scope["scheme"]]}
    received = {"websocket.connect": {"type": "http.request", "body": b"", "more_body": False}}

    async def receive_request() -> dict[str, Any]:
        message = await receive()
        return received.get(message["type"], {"type": "http.disconnect"})

    async def send_answer(message: dict[str, Any]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return request, receive_request, send_answer
