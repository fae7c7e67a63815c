"""Notes every name that a Python process looks up, and every address that it connects to.

Python imports this first where the folder is on PYTHONPATH. What isn't this machine is refused.
"""

from __future__ import annotations

import os
import sys

LOOPBACK = ("localhost", "127.", "::1", "0.0.0.0")  # noqa: S104 - how an address begins
PLACES = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.connect": 1}


def _note(event: str, arguments: tuple[object, ...]) -> None:
    place = PLACES.get(event)
    if place is None:
        return
    found = arguments[place]
    host = found[0] if isinstance(found, tuple) else found
    name = host.decode() if isinstance(host, bytes) else str(host)
    with open(os.environ["LOOKUPS"], "a") as notes:  # noqa: PTH123 - nothing more is imported
        notes.write(f"{name}\n")
    if not name.startswith(LOOPBACK):
        raise OSError(f"{name} is not on this machine")


if "LOOKUPS" in os.environ:
    sys.addaudithook(_note)
