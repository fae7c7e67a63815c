"""`python -m dashboards`: the dashboards and alarms of ACCOUNT as pages on this machine."""

from __future__ import annotations

import os
import signal
import sys

from dashboards.cloudwatch import of_account
from dashboards.pages import Pages
from dashboards.server import LOOPBACK, open_server
from project.account import LOCAL, read_account
from project.console import ToolchainError, files_explained, on_termination, say
from project.paths import TREE

DEFAULT_PORT = 8090
ENDED, COULD_NOT_SERVE = 0, 1


def main() -> int:
    """Serve until Ctrl-C, which is no failure; 1 with a sentence when there is nothing to serve."""
    signal.signal(signal.SIGTERM, on_termination)
    try:
        with files_explained():
            _serve(os.environ.get("ACCOUNT") or LOCAL, _port(os.environ.get("DASHBOARD_PORT", "")))
    except ToolchainError as error:
        say(str(error))
        return COULD_NOT_SERVE
    except KeyboardInterrupt:
        print()
    return ENDED


def _serve(account_name: str, port: int) -> None:
    account = read_account(TREE, account_name)
    pages = Pages(account, of_account(account))
    pages.require_deployed()
    with open_server(port, pages) as server:
        url = f"http://{LOOPBACK}:{server.server_port}/"
        print(f"Dashboards of {account_name}: {url}  (Ctrl-C ends it)", flush=True)
        server.serve_forever()


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise ToolchainError(f"DASHBOARD_PORT={text} is no port: give a number from 1 to 65535.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
