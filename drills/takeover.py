"""`make takeover` and `make failback`: move users and writes, and show what that does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from drills import watchers
from drills.hand_over import HandOver, Outcome
from drills.switch import PROMPT, Switch
from drills.system import QUICK
from project.account import LOCAL, Account
from project.console import ToolchainError, say


@dataclass(frozen=True, slots=True)
class Names:
    """An account by its names alone.

    They come from account.hcl and not from Terraform's outputs: the state lives in the primary
    Region, and a takeover has to work when that is gone. `patience_seconds` is the account's, too:
    users who haven't moved by then aren't going to.
    """

    account: Account
    port: str
    patience_seconds: float

    @property
    def public_url(self) -> str:
        """Where users find the API."""
        return f"https://api.{self.account.domain_name}{self.port}"

    @property
    def regions(self) -> tuple[str, str]:
        """Both, the primary first."""
        return self.account.primary_region, self.account.standby_region

    def host(self, region: str) -> str:
        """Name a Region's own host."""
        return f"{region}.{self.account.domain_name}"


def takeover(names: Names) -> int:
    """Make the standby serve; 0 once it does, 1 when it doesn't in time."""
    return _perform(names, names.account.standby_region, HandOver.take_over)


def failback(names: Names) -> int:
    """Let the primary serve again; 0 once it does, 1 when it doesn't in time."""
    return _perform(names, names.account.primary_region, HandOver.fail_back)


def switch_of(account: Account) -> Switch:
    """Reach an account's switch."""
    clients = {
        region: boto3.Session().client("dynamodb", region_name=region, config=PROMPT)
        for region in (account.primary_region, account.standby_region)
    }
    return Switch(account.primary_region, account.standby_region, clients, account.table_name, say)


@contextmanager
def explained(account: Account) -> Iterator[None]:
    """Turn AWS's errors into what to do about them."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ToolchainError(
            f"The switch of {account.name} can't be set or read: {error}\n"
            f"It is one item in table {account.table_name}, Region {account.standby_region}. "
            f"Check that your credentials are of account {account.account_id} and may call "
            "dynamodb:GetItem, dynamodb:UpdateItem and kms:Decrypt in both Regions, and run this "
            "again: it goes on from what the switch says."
        ) from error


def _perform(names: Names, expected: str, move: Callable[[HandOver], Outcome]) -> int:
    began = time.monotonic()

    def tell(what: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {what}")

    hand_over = HandOver(
        switch=switch_of(names.account),
        writes_served_by=lambda: watchers.writes_served_by(names.public_url),
        ready=lambda region: watchers.answers(
            f"https://{names.host(region)}{names.port}/health/ready"
        ),
        tell=tell,
        patience_seconds=names.patience_seconds,
    )
    with (
        explained(names.account),
        watchers.following(_shown(names), lambda watcher, seen: tell(f"{watcher.subject}: {seen}")),
    ):
        outcome = move(hand_over)
    return _verdict(names, expected, outcome, time.monotonic() - began)


def _shown(names: Names) -> list[watchers.Watcher]:
    route53 = boto3.Session().client("route53", region_name="us-east-1", config=QUICK)
    return [
        *watchers.health_checks(route53, [names.host(region) for region in names.regions]),
        watchers.failover_record(names.account.domain_name, names.regions),
        watchers.serving_region(names.public_url),
    ]


def _verdict(names: Names, expected: str, outcome: Outcome, seconds: float) -> int:
    if outcome.moved:
        say(f"\nUsers are served by {expected}, after {seconds:.0f} s.")
        if outcome.refused_seconds is not None:
            say(
                f"Seen from here, writes were refused for {outcome.refused_seconds:.0f} s at most, "
                "and succeed when they are tried again."
            )
        return 0
    say(f"\n{names.public_url} is not served by {expected} after {seconds:.0f} s.")
    say("`make status` shows endpoints, checks and DNS." if names.account.name == LOCAL else _ASIDE)
    return 1


_ASIDE = "See the health checks in Route 53's console; docs/deployment-guide.md says what to do."
