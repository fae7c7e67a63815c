"""What each test needs, in which order tests run, and in which process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# What happens to the clone (tests/support/clone.py), in its order.
CLONE = (
    "tests/interrupted_runs/",
    "tests/drift/test_by_hand.py",
    "tests/drills/",
    "tests/releases/",
    "tests/down/",
)
# What waits longest begins at once, each in a process of its own. Alarms go off before other
# tests' faults set them off.
FIRST = (*CLONE, "tests/monitoring/test_alarms_that_page.py")
# Then what a file needs: the quick ones first, so that a small mistake is seen soon, and the
# deployment last, because it may have to come up yet. Of those, failover waits longest.
NEEDS = ("emulator", "terraform", "deployed")
FIRST_DEPLOYED = "tests/e2e/test_failover.py"
# Terragrunt reads nearly each of these a copy of live/.
RUNS_TERRAGRUNT = "tests/live/"
GIVEN_AN_EMULATOR = frozenset({"emulator", "own_settings"})


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of what a test needs beyond the installed tools."""
    for marker in (
        "deployed: looks at what `make up` has deployed",
        "clone: deploys a clone of the repository (tests/support/clone.py)",
        "emulator: starts an embedded AWS of its own",
        "terraform: runs Terraform with its provider",
        "terragrunt: runs Terragrunt over live/, a second at a time",
        "installs: installs what comes over the network, packages or a tool of `make check`",
    ):
        config.addinivalue_line("markers", marker)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that is given an embedded AWS of its own, or Terragrunt."""
    if isinstance(item, pytest.Function) and GIVEN_AN_EMULATOR & set(item.fixturenames):
        item.add_marker(pytest.mark.emulator)
    if item.nodeid.startswith(RUNS_TERRAGRUNT):
        item.add_marker(pytest.mark.terragrunt)


def _need(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return max((NEEDS.index(need) + 1 for need in NEEDS if need in marks), default=0)


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in their order, and leave each as it was collected."""
    needs: dict[str, int] = {}
    for item in items:
        needs[_file(item)] = max(needs.get(_file(item), 0), _need(item))

    def place(item: pytest.Item) -> tuple[int, int, bool]:
        file = _file(item)
        first = next((i for i, path in enumerate(FIRST) if file.startswith(path)), len(FIRST))
        return first, needs[file], file != FIRST_DEPLOYED

    items.sort(key=place)


class _FileOrClone(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Keep a file's tests in one process, and all that share the clone in the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "the clone" if file.startswith(CLONE) else file


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Say how tests are handed out."""
    return _FileOrClone(config, log)
