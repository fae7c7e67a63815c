"""What is deployed in the account that a run is for, and who is given it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from toolchain.deployment import Deployment, read_deployment
from toolchain.settings import LOCAL
from toolchain.testing import UP_SECONDS, UP_STATUS

ACCOUNT = os.environ.get("ACCOUNT", LOCAL)
EMULATED = LOCAL == ACCOUNT


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    """What is deployed in the account that the tests are for (ACCOUNT, else the embedded AWS)."""
    if EMULATED:
        _await_up()
    return read_deployment(ACCOUNT)


def _await_up() -> None:
    """Wait for the `make up` that runs beside the tests, if there is one."""
    if UP_STATUS not in os.environ:
        return
    status = Path(os.environ[UP_STATUS])
    eventually(status.exists, bool, UP_SECONDS, every=0.5)
    assert status.read_text() == "0", "`make up` failed: its output is at the end."


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that is given the deployment."""
    if isinstance(item, pytest.Function) and "deployment" in item.fixturenames:
        item.add_marker(pytest.mark.deployed)
