"""What a failover is held to: the account's own targets, and what its settings allow at best."""

from __future__ import annotations

from dataclasses import dataclass

from toolchain.console import ToolchainError
from toolchain.paths import Tree
from toolchain.settings import read_literals

# A health checker is up to a tenth late, and a resolver asks when it pleases.
MARGIN = 1.15


@dataclass(frozen=True, slots=True)
class Targets:
    """An account's targets in seconds, its failover settings, and whether its drills ask twice."""

    rto_seconds: float
    rpo_seconds: float
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
    """Read them from account.hcl. Raises ToolchainError with what it doesn't say."""
    said = read_literals(tree, account_name)
    try:
        return Targets(
            rto_seconds=float(said["rto_target_seconds"]),
            rpo_seconds=float(said["rpo_target_seconds"]),
            interval_seconds=int(said["health_check_interval_seconds"]),
            threshold=int(said["health_check_failure_threshold"]),
            ttl_seconds=int(said["failover_record_ttl_seconds"]),
            # Left out, it is asked: better once too often.
            asks_twice=said.get("drills_ask_twice", "true") != "false",
        )
    except KeyError as missing:
        raise ToolchainError(
            f"live/{account_name}/account.hcl doesn't say {missing}: live/dev/account.hcl shows "
            "what belongs there, and why."
        ) from None
    except ValueError as error:
        raise ToolchainError(f"live/{account_name}/account.hcl: {error}.") from None
