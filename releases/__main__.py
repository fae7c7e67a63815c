"""`python -m releases`: let a Region's newest versions serve, take that back, say what serves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

SERVES, DOES_NOT_SERVE = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 when what was asked for serves, 1 when it doesn't, 130 interrupted."""
    _parser().parse_args(arguments)
    return SERVES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m releases", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    release = commands.add_parser("release", help="let a Region's newest versions serve")
    release.add_argument("--region", required=True)
    rollback = commands.add_parser("rollback", help="let the versions before serve again")
    rollback.add_argument("--region")
    rollback.add_argument("--version")
    commands.add_parser("list", help="what serves where, and what was rolled back")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
