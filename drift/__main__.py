"""`python -m drift`: is what is deployed in ACCOUNT still what is written? It changes nothing."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from drift.finding import COULD_NOT_LOOK, exit_status
from drift.look import look
from drift.text import document, table
from drift.units import units_of
from project.access import require_running
from project.account import LOCAL, read_account
from project.console import ToolchainError, files_explained, on_termination, say
from project.paths import TREE

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Print what was found; 0 all is in step, 2 something isn't, 1 somebody couldn't look."""
    parser = argparse.ArgumentParser(prog="python -m drift", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    parsed = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_termination)
    try:
        with files_explained():
            account = read_account(TREE, os.environ.get("ACCOUNT") or LOCAL)
            require_running(TREE, account)
            units = units_of(TREE, account.name)
            found = look(TREE, account.name, units)
    except ToolchainError as error:
        say(str(error))
        return COULD_NOT_LOOK
    except KeyboardInterrupt:
        return INTERRUPTED
    shown = document(account.name, found, units.aside) if parsed.json else table(found, units.aside)
    print(shown)
    return exit_status(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
