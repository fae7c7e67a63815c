"""Who may run beside whom.

Tests run in several processes. Most only need their own user and can run side by side; a few
change what all share (a role, a stage's throttle) and must be alone. Two lock files make a
readers-and-writer lock between processes that is fair: everyone passes the turnstile first,
so that a waiting writer isn't overtaken for ever.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from project.paths import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def deployment_lock(account: str, *, alone: bool) -> Iterator[None]:
    """Hold an account's deployment while the body runs; `alone` waits until nobody else does."""
    folder = TREE.local_state / "e2e" / account
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "turnstile.lock").open("w") as turnstile,
        (folder / "room.lock").open("w") as room,
    ):
        fcntl.flock(turnstile, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(turnstile, fcntl.LOCK_UN)
        yield
