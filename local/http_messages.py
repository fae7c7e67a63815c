"""HTTP requests and answers as every room knows them, read and sent by ASGI."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[str, str]
Response = tuple[int, dict[str, Any], bytes]


def new_extended_id() -> str:
    """An `x-amz-apigw-id`, `$context.extendedRequestId`: always the gateway's own."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came; `path` is percent-decoded, `raw_path` as sent.

    `received` is when its last byte was there, in seconds since the epoch. `request_id` and
    `extended_id` are API Gateway's, in the answer's x-amzn-requestid and x-amz-apigw-id.
    """

    name: str
    method: str
    path: str
    raw_path: str
    query: str
    headers: Headers
    body: bytes
    client: str
    request_id: str
    protocol: str = "HTTP/1.1"
    received: float = field(default_factory=time.time)
    extended_id: str = field(default_factory=new_extended_id)


class TooLargeError(Exception):
    """The body has more bytes than are taken."""


async def read(scope: Scope, receive: Receive, name: str, request_id: str, limit: int) -> Request:
    """The whole request; raises TooLargeError when its body has more than `limit` bytes."""
    headers: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        header, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined = "; " if header == "cookie" else ", "
        headers[header] = headers[header] + joined + value if header in headers else value
    headers.setdefault("host", name)
    return Request(
        name=name,
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=await _body(receive, limit),
        client=(scope.get("client") or ("127.0.0.1",))[0],
        request_id=request_id,
        protocol=f"HTTP/{scope['http_version']}",
    )


async def _body(receive: Receive, limit: int) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLargeError
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def received(body: bytes, receive: Receive) -> Receive:
    """An ASGI receive for a request that was read already; what follows it comes from `receive`."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> dict[str, Any]:
        return next(messages, None) or await receive()

    return again


async def respond(send: Send, response: Response) -> None:
    """Send a whole response."""
    status, headers, body = response
    lines = [
        (name.lower().encode("latin-1"), str(value).encode("latin-1", "replace"))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() != "content-length"
    ]
    lines.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def unsent(message: dict[str, Any]) -> None:
    """An ASGI send whose answer nobody gets."""
    del message


def host(scope: Scope) -> str:
    """The host name that a request is for, in lower case and without a port."""
    hosts = [value for name, value in scope["headers"] if name in (b"host", b":authority")]
    name: str = hosts[0].decode("latin-1") if hosts else ""
    return name.rsplit(":", 1)[0].rstrip(".").lower()
