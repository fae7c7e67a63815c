"""What is deployed in the account that a run is for, and who is given it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from project.account import LOCAL
from project.console import ToolchainError
from project.deployment import Deployment, read_deployment
from project.environment import require_own_emulator
from project.paths import TREE
from tests.support.waiting import eventually
from toolchain.testing import UP_IS_DONE

ACCOUNT = os.environ.get("ACCOUNT", LOCAL)
EMULATED = LOCAL == ACCOUNT
# One of several processes of a run, which can't end it.
WORKER = "PYTEST_XDIST_WORKER"
# How long `make up` may take, on a machine that does much else.
UP_SECONDS = 900.0


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    """What is deployed in the account that the tests are for (ACCOUNT, else the embedded AWS)."""
    if EMULATED:
        _await_up()
    try:
        require_own_emulator(TREE, ACCOUNT)
        return read_deployment(ACCOUNT)
    except ToolchainError as error:
        if WORKER in os.environ:
            raise
        # Every other test would say the same.
        pytest.exit(str(error), returncode=2)


def _await_up() -> None:
    """Wait for the `make up` that runs beside the tests, if there is one.

    Where it fails, who runs both interrupts the tests.
    """
    if UP_IS_DONE in os.environ:
        eventually(Path(os.environ[UP_IS_DONE]).exists, bool, UP_SECONDS, every=0.5)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that is given the deployment."""
    if isinstance(item, pytest.Function) and "deployment" in item.fixturenames:
        item.add_marker(pytest.mark.deployed)
