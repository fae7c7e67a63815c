"""Finds tools that the machine already has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolchain.pins import Version, fits, parse_version

VERSION_SECONDS = 20


def candidates(name: str, path: str) -> Iterator[Path]:
    """Every executable of that name on a PATH, in its order.

    What a clone of this repository installed is ignored: it vanishes with that clone.
    """
    for entry in path.split(os.pathsep):
        found = Path(entry) / name
        installed = found.parts[-3:-1] == (".tools", "bin")
        if entry and not installed and found.is_file() and os.access(found, os.X_OK):
            yield found


def version_of(command: Sequence[str]) -> Version | None:
    """Ask a tool for its version; None when it doesn't run, or answers something else."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(done.stdout) if done.returncode == 0 else None


def first_fitting(
    name: str, arguments: Sequence[str], within: tuple[Version, Version], path: str
) -> Path | None:
    """Find the first tool of that name on PATH whose version is in the range."""
    for found in candidates(name, path):
        if fits(version_of([str(found), *arguments]), within):
            return found
    return None
