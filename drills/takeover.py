"""`make takeover` and `make failback`: set the operator's switch, and show what it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from drills import watchers
from drills.switch import Switch
from drills.system import QUICK
from project.account import LOCAL, Account
from project.console import ToolchainError, say

# What isn't seen by then isn't going to happen: four times the default settings' 40 s.
PATIENCE_SECONDS = 160.0


@dataclass(frozen=True, slots=True)
class Names:
    """An account by its names alone.

    They come from account.hcl and not from Terraform's outputs: the state lives in the primary
    Region, and a takeover has to work when that is gone.
    """

    account: Account
    port: str

    @property
    def public_url(self) -> str:
        """Where users find the API."""
        return f"https://api.{self.account.domain_name}{self.port}"

    def host(self, region: str) -> str:
        """Name a Region's own host."""
        return f"{region}.{self.account.domain_name}"


def takeover(names: Names) -> int:
    """Make the standby serve; 0 once it does, 1 when it doesn't in time."""
    account = names.account
    with _explained(account):
        changed = _switch(account).activate()
    say(
        f"{account.standby_region} takes over."
        if changed
        else f"{account.standby_region} had taken over before; the switch is set again."
    )
    return _watch(names, account.standby_region)


def failback(names: Names) -> int:
    """Let the primary serve again; 0 once it does, 1 when it doesn't in time."""
    account = names.account
    with _explained(account):
        taken_back = _switch(account).deactivate()
    say(
        f"{account.standby_region} stands by again."
        if taken_back
        else f"{account.standby_region} had not taken over."
    )
    url = f"https://{names.host(account.primary_region)}{names.port}/health/ready"
    if not watchers.answers(url):
        say(f"{account.primary_region} is not ready: users stay where they are until it is.")
    return _watch(names, account.primary_region)


def _switch(account: Account) -> Switch:
    client = boto3.client("dynamodb", region_name=account.standby_region, config=QUICK)
    return Switch(client, account.table_name, account.standby_region)


@contextmanager
def _explained(account: Account) -> Iterator[None]:
    """Turn AWS's errors into what to do about them."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ToolchainError(
            f"The switch of {account.name} is not set: {error}\n"
            f"It is one item in table {account.table_name}, Region {account.standby_region}. "
            f"Check that your credentials are of account {account.account_id} and may call "
            "dynamodb:UpdateItem there, and try again."
        ) from error


def _watch(names: Names, expected: str) -> int:
    account = names.account
    regions = (account.primary_region, account.standby_region)
    route53 = boto3.client("route53", region_name="us-east-1", config=QUICK)
    serving = watchers.serving_region(names.public_url)
    moved = threading.Event()
    began = time.monotonic()

    def changed(watcher: watchers.Watcher, seen: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {watcher.subject}: {seen}")
        if watcher is serving and seen == expected:
            moved.set()

    say(f"Waiting for {serving.subject} {expected}.\n")
    shown = [
        *watchers.health_checks(route53, [names.host(region) for region in regions]),
        watchers.failover_record(account.domain_name, regions),
        serving,
    ]
    with watchers.following(shown, changed):
        in_time = moved.wait(PATIENCE_SECONDS)
    seconds = time.monotonic() - began
    if in_time:
        say(f"\nUsers are served by {expected}, after {seconds:.0f} s.")
        return 0
    say(f"\n{names.public_url} is not served by {expected} after {seconds:.0f} s.")
    say("`make status` shows endpoints, checks and DNS." if account.name == LOCAL else _ASIDE)
    return 1


_ASIDE = "See the health checks in Route 53's console; docs/deployment-guide.md says what to do."
