"""Names under `.localhost` are this machine (RFC 6761, section 6.3).

curl and browsers know that by themselves; Python's `socket` on a bare Linux machine asks the
name servers, which don't.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

from local.route53.stub_resolver import StubResolver, exchange_with

Resolve = Callable[[str], str | None]


def localhost(name: str) -> str | None:
    """The loopback address for `localhost` and every name below it, else None."""
    plain = name.rstrip(".").lower()
    return "127.0.0.1" if plain == "localhost" or plain.endswith(".localhost") else None


def through_dns(host: str, port: int) -> Resolve:
    """As `localhost`, but each name has the address that a DNS server gives it.

    So `origin.<domain>` leads to the Region that serves, and a Region's own name to that Region's
    own address. Names that the server doesn't know are this machine still.
    """
    stub = StubResolver(exchange_with(host, port))

    def resolve(name: str) -> str | None:
        here = localhost(name)
        return here and (stub.address(name) or here)

    return resolve


@contextlib.contextmanager
def installed(resolve: Resolve = localhost) -> Iterator[None]:
    """While open, `socket.getaddrinfo` asks `resolve` first and the system for the rest."""
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - socket's own
        name = host.decode("ascii") if isinstance(host, bytes) else host
        address = resolve(name) if isinstance(name, str) else None
        return system(address or host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = system
