"""What an account says about its releases."""

from __future__ import annotations

from dataclasses import dataclass

from project.account import read_settings
from project.console import ToolchainError
from project.paths import Tree


@dataclass(frozen=True, slots=True)
class Settings:
    """How a new version meets users: the share of their calls, and for how long before it has all.

    0 minutes: at once, as soon as its smoke test has passed.
    """

    canary_percent: float
    bake_minutes: float

    @property
    def bake_seconds(self) -> float:
        """The same in seconds."""
        return 60 * self.bake_minutes


def read(tree: Tree, account_name: str) -> Settings:
    """Read an account's. Raises ToolchainError when one of them is no number, or makes no sense."""
    written = read_settings(tree, account_name)
    try:
        settings = Settings(float(written["canary_percent"]), float(written["bake_minutes"]))
    except (TypeError, ValueError) as error:
        raise ToolchainError(f"live/{account_name}/account.hcl: {error}.") from None
    if not 0 < settings.canary_percent <= 100:
        raise ToolchainError(
            f"live/{account_name}/account.hcl: canary_percent is {settings.canary_percent:g}, and "
            "must be more than 0 and at most 100."
        )
    # A day: whoever waits for longer has forgotten that it runs.
    if not 0 <= settings.bake_minutes <= 1440:
        raise ToolchainError(
            f"live/{account_name}/account.hcl: bake_minutes is {settings.bake_minutes:g}, and must "
            "be from 0 (at once) to 1440."
        )
    return settings
