"""Whether an account can and may be worked on from here: asked once, answered in a sentence."""

from __future__ import annotations

import json
import os
import subprocess

from project.account import LOCAL, Account, read_defaults, read_settings
from project.console import ToolchainError
from project.environment import process_environment, require_own_emulator
from project.paths import Tree


class AccessError(ToolchainError):
    """The account is not to be touched, or can't be; the message says why and what to do."""


def require_access(tree: Tree, account: Account) -> None:
    """Ask live/account_guard.py, as every unit does, whose credentials these are.

    STS answers it, in the Region of the state. Raises AccessError.
    """
    if account.name == LOCAL:
        return
    settings, defaults = read_settings(tree, account.name), read_defaults(tree)
    guard = tree.root / "live" / "account_guard.py"
    # Any folder of the account's will do, and this one each has.
    folder = tree.account(account.name) / "global"
    asked = [str(folder), json.dumps(settings), json.dumps([*defaults]), "output"]
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
    """See that the embedded AWS can be talked to, where that is the account.

    Raises AccessError, and ToolchainError where another clone's is at its ports.
    """
    if account.name != LOCAL:
        return
    if not require_own_emulator(tree, account.name):
        raise AccessError(
            "The embedded AWS does not run: `make start`, or `make up` the first time."
        )
    require_authority(tree)


def require_authority(tree: Tree) -> None:
    """Raise AccessError where nobody could check the emulator's certificates."""
    if not (tree.ca.is_file() and tree.ca_bundle.is_file()):
        raise AccessError(
            f"The emulator's certificate authority is missing from {tree.ca.parent}: run "
            "`make stop`, then `make start`, which makes another."
        )
