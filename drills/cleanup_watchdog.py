"""Undoes what a run has made when its process dies, however it dies: faults, and its users."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from drills.rollback_log import DRILLS, note_of, roll_back_leftovers
from drills.system import System
from drills.targets import read_targets
from project import watchdog
from project.account import read_account
from project.deployment import read_deployment
from project.paths import TREE


@contextmanager
def watching(system: System, room: str = DRILLS) -> Iterator[None]:
    """Have a watchdog of a room while the block runs; then it ends, with nothing to roll back."""
    log = note_of(system.account.name, room).parent / "cleanup_watchdog.log"
    run = (system.account.name, str(os.getpid()), room)
    with watchdog.started(log, "drills.cleanup_watchdog", *run):
        yield


def main(account_name: str, process: int, room: str) -> None:
    """Wait for the end of the process that is watched, then roll back what it left."""
    system = System(
        account=read_account(TREE, account_name),
        deployment=read_deployment(account_name),
        targets=read_targets(TREE, account_name),
    )
    sys.stdin.read()
    roll_back_leftovers(system, process, room)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
