"""An account's targets for a failover, and what its settings allow at best."""

from __future__ import annotations

from dataclasses import dataclass

from project.account import read_settings
from project.console import ToolchainError
from project.paths import Tree

# A health checker is up to a tenth late, and a resolver asks when it pleases.
MARGIN = 1.15


@dataclass(frozen=True, slots=True)
class Targets:
    """What an account's users are promised, its failover settings, whether its drills ask twice.

    Reads: how many may fail and how long the slowest may take. Writes: `rto_seconds` and
    `rpo_seconds`. Updates: how many a planned move may lose.
    """

    failed_reads: int
    slowest_read_seconds: float
    rto_seconds: float
    rpo_seconds: float
    lost_updates: int
    interval_seconds: int
    threshold: int
    ttl_seconds: int
    asks_twice: bool

    @property
    def limit_seconds(self) -> float:
        """The least that the settings allow: interval x threshold + TTL."""
        return self.interval_seconds * self.threshold + self.ttl_seconds

    @property
    def patience_seconds(self) -> float:
        """What isn't seen by then isn't going to happen."""
        return 1.5 * max(self.limit_seconds, self.rto_seconds)


def read_targets(tree: Tree, account_name: str) -> Targets:
    """Read an account's. Raises ToolchainError when one of them is no number."""
    settings = read_settings(tree, account_name)
    try:
        return Targets(
            failed_reads=int(settings["failed_reads_target"]),
            slowest_read_seconds=float(settings["slowest_read_target_seconds"]),
            rto_seconds=float(settings["rto_target_seconds"]),
            rpo_seconds=float(settings["rpo_target_seconds"]),
            lost_updates=int(settings["lost_updates_target"]),
            interval_seconds=int(settings["health_check_interval_seconds"]),
            threshold=int(settings["health_check_failure_threshold"]),
            ttl_seconds=int(settings["failover_record_ttl_seconds"]),
            asks_twice=settings["drills_ask_twice"] is not False,
        )
    except (TypeError, ValueError) as error:
        raise ToolchainError(f"live/{account_name}/account.hcl: {error}.") from None
