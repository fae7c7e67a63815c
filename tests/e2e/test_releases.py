"""Bad releases are taken back by themselves, and users meet at most the canary's share of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from math import sqrt
from typing import TYPE_CHECKING

import pytest

from project.paths import TREE
from releases import settings
from releases.report.files import REPORTS
from tests.e2e.shipped_code import Edit, Functions, deployed_package, edited
from tests.support.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

    from project.deployment import Deployment
    from tests.e2e.account_operator import Operator
    from tests.support.traffic import Attempt
    from tests.support.users import Person, Pool

pytestmark = [pytest.mark.alone, pytest.mark.emulated_only("it publishes bad code")]

# A read and a write in so many seconds: a canary has to meet some of them, and two processors to
# answer all.
SELDOM, OFTEN = 1.0, 0.5

ROUTES = "items/routes.py"
LISTED = 'parameters = request.parameters(("status", "limit", "cursor"))'
FOUND_BY_THE_SMOKE_TEST = {
    "it fails at start": Edit(
        "lambda_function.py", "from_environment(os.environ)", "from_environment({})"
    ),
    "it answers a 5XX": Edit(ROUTES, ".create(caller, key, body)", ".create(caller, key)"),
    # A busy machine is no slow version: more than twice what serves takes, and 50 ms.
    "it is only slow": Edit(ROUTES, LISTED, f"time.sleep(0.4); {LISTED}"),
}
# Else a version that is only slow, say, could come to fail otherwise, and slowness go untested.
SAID = {
    "it fails at start": "The smoke test fails: ",
    "it answers a 5XX": "The smoke test fails: create: 500 in place of 201",
    "it is only slow": "It is slower than what serves: ",
}
# What comes through the edge carries its request's id: neither a call of the function nor a request
# at the Region's own name does.
WRONG_FOR_USERS = Edit(
    ROUTES,
    "        if request.method in READS:",
    '        assert "x-amz-cf-id" not in request.headers\n        if request.method in READS:',
)
GOOD = Edit(ROUTES, '"""The users\' routes:', '"""The routes of users:')


@pytest.fixture
def regions(deployment: Deployment, operator: Operator) -> Iterator[tuple[Functions, Functions]]:
    """Both Regions' functions, the standby's first, as releases go; in the end all is as it was."""
    standby, primary = (
        Functions(
            operator.session.client(
                "lambda", region_name=stack.region, endpoint_url=operator.endpoint
            ),
            (stack.function_name, stack.health_function_name),
            operator.dynamodb(stack.region),
            deployment.table_name,
            stack.region,
        )
        for stack in (deployment.standby, deployment.primary)
    )
    with ExitStack() as restored:
        restored.callback(remove_reports, set(REPORTS.glob("*")))
        for functions in (standby, primary):
            restored.enter_context(functions.as_before(deployed_package()))
        yield standby, primary


def remove_reports(kept: set[Path]) -> None:
    for report in set(REPORTS.glob("*")) - kept:
        shutil.rmtree(report)


@pytest.fixture
def token(
    pool: Pool,
    person: Person,
    # Nobody asks any more when it is put back.
    regions: tuple[Functions, Functions],
) -> str:
    """Somebody signed in."""
    del regions
    return pool.sign_in(person).access


@contextmanager
def asking(
    deployment: Deployment, http: requests.Session, token: str, every: float
) -> Iterator[Traffic]:
    """Read and write through the public name all the while, once the primary serves it."""
    assert isinstance(http.verify, (bool, str))
    with Traffic(deployment.api_url, http.verify, token, every=every).flowing() as traffic:
        traffic.await_service(deployment.primary.region, time.monotonic(), within=120)
        yield traffic


def release(deployment: Deployment, region: str) -> tuple[int, str]:
    """What is called after each apply: its status, and what it says."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "toolchain", "release"),
            *("--account", deployment.account, "--region", region),
        ],
        cwd=TREE.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    print(done.stdout)
    return done.returncode, done.stdout


def failed(users: Traffic) -> list[Attempt]:
    return [one for one in users.attempts if one.status not in {200, 201}]


def test_what_the_smoke_test_finds_stops_at_the_standby_and_costs_users_nothing(
    deployment: Deployment,
    regions: tuple[Functions, Functions],
    http: requests.Session,
    token: str,
) -> None:
    standby, primary = regions
    before = standby.serving(), primary.serving()
    with asking(deployment, http, token, SELDOM) as users:
        for kind, edit in FOUND_BY_THE_SMOKE_TEST.items():
            standby.publish(edited(deployed_package(), edit))
            began = time.monotonic()

            status, said = release(deployment, standby.region)

            print(f"{kind}: {time.monotonic() - began:.1f} s")
            assert status == 1, f"{kind}: {said}"
            assert f"is no good. {SAID[kind]}" in said, f"{kind}: {said}"
            assert (standby.serving(), primary.serving()) == before, kind
    print(f"{len(users.attempts)} requests of users")
    assert failed(users) == []


def test_what_only_users_meet_is_taken_back_in_both_regions_and_the_next_release_serves(
    deployment: Deployment,
    regions: tuple[Functions, Functions],
    http: requests.Session,
    token: str,
) -> None:
    standby, primary = regions
    before = standby.serving(), primary.serving()
    bad, good = (edited(deployed_package(), edit) for edit in (WRONG_FOR_USERS, GOOD))
    with asking(deployment, http, token, SELDOM) as users:
        release_to(deployment, standby, bad)
        primary.publish(bad)
    assert failed(users) == [], "users are where it isn't"

    with asking(deployment, http, token, OFTEN) as users:
        began = time.monotonic()
        status, said = release(deployment, primary.region)
        print(f"{time.monotonic() - began:.1f} s")
        assert status == 1, said
        assert "is no good" in said
        assert (standby.serving(), primary.serving()) == before
    share = settings.read(TREE, deployment.account).canary_percent / 100
    print(f"{len(failed(users))} of {len(users.attempts)} requests of users failed")
    assert 0 < len(failed(users)) <= most_by_chance(len(users.attempts), share)

    with asking(deployment, http, token, SELDOM) as users:
        for functions in regions:
            release_to(deployment, functions, good)
    assert failed(users) == []


def release_to(deployment: Deployment, functions: Functions, package: bytes) -> None:
    """Publish a package in a Region, and see that it gets every call."""
    published = functions.publish(package)
    began = time.monotonic()
    status, said = release(deployment, functions.region)
    print(f"{time.monotonic() - began:.1f} s")
    assert status == 0, said
    assert functions.serving() == {name: (version, {}) for name, version in published.items()}


def most_by_chance(requests: int, share: float) -> float:
    """How many requests a share may meet: five standard deviations more than it says."""
    return requests * share + 5 * sqrt(requests * share * (1 - share))
