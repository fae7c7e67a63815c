"""Asks before something is done to an account whose users are real: by a variable, and a person."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from project.console import ToolchainError


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be confirmed: `warning` says what it does, and `answer` is to be typed."""

    work: str
    command: str
    warning: str
    answer: str


def require_confirmation(account_name: str, asks_twice: bool, question: Question) -> None:
    """Ask twice where the account says so. Raises ToolchainError unless both answers are right."""
    if not asks_twice:
        return
    if os.environ.get("CI"):
        raise ToolchainError(
            f"No {question.work} of {account_name} is ever begun by CI (CI is set)."
        )
    if os.environ.get("CONFIRM") != account_name:
        raise ToolchainError(
            f"{account_name} serves users: type CONFIRM={account_name} after `{question.command}` "
            "as well, and answer what is asked then."
        )
    if not sys.stdin.isatty():
        raise ToolchainError(
            f"A {question.work} of {account_name} asks a person, and none is at this input."
        )
    print(f"{question.warning}: {question.answer}. Type that to go on.")
    if input("> ").strip() != question.answer:
        raise ToolchainError("That is not what was asked for: nothing was done.")
