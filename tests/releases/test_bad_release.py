"""README's fourth act: a broken function is shipped, stopped at the standby, and taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from project import resolver
from project.account import LOCAL, read_account
from project.deployment import read_deployment
from project.environment import process_environment
from project.paths import TREE
from tests.docs.pages import Page
from tests.support.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clone import Clone

ACT = "Fourth act: ship a bad release"


def typed(clone: Clone, text: str) -> tuple[int, str]:
    """What a reader's shell does with a block of the page; its status and what it printed."""
    done = subprocess.run(
        ["bash", "-c", f'eval "$(make -s env)"\n{text}'],
        cwd=clone.root,
        env={
            **process_environment(clone.tree, read_account(clone.tree, LOCAL), os.environ),
            "TERM": "dumb",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def users(deployed_clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """Somebody who reads and writes through the public name all the while."""
    deployed_clone.lead_here(monkeypatch)
    deployment = read_deployment(tree=deployed_clone.tree)
    token = subprocess.run(
        [sys.executable, "-m", "toolchain", "sign-in"],
        cwd=deployed_clone.root,
        env=deployed_clone.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    bundle = str(deployed_clone.state / "ca" / "bundle.pem")
    with (
        resolver.installed(),
        Traffic(deployment.api_url, bundle, token).flowing() as traffic,
    ):
        yield traffic


def test_a_broken_function_is_stopped_at_the_standby_and_costs_users_nothing(
    deployed_clone: Clone, users: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed_clone.lead_here(monkeypatch)
    ship_it, take_it_back = Page(TREE.root / "README.md").blocks(under=ACT)
    function = deployed_clone.root / "lambda" / "lambda_function.py"
    good = function.read_text()

    _, shipped = typed(deployed_clone, ship_it.text)

    assert function.read_text() != good
    assert "is no good" in shipped
    assert "rolled back" in shipped
    assert "us-east-1/api' did not run" in shipped, shipped

    status, mended = typed(deployed_clone, take_it_back.text)

    assert status == 0, mended
    assert function.read_text() == good
    # 500 and 502 are what a function that can't start is to users. The edge's own 504, after 15 s,
    # says here that the machine had applies and other tests to run: tests/e2e/test_releases.py is
    # alone with its deployment, and counts every failure.
    statuses = [attempt.status for attempt in users.attempts]
    assert statuses.count(200) > 10
    assert statuses.count(201) > 10
    assert not {500, 502} & set(statuses)
