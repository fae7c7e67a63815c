"""Puts back a release whose process dies, however it dies.

The release holds the other end of this process's standard input, which the kernel closes with it,
and writes there what there would be to put back, one JSON document a line, and `done` in the end.
Started in a session of its own, so that neither Ctrl-C nor a closed terminal ends it as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO

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
    folder = TREE.local_state / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / f"watchdog-{region}.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "releases.watchdog", account_name, region, run],
            cwd=TREE.root,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            text=True,
        ) as process,
    ):
        assert process.stdin
        try:
            yield Watched(process.stdin)
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()


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
