"""A clone of this repository with a emulator of its own, on ports of its own.

Whoever breaks it is in nobody's way. One for all of a run, because each has to be deployed:
minutes of a run that has few. So its tests all go to one process, in their order
(tests/support/order.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE, Tree
from tests.support.deployment import UP_SECONDS
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What leads a process somewhere else than to this clone's own emulator.
NOT_INHERITED = ("LOCAL_", "AWS_", "TG_", "TERRAGRUNT_", "PYTEST_", "API_URL", "USER_POOL")


@dataclass(frozen=True, slots=True)
class Clone:
    """A copy of this repository, as a person would clone it, with the tools that are here."""

    root: Path
    aws_port: int
    https_port: int
    dns_port: int

    def environment(self) -> dict[str, str]:
        """What `make` is given there: nothing that leads elsewhere."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
        return {**kept, **self.ports()}

    def ports(self) -> dict[str, str]:
        """What sets this clone's ports."""
        return {
            "LOCAL_AWS_PORT": str(self.aws_port),
            "LOCAL_HTTPS_PORT": str(self.https_port),
            "LOCAL_DNS_PORT": str(self.dns_port),
        }

    def begin(self, *make: str) -> subprocess.Popen[str]:
        """Start `make …`; the output is one, as a person sees it."""
        return subprocess.Popen(
            ["make", f"PYTHON={sys.executable}", *make],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *make: str) -> tuple[int, str]:
        """Run `make …`; give its status and output."""
        running = self.begin(*make)
        output, _ = running.communicate(timeout=UP_SECONDS)
        return running.returncode, output

    @property
    def tree(self) -> Tree:
        """Its paths."""
        return Tree(self.root)

    @property
    def state(self) -> Path:
        """Its emulator's state."""
        return self.root / ".local"

    def at(self, path: Path) -> Path:
        """Where the clone has what lies at this path of the repository."""
        return self.root / path.relative_to(TREE.root)

    def lead_here(self, patch: pytest.MonkeyPatch) -> None:
        """Make this process's clients reach the clone's emulator while the patch holds."""
        for name, value in self.ports().items():
            patch.setenv(name, value)
        patch.delenv("LOCAL_STATE_DIR", raising=False)

    def process_id(self) -> int:
        """The id of this clone's serving process."""
        return int(json.loads((self.state / "local.pid").read_text())["pid"])

    def apply_log(self) -> str:
        """Terragrunt's output so far."""
        log = self.state / "logs" / "terragrunt-apply.log"
        return log.read_text() if log.exists() else ""


def _copy_of_the_repository(to: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TREE.root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = TREE.root / name, to / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (to / ".venv").symlink_to(TREE.venv)
    # What is large is shared, and only ever read; who holds which lock is each clone's own.
    tools = to / ".tools"
    shutil.copytree(TREE.tools_bin, tools / "bin", symlinks=True)
    for tool in TREE.tools.iterdir():
        if not (tools / tool.name).exists() and tool.name != TREE.lock("").name:
            (tools / tool.name).symlink_to(tool)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The one clone of a run, with nothing started in it yet."""
    # Where many a home folder lies: every tool has to run from any path.
    root = tmp_path_factory.mktemp("Ada's clöne, no. ")
    _copy_of_the_repository(root)
    clone = Clone(root, *free_ports(3))
    yield clone
    subprocess.run(
        [sys.executable, "-m", "local", "down"],
        cwd=root,
        env=clone.environment(),
        capture_output=True,
        check=False,
    )


@pytest.fixture
def deployed_clone(clone: Clone) -> Clone:
    """The clone with everything deployed in it."""
    status, _ = clone.run("status")
    if status != 0:
        status, output = clone.run("up")
        assert status == 0, output
    return clone


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that is given the clone."""
    if isinstance(item, pytest.Function) and "clone" in item.fixturenames:
        item.add_marker(pytest.mark.clone)
