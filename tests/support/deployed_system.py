"""The system that is deployed from a tree, as drills see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.system import System
from drills.targets import read_targets
from toolchain.deployment import read_deployment
from toolchain.paths import TREE, Tree
from toolchain.settings import LOCAL, bench_settings, read_account

if TYPE_CHECKING:
    import pytest


def deployed_system(monkeypatch: pytest.MonkeyPatch, tree: Tree = TREE) -> System:
    """Name the system that is deployed from a tree, reached as `make drill` reaches it."""
    account = read_account(tree, LOCAL)
    for name, value in bench_settings(tree, account).items():
        monkeypatch.setenv(name, value)
    return System(account, read_deployment(LOCAL, tree), read_targets(tree, LOCAL))
