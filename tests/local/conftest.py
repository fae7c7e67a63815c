"""One embedded AWS for all tests of this folder: free ports, a state folder of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ministack.services import cloudwatch, route53

from local import process, settings
from local.settings import Settings
from tests.local.global_layer import GlobalLayer, deploy_global_layer
from tests.support.emulator import Emulator, Stack, deploy
from tests.support.ports import free_ports


def settings_in(folder: Path) -> Settings:
    """Settings with this state folder, and ports that are free."""
    aws_port, https_port, dns_port = free_ports(3)
    return settings.read(
        {
            "LOCAL_AWS_PORT": str(aws_port),
            "LOCAL_HTTPS_PORT": str(https_port),
            "LOCAL_DNS_PORT": str(dns_port),
            "LOCAL_STATE_DIR": str(folder),
        }
    )


# A person's own account in the shell: none of it may get any further.
POISON = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real-secret",
    "AWS_SESSION_TOKEN": "real-token",
    "AWS_PROFILE": "production",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "https://example.com",
}


@pytest.fixture
def own_settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings for an emulator that the test starts itself; it is stopped afterwards."""
    fresh = settings_in(tmp_path / "local")
    yield fresh
    process.stop(fresh)


@pytest.fixture
def empty_route53() -> Iterator[None]:
    """No zone, no health check and no metric in this process's own ministack."""
    route53.reset()
    cloudwatch.reset()
    yield
    route53.reset()
    cloudwatch.reset()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator, started from a shell that holds a person's real credentials."""
    fresh = settings_in(tmp_path_factory.mktemp("local"))
    before = dict(os.environ)
    os.environ.update(POISON)
    try:
        process.start(fresh)
    finally:
        os.environ.clear()
        os.environ.update(before)
    yield Emulator(fresh)
    process.stop(fresh)


@pytest.fixture(scope="session")
def stack(emulator: Emulator) -> Stack:
    """A global table, and in each Region an API behind its own name, with a function."""
    return deploy(emulator)


@pytest.fixture(scope="session")
def layer(stack: Stack) -> GlobalLayer:
    """A distribution in front of the stack's Regions, its origin pointing at the first."""
    return deploy_global_layer(stack)
