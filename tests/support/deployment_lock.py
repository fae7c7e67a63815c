"""Who may run beside whom.

Tests run in several processes. Most only need their own user and can run side by side; a few
change what all share (a role, a stage's throttle) and must be alone. Two lock files make a
readers-and-writer lock between processes that is fair: everyone passes the turnstile first,
so that a waiting writer isn't overtaken for ever.

Who was alone may have taken so much from the primary that its health checks fail once more after
the end, and users move to the standby for a while: the next one would meet that. So the lock is
given back only once the primary serves.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from drills import steady_state
from project import resolver
from project.paths import TREE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from project.deployment import Deployment

# To leave, a Region's checks fail for 30 s; to come back they pass for as long, and the edge keeps
# DNS's answer for 10 s more.
BACK_SECONDS = 120.0


@contextmanager
def deployment_lock(deployment: Deployment, *, alone: bool) -> Iterator[None]:
    """Hold a deployment while the body runs.

    `alone` waits until nobody else does, and in the end until the primary serves; raises
    AssertionError, with what is wrong, when it doesn't.
    """
    folder = TREE.local_state / "e2e" / deployment.account
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "turnstile.lock").open("w") as turnstile,
        (folder / "room.lock").open("w") as room,
    ):
        fcntl.flock(turnstile, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(turnstile, fcntl.LOCK_UN)
        try:
            yield
        finally:
            if alone:
                _await_primary(deployment)


def _await_primary(deployment: Deployment) -> None:
    with resolver.installed():
        eventually(
            lambda: steady_state.complaint(deployment), lambda wrong: not wrong, BACK_SECONDS
        )
