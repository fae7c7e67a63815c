"""How a release can end other than well."""

from __future__ import annotations

from project.console import ToolchainError


class WrongError(ToolchainError):
    """The new version is no good: it goes back, in both Regions, and is marked."""


class CouldNotJudgeError(ToolchainError):
    """Whether it is any good can't be known: it goes back here, unmarked; try again."""
