"""A sequence of interrupted runs: every step starts where the one before left off."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
import requests

from project import resolver
from project.credentials import credentials_of
from project.deployment import read_deployment
from tests.support.api import Api, SignedIn, Target
from tests.support.clone import Clone
from tests.support.deployment import UP_SECONDS
from tests.support.users import Pool, stranger
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield


@pytest.mark.parametrize("taken", ["LOCAL_AWS_PORT", "LOCAL_HTTPS_PORT"])
def test_1_a_port_that_is_taken_is_named(clone: Clone, taken: str) -> None:
    port = clone.aws_port if taken == "LOCAL_AWS_PORT" else clone.https_port

    with listening(port):
        status, output = clone.run("up")

    assert status != 0
    assert str(port) in output
    assert taken in output
    assert str(os.getpid()) in output, "the one who holds it isn't named"
    assert "Traceback" not in output


def test_2_make_up_is_interrupted_half_way(clone: Clone) -> None:
    running = clone.begin("up")
    eventually(
        lambda: clone.apply_log() if running.poll() is None else "ended",
        lambda log: "Creation complete" in log,
        within=300,
    )

    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=300)

    assert running.returncode != 0
    assert "Traceback" not in output


def test_3_two_that_begin_again_at_once_both_end_well(clone: Clone) -> None:
    both = [clone.begin("up"), clone.begin("up")]
    outputs = [one.communicate(timeout=UP_SECONDS)[0] for one in both]

    assert [one.returncode for one in both] == [0, 0], "\n".join(outputs)
    assert sum("waiting for it to end" in words for words in outputs) == 1
    assert any("0 resources changed" in words for words in outputs), "the second had work left"
    assert all(f"https://us-east-1.landing.localhost:{clone.https_port}" in w for w in outputs)


@pytest.fixture
def regions(clone: Clone) -> Iterator[tuple[SignedIn, SignedIn]]:
    """Somebody signed in, in both Regions of the clone's emulator."""
    with pytest.MonkeyPatch.context() as environment:
        clone.lead_here(environment)
        deployed = read_deployment(tree=clone.tree)
    cognito = boto3.Session().client(
        "cognito-idp",
        region_name=deployed.primary.region,
        endpoint_url=f"http://127.0.0.1:{clone.aws_port}",
        aws_access_key_id=deployed.account_id,
        aws_secret_access_key=credentials_of(clone.state).secret_access_key,
    )
    pool = Pool(cognito, deployed.user_pool_id, deployed.user_pool_client_id)
    person = stranger()
    pool.add(person)
    tokens = pool.sign_in(person)
    key = {"x-origin-key": deployed.origin_key}
    with resolver.installed(), requests.Session() as http:
        http.trust_env = False
        http.verify = str(clone.state / "ca" / "bundle.pem")
        primary, standby = (
            SignedIn(
                Api(Target(stack.region, stack.url, stack.region, key), http, set()),
                person,
                tokens,
            )
            for stack in deployed.regions
        )
        yield primary, standby


def ids(me: SignedIn) -> set[str]:
    return {item["id"] for item in me.list().json()["items"]}


def test_4_after_a_crash_both_regions_serve_the_same(
    clone: Clone, regions: tuple[SignedIn, SignedIn]
) -> None:
    primary, standby = regions
    settled = primary.create({"title": "Long before"}, str(uuid.uuid4())).json()["id"]
    eventually(lambda: ids(standby), lambda seen: seen == {settled}, within=10)
    # It was acknowledged more than a second ago.
    for _ in range(5):
        primary.create({"title": "Just before"}, str(uuid.uuid4()))

    os.kill(clone.process_id(), signal.SIGKILL)
    status, output = clone.run("start")

    assert status == 0, output
    here, there = eventually(
        lambda: (ids(primary), ids(standby)), lambda seen: seen[0] == seen[1], within=15
    )
    assert settled in here & there
    written = standby.create({"title": "After"}, str(uuid.uuid4())).json()["id"]
    eventually(lambda: ids(primary), lambda seen: written in seen, within=10)
