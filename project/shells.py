"""Exports as a shell reads them, safe whatever a value holds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from project.console import ToolchainError

# What is read by `eval "$(…)"`; fish has a language of its own, and `… | source`.
POSIX = ("sh", "bash", "dash", "ksh", "zsh")
FISH = "fish"


def exports(variables: Mapping[str, str], removed: Iterable[str], kind: str = "") -> str:
    """Render what sets variables, after what removes others, for a kind of shell.

    Raises ToolchainError for a shell that nobody wrote this for.
    """
    # A process may have variables that no shell can name.
    removed = [name for name in removed if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)]
    if kind == FISH:
        lines = _lines(
            [f"set -e {name}" for name in removed],
            (f"set -gx {name} {_fish_quoted(value)}" for name, value in variables.items()),
        )
        # What it is told to remove and hasn't is a failure to fish, which `set` doesn't end.
        return f"{lines}\ntrue"
    if kind and kind not in POSIX:
        known = ", ".join((*POSIX, FISH))
        raise ToolchainError(f"SHELL_KIND={kind} is none of {known}.")
    # One line each: where one of them can't be removed, bash ends the whole `unset`.
    return _lines(
        [f"unset {name}" for name in removed],
        (f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
    )


def _lines(removing: Iterable[str], setting: Iterable[str]) -> str:
    return "\n".join([*removing, *setting])


def _fish_quoted(value: str) -> str:
    # Between single quotes fish reads two escapes, and no others.
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
