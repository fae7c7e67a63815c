"""What drills hold each account to, written out: their limits are worked out from these."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drills.targets import MARGIN, Targets, read_targets
from project.paths import TREE

pytestmark = pytest.mark.terragrunt

PROMISED = Targets(
    failed_reads=0,
    slowest_read_seconds=5.0,
    rto_seconds=60.0,
    rpo_seconds=5.0,
    lost_updates=0,
    interval_seconds=10,
    threshold=3,
    ttl_seconds=10,
    asks_twice=True,
)


@pytest.mark.parametrize(
    ("account", "targets"),
    [
        ("local", replace(PROMISED, rto_seconds=46.0, asks_twice=False)),
        ("dev", replace(PROMISED, asks_twice=False)),
        ("prod", PROMISED),
    ],
)
def test_what_users_are_promised_changes_on_purpose_only(account: str, targets: Targets) -> None:
    assert read_targets(TREE, account) == targets


@pytest.mark.parametrize("account", ["local", "dev", "prod"])
def test_a_failover_can_be_as_quick_as_it_is_promised(account: str) -> None:
    targets = read_targets(TREE, account)

    assert targets.limit_seconds == 40.0
    assert MARGIN * targets.limit_seconds <= targets.rto_seconds
