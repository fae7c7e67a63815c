"""What each test needs, in which order tests run, and in which process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# What happens to the clone (tests/support/clone.py), in its order. One process is busy with it for
# most of a run, so it begins at once. Then what needs no deployment, for the other process has to
# wait for one; alarms before other tests' faults set them off.
CLONE = ("interrupted_runs", "drills", "down")
FOLDERS = (
    *CLONE,
    *("toolchain", "unit", "tracing", "live", "local", "modules"),
    *("monitoring", "e2e", "docs"),
)
ON_THE_CLONE = tuple(f"tests/{folder}/" for folder in CLONE)


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of what a test needs beyond the installed tools."""
    for marker in (
        "deployed: looks at what `make up` has deployed",
        "clone: deploys a clone of the repository (tests/support/clone.py)",
        "emulator: starts an embedded AWS of its own",
        "terraform: runs Terraform for minutes",
    ):
        config.addinivalue_line("markers", marker)


def _place(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1] if "/" in item.nodeid else ""
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders in their order, each as it was collected."""
    items.sort(key=_place)


class _FileOrClone(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Keep a file's tests in one process, and all that share the clone in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the clone" if file.startswith(ON_THE_CLONE) else file


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Say how tests are handed out."""
    return _FileOrClone(config, log)
