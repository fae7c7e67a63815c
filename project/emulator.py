"""Whether the embedded AWS takes connections."""

from __future__ import annotations

import socket

from project.account import LOCAL, Account
from project.console import ToolchainError
from project.environment import aws_port

CONNECT_SECONDS = 2.0


def require_running(account: Account) -> None:
    """Raise ToolchainError where the account is the embedded AWS and nothing listens there."""
    if account.name != LOCAL:
        return
    try:
        socket.create_connection(("127.0.0.1", aws_port()), CONNECT_SECONDS).close()
    except OSError as error:
        raise ToolchainError(
            "The embedded AWS does not run: `make start`, or `make up` the first time."
        ) from error
