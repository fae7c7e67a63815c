"""A system that isn't there, for what needs only its names."""

from __future__ import annotations

from dataclasses import replace

from drills.system import System
from drills.targets import Targets
from project.account import Account
from project.deployment import Deployment, RegionStack
from tests.drills.histories import PRIMARY, STANDBY

TARGETS = Targets(
    failed_reads=0,
    slowest_read_seconds=5.0,
    rto_seconds=46.0,
    rpo_seconds=5.0,
    lost_updates=0,
    interval_seconds=10,
    threshold=3,
    ttl_seconds=10,
    asks_twice=False,
)
ACCOUNT = Account(
    "dev", "landing", "345678901234", "example.com", PRIMARY, STANDBY, "landing-dev-items"
)
# Nobody listens there.
NOWHERE = "https://127.0.0.1:1"


def stack(region: str) -> RegionStack:
    """Name a Region's stack."""
    return RegionStack(region, NOWHERE, "api", "live", "function", "role", "health", "health-role")


def system(targets: Targets = TARGETS) -> System:
    """Name a system that answers nowhere."""
    deployment = Deployment(
        account="dev",
        account_id=ACCOUNT.account_id,
        domain_name=ACCOUNT.domain_name,
        api_url=NOWHERE,
        primary=stack(PRIMARY),
        standby=stack(STANDBY),
        user_pool_id=f"{PRIMARY}_pool",
        user_pool_client_id="client",
        table_name="items",
        origin_key="key",
    )
    return System(ACCOUNT, deployment, targets)


def impatient() -> System:
    """A system whose drills wait for nothing."""
    return system(replace(TARGETS, rto_seconds=0, interval_seconds=0, ttl_seconds=0))
