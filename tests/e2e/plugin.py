"""What this suite adds to pytest: its markers, and the account of what it has seen.

Loaded by tests/conftest.py, for every process of a run has to know it: the one that only hands
out tests to others, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from project.paths import TREE
from tests.support import contract
from tests.support.deployment import ACCOUNT, EMULATED

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

SUITE = Path(__file__).parent

# Every name that answers for the API. A test that calls it goes by the public name, which the
# primary Region serves. What the other Region could answer otherwise is marked `each_region`, and
# what may differ by the name itself, `each_name`. What breaks one Region's reads is marked
# `own_names`: by the public name the other Region answers them.
TARGETS = ("public", "primary", "standby")
EACH_REGION = ("public", "standby")
OWN_NAMES = ("primary", "standby")

# What the contract names and no test can bring about (target, status), and why.
NEVER_SEEN: Mapping[tuple[str, int], str] = {}
# What only a Region's own name answers: whoever has no key. All else is asked of the public name.
OWN_NAME_ONLY = 403
SEEN_ON_THE_EMULATOR_ONLY = frozenset({202, 409, 429, 500, 503})

HEALTH_CHANGES = 8

Answer = tuple[str, str, int]
"""(target, operation, status)"""

SEEN = pytest.StashKey[set[Answer]]()
LEFT_OUT = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line("markers", "alone: changes what all share; runs beside no other test")
    config.addinivalue_line("markers", "each_region: runs in the other Region, too")
    config.addinivalue_line("markers", "each_name: runs by each Region's own name, too")
    config.addinivalue_line("markers", "own_names: runs by each Region's own name alone")
    config.addinivalue_line("markers", "emulated_only(why): never runs against a real account")
    config.stash[SEEN] = set[Answer]()
    config.stash[LEFT_OUT] = dict[str, str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what a real account must not be asked to bear."""
    if EMULATED:
        return
    why = {item: item.get_closest_marker("emulated_only") for item in items}
    left_out = [item for item in items if why[item]]
    items[:] = [item for item in items if not why[item]]
    config.hook.pytest_deselected(items=left_out)
    for item in left_out:
        marker = why[item]
        assert marker
        config.stash[LEFT_OUT][item.nodeid.split("[")[0]] = marker.args[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """Show beside a failure which Region's health checks changed, for then users were moved."""
    report = yield
    if report.failed and EMULATED and item.path.is_relative_to(SUITE):
        report.sections.append(("health checks' last changes", _health_changes()))
    return report


def _health_changes() -> str:
    log = TREE.local_state / "logs" / "local.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return "\n".join([line for line in lines if "[local.dns.health" in line][-HEALTH_CHANGES:])


def _whole_suite(config: pytest.Config) -> bool:
    """Whether this run was to run all of the suite, so that it must have seen everything."""
    picked = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf", "maxfail"))
    roots = [(config.invocation_params.dir / arg.split("::")[0]).resolve() for arg in config.args]
    return not picked and any(
        SUITE.is_relative_to(root) and "::" not in arg
        for root, arg in zip(roots, config.args, strict=True)
    )


def _asked(status: int) -> tuple[str, ...]:
    """Which names must have been seen to answer so; a Region's faults, its own name."""
    if status == OWN_NAME_ONLY:
        return TARGETS
    return ("primary",) if status >= 500 else ("public",)


def _unseen(seen: set[Answer]) -> list[str]:
    promised = contract.read().promised()
    elsewhere = frozenset() if EMULATED else SEEN_ON_THE_EMULATOR_ONLY
    return [
        f"{target}: {operation} was never seen to answer {status}"
        for target in TARGETS
        for operation, status in sorted(promised)
        if target in _asked(status)
        and (target, status) not in NEVER_SEEN
        and status not in elsewhere
        and (target, operation, status) not in seen
    ]


def _stale_excuses(seen: set[Answer]) -> list[str]:
    return [
        f"{status} was seen after all ({operation} at {target}): it needs no excuse"
        for target, operation, status in sorted(seen)
        if (target, status) in NEVER_SEEN
    ]


def pytest_testnodedown(node: Any, error: object) -> None:
    """Gather what a worker process has seen."""
    seen: set[Answer] = node.config.stash[SEEN]
    seen.update(tuple(one) for one in node.workeroutput.get("seen", ()))
    node.config.stash[LEFT_OUT] |= node.workeroutput.get("left_out", {})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run that hasn't seen every answer that the contract names, in each Region."""
    config = session.config
    seen = config.stash[SEEN]
    if hasattr(config, "workeroutput"):
        config.workeroutput["seen"] = sorted(seen)
        config.workeroutput["left_out"] = config.stash[LEFT_OUT]
        return
    if seen and _whole_suite(config) and (_unseen(seen) or _stale_excuses(seen)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was left out, and what of the contract wasn't seen."""
    write = terminalreporter.write_line
    for test, why in sorted(config.stash[LEFT_OUT].items()):
        write(f"left out for {ACCOUNT}: {test}: {why}")
    seen = config.stash[SEEN]
    if not seen or not _whole_suite(config):
        return
    missing = [*_unseen(seen), *_stale_excuses(seen)]
    terminalreporter.section("the contract", "-")
    for line in missing:
        write(f"FAILED {line}", red=True)
    excuses = ", ".join(
        f"{status} at {target}: {why}" for (target, status), why in NEVER_SEEN.items()
    )
    write(f"{len(seen)} kinds of answer seen; not asked for: {excuses or 'none'}")
