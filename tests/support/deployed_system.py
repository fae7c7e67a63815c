"""The system that is deployed from a tree, as drills see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.system import System
from drills.targets import read_targets
from project.account import LOCAL, read_account
from project.deployment import read_deployment
from project.environment import emulator_variables
from project.paths import TREE, Tree

if TYPE_CHECKING:
    import pytest


def deployed_system(monkeypatch: pytest.MonkeyPatch, tree: Tree = TREE) -> System:
    """Name the system that is deployed from a tree, reached as `make drill` reaches it."""
    account = read_account(tree, LOCAL)
    for name, value in emulator_variables(tree, account).items():
        monkeypatch.setenv(name, value)
    return System(account, read_deployment(LOCAL, tree), read_targets(tree, LOCAL))
