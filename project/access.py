"""Whether a real account may be worked on from here: asked once, answered in a sentence."""

from __future__ import annotations

import json
import os
import subprocess

from project.account import LOCAL, Account, read_defaults, read_settings
from project.console import ToolchainError
from project.environment import process_environment
from project.paths import Tree


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
    done = subprocess.run(
        [str(tree.python), str(guard), str(folder), json.dumps(settings), json.dumps([*defaults])],
        env=process_environment(tree, account, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if refusal := done.stdout.strip() or done.stderr.strip():
        raise AccessError(refusal)
