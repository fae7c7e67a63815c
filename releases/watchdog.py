"""Puts back a release whose process dies, however it dies.

The release writes to it what there would be to put back, one JSON document a line, and `done` in
the end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO

from project import watchdog
from project.paths import TREE
from releases.ledger import Claim
from releases.smoke import usernames
from releases.versions import Versions

DONE = "done"


@dataclass(frozen=True, slots=True)
class Watched:
    """The release's end of it."""

    stream: IO[str]

    def about(self, claim: Claim) -> None:
        """Say what there would be to put back."""
        self._write(json.dumps(asdict(claim)))

    def done(self) -> None:
        """Say that nothing is left to put back."""
        self._write(DONE)

    def _write(self, line: str) -> None:
        # A watchdog that was killed leaves the release to its own clean-up.
        with suppress(BrokenPipeError):
            self.stream.write(f"{line}\n")
            self.stream.flush()


@contextmanager
def watching(account_name: str, region: str, run: str) -> Iterator[Watched]:
    """Have a watchdog while the block runs; afterwards it ends."""
    log = TREE.local_state / "releases" / f"watchdog-{region}.log"
    with watchdog.started(log, "releases.watchdog", account_name, region, run) as stream:
        yield Watched(stream)


def left_over(lines: str) -> Claim | None:
    """Tell what a release has left to put back, from all that it wrote; None for nothing."""
    written = lines.splitlines()
    # A line that the process didn't come to the end of is as if it weren't there.
    whole = [line for line in written if line == DONE or line.endswith("}")]
    if not whole or whole[-1] == DONE:
        return None
    document = json.loads(whole[-1])
    named = {name: Versions(**document[name]) for name in ("before", "target")}
    return Claim(**{**document, **named})


def main(account_name: str, region: str, run: str) -> None:
    """Wait for the end of the process that releases, then put back what it left."""
    claim = left_over(sys.stdin.read())
    if claim is not None:
        _put_back(account_name, region, run, claim)


def _put_back(account_name: str, region: str, run: str, claim: Claim) -> None:
    # Imported now: what ends well ends at once.
    from project.account import read_account  # noqa: PLC0415
    from releases.leftovers import clean_up  # noqa: PLC0415
    from releases.surroundings import Surroundings  # noqa: PLC0415

    around = Surroundings.of(read_account(TREE, account_name))
    clean_up(around.stack(region), around, run, claim)
    around.sweep_users(usernames(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
