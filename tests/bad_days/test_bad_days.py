"""One bad day of the bench, told as a story: a clone of its own, on ports of its own.

Every step starts where the one before left off, because each would otherwise have to deploy
both Regions anew: minutes of a run that has few.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
import requests

from local import process, resolver
from tests.e2e.api import Api, SignedIn, Target
from tests.e2e.people import Pool, stranger
from tests.e2e.waiting import eventually
from toolchain.deployment import read_deployment
from toolchain.paths import TREE, Tree
from toolchain.settings import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

UP_SECONDS = 900
# What leads a process somewhere else than to this clone's own bench.
NOT_INHERITED = ("LOCAL_", "AWS_", "TG_", "TERRAGRUNT_", "PYTEST_", "API_URL", "USER_POOL")


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.listen()
        yield


@dataclass(frozen=True, slots=True)
class Clone:
    """A copy of this repository, as a person would clone it, with the tools that are here."""

    root: Path
    aws_port: int
    https_port: int
    dns_port: int

    def environment(self) -> dict[str, str]:
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
    def state(self) -> Path:
        return self.root / ".local"

    def process_id(self) -> int:
        """The id of this clone's serving process."""
        return int(json.loads((self.state / "local.pid").read_text())["pid"])

    def apply_log(self) -> str:
        log = self.state / "logs" / "terragrunt-apply.log"
        return log.read_text() if log.exists() else ""


def copy_of_the_repository(to: Path) -> None:
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


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    root = tmp_path_factory.mktemp("clone")
    copy_of_the_repository(root)
    clone = Clone(root, *free_ports(3))
    yield clone
    subprocess.run(
        [sys.executable, "-m", "local", "down"],
        cwd=root,
        env=clone.environment(),
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("taken", ["LOCAL_AWS_PORT", "LOCAL_HTTPS_PORT"])
def test_1_a_port_that_is_taken_is_named(clone: Clone, taken: str) -> None:
    port = clone.aws_port if taken == "LOCAL_AWS_PORT" else clone.https_port

    with listening(port):
        status, said = clone.run("up")

    assert status != 0
    assert str(port) in said
    assert taken in said
    assert str(os.getpid()) in said, "the one who holds it isn't named"
    assert "Traceback" not in said


def test_2_make_up_is_interrupted_half_way(clone: Clone) -> None:
    running = clone.begin("up")
    eventually(
        lambda: clone.apply_log() if running.poll() is None else "ended",
        lambda log: "Creation complete" in log,
        within=300,
    )

    os.killpg(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=300)

    assert running.returncode != 0
    assert "Traceback" not in said


def test_3_two_that_begin_again_at_once_both_end_well(clone: Clone) -> None:
    both = [clone.begin("up"), clone.begin("up")]
    said = [one.communicate(timeout=UP_SECONDS)[0] for one in both]

    assert [one.returncode for one in both] == [0, 0], "\n".join(said)
    assert sum("waiting for it to end" in words for words in said) == 1
    assert any("0 resources changed" in words for words in said), "the second had work left"
    assert all(f"https://us-east-1.landing.localhost:{clone.https_port}" in w for w in said)


@pytest.fixture
def regions(clone: Clone) -> Iterator[tuple[SignedIn, SignedIn]]:
    """Somebody signed in, in both Regions of the clone's bench."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in clone.ports().items():
            environment.setenv(name, value)
        environment.delenv("LOCAL_STATE_DIR", raising=False)
        deployed = read_deployment(tree=Tree(clone.root))
    cognito = boto3.client(
        "cognito-idp",
        region_name=deployed.primary.region,
        endpoint_url=f"http://127.0.0.1:{clone.aws_port}",
        aws_access_key_id=deployed.account_id,
        aws_secret_access_key=LOCAL,
    )
    pool = Pool(cognito, deployed.user_pool_id, deployed.user_pool_client_id)
    person = stranger()
    pool.add(person)
    tokens = pool.sign_in(person)
    key = {"x-origin-key": deployed.origin_key}
    with resolver.installed(), requests.Session() as http:
        http.trust_env = False
        http.verify = str(clone.state / "ca" / "bundle.pem")
        primary, replica = (
            SignedIn(
                Api(Target(stack.region, stack.url, stack.region, key), http, set()),
                person,
                tokens,
            )
            for stack in deployed.regions
        )
        yield primary, replica


def ids(me: SignedIn) -> set[str]:
    return {item["id"] for item in me.list().json()["items"]}


def test_4_after_a_crash_both_regions_serve_the_same(
    clone: Clone, regions: tuple[SignedIn, SignedIn]
) -> None:
    primary, replica = regions
    settled = primary.create({"title": "Long before"}, str(uuid.uuid4())).json()["id"]
    eventually(lambda: ids(replica), lambda seen: seen == {settled}, within=10)
    saved = clone.state / "state" / "dynamodb.json"
    eventually(saved.read_text, lambda text: text.count(settled) >= 2, within=10)
    for _ in range(5):
        primary.create({"title": "Just before"}, str(uuid.uuid4()))

    os.kill(clone.process_id(), signal.SIGKILL)
    status, said = clone.run("start")

    assert status == 0, said
    here, there = eventually(
        lambda: (ids(primary), ids(replica)), lambda seen: seen[0] == seen[1], within=15
    )
    assert settled in here & there
    written = replica.create({"title": "After"}, str(uuid.uuid4())).json()["id"]
    eventually(lambda: ids(primary), lambda seen: written in seen, within=10)


def test_5_down_leaves_nothing(clone: Clone) -> None:
    process_id = clone.process_id()

    status, said = clone.run("down")

    assert status == 0, said
    assert not clone.state.exists()
    assert process.identify(process_id) is None
