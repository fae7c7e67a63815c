"""Downloads a published release and refuses anything but the bytes that were pinned."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from project.console import ToolchainError, say
from project.environment import without_missing_bundles

# Name lookup included: a machine without network must find out in seconds.
CONNECT_SECONDS = 5
STALLED_SECONDS = 15


class UnreachableError(Exception):
    """The release could not be downloaded; another way may be open."""


def fetch(url: str, destination: Path, sha256: str) -> None:
    """Download into a file that appears under its name only once its SHA-256 is the pinned one.

    Raises UnreachableError when it can't be had, ToolchainError when it is not what was pinned.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(destination.name + ".partial")
    say(f"  fetching {url}")
    try:
        _download(url, partial)
        check(partial, sha256, url)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)


def check(path: Path, sha256: str, source: str) -> None:
    """Raise ToolchainError unless the file has this SHA-256."""
    with path.open("rb") as handle:
        actual = hashlib.file_digest(handle, "sha256").hexdigest()
    if actual != sha256:
        raise ToolchainError(
            f"{source} has SHA-256 {actual}, but {sha256} is pinned. It was not installed. "
            "A proxy may have put a page of its own in its place; if the release itself "
            "changed, do not go on."
        )


def _download(url: str, path: Path) -> None:
    command = ["curl", "--fail", "--silent", "--show-error", "--location", "--output", str(path)]
    command += ["--connect-timeout", str(CONNECT_SECONDS)]
    command += ["--speed-limit", "1024", "--speed-time", str(STALLED_SECONDS), url]
    environment = without_missing_bundles(os.environ)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UnreachableError(done.stderr.strip() or f"curl ended with {done.returncode}")
