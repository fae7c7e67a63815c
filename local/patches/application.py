"""ministack's ASGI application: the control plane."""

from __future__ import annotations

from ministack import app as ministack_app

from local.http_messages import Receive, Scope, Send


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request to the control plane, or take part in the server's lifespan."""
    await ministack_app.app(scope, receive, send)
