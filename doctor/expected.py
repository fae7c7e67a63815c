"""What an account.hcl promises, as far as AWS is held against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from project.account import Account, read_account, read_settings
from project.paths import Tree


@dataclass(frozen=True, slots=True)
class Expected:
    """An account as live/ has it.

    Rates are requests a second of each method; a reservation of -1 is none.
    """

    account: Account
    create_hosted_zone: bool
    hosted_zone_id: str | None
    domain_delegated: bool
    deletion_protection: bool
    point_in_time_recovery: bool
    alarm_emails: tuple[str, ...]
    alarms_reach_somebody: bool
    reserved_concurrency: int
    health_reserved_concurrency: int
    throttle_rate: float
    throttle_burst: int
    ses_identity_arn: str | None
    state_region: str

    @property
    def name(self) -> str:
        """What every resource's name begins with."""
        return f"{self.account.project}-{self.account.name}"

    @property
    def file(self) -> str:
        """Where a person changes what is expected."""
        return f"live/{self.account.name}/account.hcl"

    @property
    def regions(self) -> tuple[str, str]:
        """Both, the primary first."""
        return self.account.primary_region, self.account.standby_region


def read_expected(tree: Tree, name: str) -> Expected:
    """Read what an account is to be. Raises ToolchainError when it can't be read whole."""
    return expected(read_account(tree, name), read_settings(tree, name))


def expected(account: Account, settings: dict[str, Any]) -> Expected:
    """Take from an account's settings what is held against AWS."""
    return Expected(
        account=account,
        create_hosted_zone=settings["create_hosted_zone"],
        hosted_zone_id=settings["hosted_zone_id"],
        domain_delegated=settings["domain_delegated"],
        deletion_protection=settings["deletion_protection"],
        point_in_time_recovery=settings["point_in_time_recovery"],
        alarm_emails=tuple(settings["alarm_emails"]),
        alarms_reach_somebody=settings["alarms_reach_somebody"],
        reserved_concurrency=settings["reserved_concurrency"],
        health_reserved_concurrency=settings["health_reserved_concurrency"],
        throttle_rate=settings["throttle_rate_limit"],
        throttle_burst=settings["throttle_burst_limit"],
        ses_identity_arn=settings["email_ses_identity_arn"],
        # The embedded AWS has none.
        state_region=settings.get("state_region") or account.standby_region,
    )
