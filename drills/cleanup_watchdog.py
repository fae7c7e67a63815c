"""Undoes what a run has made when its process dies, however it dies: faults, and its users.

The run holds the other end of this process's standard input, which the kernel closes with it.
Started in a session of its own, so that neither Ctrl-C nor a closed terminal ends it as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from drills.rollback_log import DRILLS, note_of, roll_back_leftovers
from drills.system import System
from drills.targets import read_targets
from project.account import read_account
from project.deployment import read_deployment
from project.paths import TREE


@contextmanager
def watching(system: System, room: str = DRILLS) -> Iterator[None]:
    """Have a watchdog of a room while the block runs; then it ends, with nothing to roll back."""
    folder = note_of(system.account.name, room).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "cleanup_watchdog.log").open("w") as log,
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "drills.cleanup_watchdog",
                system.account.name,
                str(os.getpid()),
                room,
            ],
            cwd=TREE.root,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as watchdog,
    ):
        assert watchdog.stdin
        try:
            yield
        finally:
            watchdog.stdin.close()
            watchdog.wait()


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
