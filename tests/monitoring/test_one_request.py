"""One request, followed through every layer from nothing but its answer's headers."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING

import pytest
import requests

from drills import test_users
from project.account import LOCAL, read_account
from project.environment import process_environment
from project.paths import TREE
from tests.support.deployment_lock import deployment_lock
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drills.system import System
    from project.deployment import Deployment

LAYERS = ("edge", "gateway", "function")
HEADERS = ("x-amz-apigw-id", "x-amz-cf-id", "x-amzn-requestid", "x-amzn-trace-id")
# A log line arrives within a second, a sampled trace when its last segment has.
ARRIVES_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _shared(deployment: Deployment) -> Iterator[None]:
    """Nobody breaks a Region meanwhile."""
    with deployment_lock(deployment, alone=False):
        yield


@pytest.fixture
def answered(system: System) -> Iterator[Mapping[str, str]]:
    """The headers of a write's answer, through the public name."""
    username = test_users.new_username()
    token = test_users.sign_up_and_in(system, username).access_token
    answer = requests.post(
        f"{system.deployment.api_url}/v1/items",
        json={"title": "followed"},
        headers={"authorization": f"Bearer {token}", "idempotency-key": str(uuid.uuid4())},
        timeout=30,
    )
    answer.raise_for_status()
    yield answer.headers
    test_users.remove(system, username)


def trace(identifier: str) -> tuple[int, str]:
    """Run `make trace`'s command: its exit status and what it prints."""
    done = subprocess.run(
        # As make does: an id may begin with a dash.
        [sys.executable, "-m", "tracing", "--minutes=10", "--", identifier],
        cwd=TREE.root,
        env=process_environment(TREE, read_account(TREE, LOCAL), os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("header", HEADERS)
def test_a_request_is_found_everywhere_by_any_id_of_its_answer(
    answered: Mapping[str, str], header: str
) -> None:
    expected = (
        r"edge +POST /v1/items 201",
        r"gateway us-\S+ +POST /v1/items 201",
        r"function us-\S+ +request POST /v1/items 201",
        r"\n +landing-local-api/live ",
        r"\n +dynamodb .*PutItem",
    )

    status, output = eventually(
        lambda: trace(answered[header]),
        lambda seen: all(re.search(each, seen[1]) for each in expected),
        ARRIVES_SECONDS,
    )

    assert status == 0
    # No request but this one.
    assert [len(re.findall(rf"(?m)^20.* {layer} ", output)) for layer in LAYERS] == [1, 1, 1]
    assert output.count("\nTrace ") == 1


def test_no_id_of_a_request_is_its_callers_to_choose(system: System) -> None:
    own_id, root = str(uuid.uuid4()), f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"

    answers = [
        requests.get(
            f"{system.deployment.api_url}/health",
            headers={
                "x-amzn-requestid": own_id,
                "x-amz-apigw-id": own_id,
                "x-amz-cf-id": own_id,
                "x-amzn-trace-id": f"Root={root};Sampled=0",
            },
            timeout=30,
        )
        for _ in range(2)
    ]

    for header in HEADERS:
        ids = [answer.headers[header] for answer in answers]
        assert len(set(ids)) == len(ids)
        assert not [each for each in ids if own_id in each or root in each]
    # What comes by the edge is sampled here: nobody's Sampled=0 was taken up.
    assert all("Sampled=1" in answer.headers["x-amzn-trace-id"] for answer in answers)


def test_what_health_checkers_ask_is_never_sampled(system: System) -> None:
    answer = requests.get(f"{system.deployment.primary.url}/health", timeout=30)

    assert "Sampled=0" in answer.headers["x-amzn-trace-id"]


def test_a_request_that_nobody_sent_is_found_nowhere() -> None:
    status, output = trace(str(uuid.uuid4()))

    assert status == 1
    assert "Nothing is known of" in output


def test_what_is_no_id_is_refused_before_anybody_is_asked() -> None:
    status, output = trace('" or true or "')

    assert status == 2
    assert "x-amzn-requestid" in output
