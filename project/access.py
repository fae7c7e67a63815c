"""Whether an account can and may be worked on from here: asked once, answered in a sentence."""

from __future__ import annotations

import json
import os
import socket
import subprocess

from project.account import LOCAL, Account, read_defaults, read_settings
from project.console import ToolchainError
from project.environment import aws_port, process_environment
from project.paths import Tree

CONNECT_SECONDS = 2.0


class AccessError(ToolchainError):
    """The account is not to be touched, or can't be; the message says why and what to do."""


def require_access(tree: Tree, account: Account) -> None:
    """Ask live/account_guard.py, as every unit does, whose credentials these are.

    STS answers it, in the primary Region. Raises AccessError.
    """
    if account.name == LOCAL:
        return
    settings, defaults = read_settings(tree, account.name), read_defaults(tree)
    guard = tree.root / "live" / "account_guard.py"
    # Any folder of the account's will do, and this one each has.
    folder = tree.account(account.name) / "global"
    asked = (str(folder), json.dumps(settings), json.dumps([*defaults]), "output")
    done = subprocess.run(
        [str(tree.python), str(guard), *asked],
        env=process_environment(tree, account, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if refusal := done.stdout.strip() or done.stderr.strip():
        raise AccessError(refusal)


def require_running(tree: Tree, account: Account) -> None:
    """Raise AccessError where the account is the embedded AWS and can't be talked to."""
    if account.name != LOCAL:
        return
    try:
        socket.create_connection(("127.0.0.1", aws_port()), CONNECT_SECONDS).close()
    except OSError as error:
        raise AccessError(
            "The embedded AWS does not run: `make start`, or `make up` the first time."
        ) from error
    require_authority(tree)


def require_authority(tree: Tree) -> None:
    """Raise AccessError where nobody could check the emulator's certificates."""
    if not (tree.ca.is_file() and tree.ca_bundle.is_file()):
        raise AccessError(
            f"The emulator's certificate authority is missing from {tree.ca.parent}: run "
            "`make stop`, then `make start`, which makes another."
        )
