"""One embedded AWS for all tests of this folder: free ports, a state folder of its own."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import process, settings
from local.settings import Settings
from tests.local.bench import Bench, Stack, deploy
from tests.local.global_layer import GlobalLayer, deploy_global_layer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _settings(folder: Path) -> Settings:
    return settings.read(
        {
            "LOCAL_AWS_PORT": str(_free_port()),
            "LOCAL_HTTPS_PORT": str(_free_port()),
            "LOCAL_DNS_PORT": str(_free_port()),
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
def chosen(tmp_path: Path) -> Iterator[Settings]:
    """Settings for a bench that the test starts itself; it is stopped afterwards."""
    fresh = _settings(tmp_path / "local")
    yield fresh
    process.stop(fresh)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A running bench, started from a shell that holds a person's real credentials."""
    fresh = _settings(tmp_path_factory.mktemp("local"))
    before = dict(os.environ)
    os.environ.update(POISON)
    try:
        process.start(fresh)
    finally:
        os.environ.clear()
        os.environ.update(before)
    yield Bench(fresh)
    process.stop(fresh)


@pytest.fixture(scope="session")
def stack(bench: Bench) -> Stack:
    """A global table, and in each Region an API behind its own name, with a function."""
    return deploy(bench)


@pytest.fixture(scope="session")
def layer(stack: Stack) -> GlobalLayer:
    """A distribution in front of the stack's Regions, its origin pointing at the first."""
    return deploy_global_layer(stack)
