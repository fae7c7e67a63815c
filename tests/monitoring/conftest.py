"""What is deployed, for every test of what looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from drills.system import System
from project import resolver
from project.account import LOCAL, read_account
from project.environment import emulator_variables
from project.paths import TREE
from tests.monitoring.places import Place
from tests.support.deployed_system import deployed_system
from tests.support.deployment import ACCOUNT, EMULATED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from project.deployment import Deployment


@pytest.fixture(scope="session")
def by_region(deployment: Deployment) -> Mapping[str, Place]:
    account = read_account(TREE, ACCOUNT)
    emulator = emulator_variables(TREE, account) if EMULATED else {}
    session = boto3.Session(
        aws_access_key_id=emulator.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=emulator.get("AWS_SECRET_ACCESS_KEY"),
    )
    endpoint = emulator.get("AWS_ENDPOINT_URL")
    name = f"{account.project}-{account.name}"
    return {
        stack.region: Place(name, session, endpoint, deployment, stack)
        for stack in deployment.regions
    }


@pytest.fixture
def system(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The deployed system, reached as `make drill` reaches it."""
    assert deployment.account == LOCAL
    with resolver.installed():
        yield deployed_system(monkeypatch)
