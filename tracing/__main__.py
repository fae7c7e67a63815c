"""`python -m tracing`: one request, by any id of its answer's headers, through every layer."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from project.access import require_running
from project.account import LOCAL, read_account
from project.console import ToolchainError, files_explained, say
from project.paths import TREE
from tracing.identifiers import read
from tracing.search import follow
from tracing.text import described

FOUND, NOT_FOUND, COULD_NOT_LOOK = 0, 1, 2
DEFAULT_MINUTES = 180


def main(arguments: Sequence[str]) -> int:
    """Print what is known of a request; 0 when it is found, 1 when it isn't, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m tracing", description=__doc__)
    parser.add_argument(
        "identifier",
        help="x-amz-apigw-id, x-amzn-requestid, x-amz-cf-id or x-amzn-trace-id",
    )
    parser.add_argument("--minutes", type=int, default=DEFAULT_MINUTES, help="how far back to look")
    parsed = parser.parse_args(arguments)
    try:
        with files_explained():
            account = read_account(TREE, os.environ.get("ACCOUNT") or LOCAL)
            identifier = read(parsed.identifier)
            require_running(TREE, account)
            found = follow(account, identifier, parsed.minutes)
    except ToolchainError as error:
        say(str(error))
        return COULD_NOT_LOOK
    if not (found.lines or found.spans):
        say(
            f"Nothing is known of {parsed.identifier} in the last {parsed.minutes} minutes. Logs "
            "take some seconds to arrive, the edge's minutes; MINUTES= looks further back."
        )
        return NOT_FOUND
    print(described(found))
    return FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
