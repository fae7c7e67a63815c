"""`python -m load`: let users use a deployment, and hold what they saw to its objectives."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from costs import arithmetic
from drills.rollback_log import roll_back_leftovers
from drills.steady_state import await_steady_state
from drills.system import System
from drills.targets import read_targets as read_drill_targets
from load import bill
from load.report import document, files
from load.run import ROOM, run
from load.size import Size, announcement, dollars_at_most, require_cheap, require_room
from load.targets import Targets, read_targets
from project import resolver
from project.access import require_running
from project.account import LOCAL, Account, read_account
from project.confirmation import Question, require_confirmation
from project.console import ToolchainError, files_explained, on_termination, say
from project.deployment import read_deployment
from project.file_lock import exclusive
from project.paths import TREE

MET, MISSED, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run it; 0 objectives met, 1 missed, 2 could not run, 130 interrupted."""
    size = _size(arguments)
    signal.signal(signal.SIGTERM, on_termination)
    try:
        account = read_account(TREE, os.environ.get("ACCOUNT") or LOCAL)
        with files_explained(), resolver.for_account(account.name):
            return _load(account, size)
    except ToolchainError as error:
        say(f"\n{error}")
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        say("\nInterrupted. The run's users are gone, with all that they owned.")
        return INTERRUPTED


def _size(arguments: Sequence[str]) -> Size:
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    parser.add_argument("--users", type=int, default=20, help="how many people (20)")
    parser.add_argument("--rate", type=float, default=5.0, help="requests a second (5)")
    parser.add_argument("--minutes", type=float, default=1.0, help="for so long (1)")
    parsed = parser.parse_args(arguments)
    return Size(parsed.users, parsed.rate, parsed.minutes)


def _load(account: Account, size: Size) -> int:
    require_running(TREE, account)
    targets = read_targets(TREE, account.name)
    _allow(account, size, targets)
    with exclusive(TREE.lock(f"load-{account.name}"), f"load of {account.name}", wait=False):
        system = System(
            account, read_deployment(account.name), read_drill_targets(TREE, account.name)
        )
        roll_back_leftovers(system, room=ROOM)
        await_steady_state(system)
        began = datetime.now(UTC)
        seen = run(system, size)
    report = document.build(system, size, targets, seen, began)
    folder = files.write(report, seen.tally.failures, began)
    print(files.read(folder))
    say(f"\n{files.shown(folder)}")
    return MET if report["passed"] else MISSED


def _allow(account: Account, size: Size, targets: Targets) -> None:
    """Say what the run asks for and may cost, and see that it may. Raises ToolchainError."""
    estimate = arithmetic.read()
    each = bill.per_million(bill.assumed(estimate), targets, estimate)
    # What stands on no bill: the embedded AWS is this machine.
    dollars = 0.0 if account.name == LOCAL else dollars_at_most(size, targets, estimate, each)
    require_room(size, targets, account.name)
    require_cheap(size, dollars, targets)
    say(announcement(size, targets, dollars))
    require_confirmation(
        account.name,
        targets.asks_twice,
        Question(
            work="load",
            command="make load",
            warning=f"This makes {size.requests:,.0f} requests of {account.name} beside its users'",
            answer=f"{size.rate:g} a second",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
