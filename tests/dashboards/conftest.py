"""One embedded AWS for this folder: nothing deployed, free ports, a state folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from project.credentials import credentials_of
from project.paths import TREE
from tests.support.ports import free_ports


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of commands that use it."""
    aws_port, https_port, dns_port = free_ports(3)
    state_dir = tmp_path_factory.mktemp("local")
    root = credentials_of(state_dir)
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "LOCAL_AWS_PORT": str(aws_port),
        "LOCAL_HTTPS_PORT": str(https_port),
        "LOCAL_DNS_PORT": str(dns_port),
        "LOCAL_STATE_DIR": str(state_dir),
    }
    _local("start", environment)
    yield environment
    _local("stop", environment)


def _local(command: str, environment: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "local", command], cwd=TREE.root, env=environment, check=True
    )
