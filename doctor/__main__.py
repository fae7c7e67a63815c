"""`python -m doctor`: is ACCOUNT ready for an apply, and is what runs there well? Reads alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from doctor.aws import of_account
from doctor.examination import examine
from doctor.expected import read_expected
from doctor.finding import COULD_NOT_LOOK, exit_status
from doctor.text import document, table
from project.account import LOCAL
from project.console import ToolchainError, files_explained, say
from project.paths import TREE

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Print what was found; 0 nothing is wrong, 1 something is, 2 nobody could look."""
    parser = argparse.ArgumentParser(prog="python -m doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    parsed = parser.parse_args(arguments)
    try:
        with files_explained():
            expected = read_expected(TREE, os.environ.get("ACCOUNT") or LOCAL)
            findings = examine(of_account(TREE, expected.account), expected)
    except ToolchainError as error:
        say(str(error))
        return COULD_NOT_LOOK
    except KeyboardInterrupt:
        return INTERRUPTED
    print(document(expected.account.name, findings) if parsed.json else table(findings))
    return exit_status(findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
