"""Runs the generator from sign-in to clean-up; what it saw is a tally."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from drills import cleanup_watchdog
from drills.rollback_log import RollbackLog, note_of
from drills.system import System
from load import progress
from load.habits import Habits
from load.phone import SignedIn
from load.records import Plan, record_of
from load.size import Size
from load.tally import Tally
from load.usage import Usage, await_usage
from load.users import sign_in_all
from project.console import Progress, ToolchainError
from project.paths import TREE

ROOM = "load"
GENERATOR = [sys.executable, "-m", "load.generator"]
DRAIN_SECONDS = 130.0
# How long the generator may take to end once its input is closed.
END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run saw, and what CloudWatch has of it."""

    tally: Tally
    usage: Usage


def run(system: System, size: Size) -> Seen:
    """Let users use the deployment, and leave it as it was.

    Raises ToolchainError when the generator breaks off, or something can't be removed.
    """
    rollback = RollbackLog(note_of(system.account.name, ROOM))
    tally = Tally()
    with ExitStack() as stack:
        stack.enter_context(cleanup_watchdog.watching(system, ROOM))
        stack.callback(_remove_users, system, rollback)
        with Progress("users") as shown:
            users = sign_in_all(system, rollback, size.users, shown.show)
        began = datetime.now(UTC)
        with progress.shown(tally, size), _generator(_plan(system, users, size)) as generator:
            _count(generator, tally)
        with Progress("CloudWatch") as shown:
            usage = await_usage(system, began, tally.figures().answered, shown.show)
    return Seen(tally, usage)


def _plan(system: System, users: list[SignedIn], size: Size) -> Plan:
    deployment = system.deployment
    region = deployment.user_pool_id.partition("_")[0]
    pool = os.environ.get("AWS_ENDPOINT_URL") if system.on_emulator else None
    return Plan(
        url=deployment.api_url,
        token_url=f"{pool or f'https://cognito-idp.{region}.amazonaws.com'}/",
        client_id=deployment.user_pool_client_id,
        ca=str(TREE.ca) if system.on_emulator else "",
        resolves_localhost=system.on_emulator,
        users=users,
        visits_a_second=size.visits_a_second(Habits()),
        seconds=size.seconds,
        drain_seconds=DRAIN_SECONDS,
        seed=secrets.randbits(32),
    )


@contextmanager
def _generator(plan: Plan) -> Iterator[subprocess.Popen[str]]:
    """Have the generator run; it is gone when the body ends, however that does."""
    with subprocess.Popen(
        GENERATOR,
        cwd=TREE.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as generator:
        assert generator.stdin
        try:
            generator.stdin.write(plan.line() + "\n")
            generator.stdin.flush()
            yield generator
        finally:
            # It stops when its input closes.
            generator.stdin.close()
            try:
                generator.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                generator.kill()


def _count(generator: subprocess.Popen[str], tally: Tally) -> None:
    assert generator.stdout
    for line in generator.stdout:
        tally.add(record_of(line))
    if not tally.finished:
        raise ToolchainError(
            f"The generator broke off (status {generator.wait()}): what it said stands above."
        )


def _remove_users(system: System, rollback: RollbackLog) -> None:
    with Progress("removing the users with all that they own"):
        rollback.all(system)
