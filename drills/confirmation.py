"""Asks before a drill touches an account whose users are real."""

from __future__ import annotations

from collections.abc import Sequence

from drills.experiment import Experiment
from drills.targets import Targets
from project import confirmation


def require_confirmation(
    account_name: str, targets: Targets, experiments: Sequence[Experiment]
) -> None:
    """Ask twice where the account says so. Raises ToolchainError unless both answers are right."""
    question = confirmation.Question(
        work="drill",
        command="make drill",
        warning=f"This breaks {account_name} for its users",
        answer=" ".join(experiment.name for experiment in experiments),
    )
    confirmation.require_confirmation(account_name, targets.asks_twice, question)
