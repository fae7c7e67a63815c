"""Names under `.localhost` are this machine (RFC 6761, section 6.3).

curl and browsers know that by themselves; Python's `socket` on a bare Linux machine asks the
name servers, which don't.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

from project.account import LOCAL

Resolve = Callable[[str], str | None]


def localhost(name: str) -> str | None:
    """The loopback address for `localhost` and every name below it, else None."""
    plain = name.rstrip(".").lower()
    return "127.0.0.1" if plain == "localhost" or plain.endswith(".localhost") else None


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


@contextlib.contextmanager
def for_account(account_name: str) -> Iterator[None]:
    """While open, an account's names resolve: the embedded AWS's are below `.localhost`."""
    if account_name != LOCAL:
        yield
        return
    with installed():
        yield
