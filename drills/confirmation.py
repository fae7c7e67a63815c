"""Asks before a drill touches an account whose users are real: by a variable, and by a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from drills.experiment import Experiment
from drills.targets import Targets
from project.console import ToolchainError


def require_confirmation(
    account_name: str, targets: Targets, experiments: Sequence[Experiment]
) -> None:
    """Ask twice where the account says so. Raises ToolchainError unless both answers are right."""
    if not targets.asks_twice:
        return
    if os.environ.get("CI"):
        raise ToolchainError(f"No drill of {account_name} is ever begun by CI (CI is set).")
    if os.environ.get("CONFIRM") != account_name:
        raise ToolchainError(
            f"{account_name} serves users: type CONFIRM={account_name} after `make drill` as well, "
            "and answer what is asked then."
        )
    if not sys.stdin.isatty():
        raise ToolchainError(f"A drill of {account_name} asks a person, and none is at this input.")
    names = " ".join(experiment.name for experiment in experiments)
    print(f"This breaks {account_name} for its users: {names}. Type that name to go on.")
    if input("> ").strip() != names:
        raise ToolchainError("That is not the name: nothing was done.")
