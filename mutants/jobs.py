"""What mutants.fork_server is asked for, and the names in what it notes."""

from __future__ import annotations

from dataclasses import dataclass

# Who reaches a line, beside a test by its own name; coverage calls it the line's contexts.
# Whatever imports the file.
IMPORTED = ""
# All tests of a file, behind its name, and all there are: a fixture's that outlives its test.
ALL_OF_FILE = "::*"
ALL = "*"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of pytest with these arguments, for at most so many seconds; it prints to `log`.

    Of `tests`, in their order, until one fails. With `watch`, of all tests instead: that file gets
    what they reach in the folder `source`, as coverage keeps it, and the same name with `.json`
    behind it how long each takes.
    """

    arguments: tuple[str, ...]
    seconds: float
    log: str
    tests: tuple[str, ...] = ()
    watch: str = ""
    source: str = ""
