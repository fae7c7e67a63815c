"""Which process runs which tests, when several run side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# What happens to the clone (tests/support/clone.py), from its first day to its last.
ON_THE_CLONE = ("tests/interrupted_runs/", "tests/drills/", "tests/down/")


class _FileOrClone(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Keep a file's tests in one process, and all that share the clone in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the clone" if file.startswith(ON_THE_CLONE) else file


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Say how tests are handed out."""
    return _FileOrClone(config, log)
