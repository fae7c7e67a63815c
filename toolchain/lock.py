"""Renews the locks from pyproject.toml and lambda/requirements.in, with uv."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain.console import ToolchainError, say
from toolchain.paths import Tree

COMPILE = [
    "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock",
]  # fmt: skip


def lock(tree: Tree, upgrade: bool) -> None:
    """Resolve again, keeping versions that still fit unless an upgrade is asked for.

    Raises ToolchainError when nothing fits, or uv can't be had.
    """
    uv = _uv(tree)
    upgrades = ["--upgrade"] if upgrade else []
    # The function's lock is held to the developers' one, so that tests run what is packed.
    jobs = (
        ["--group", "pyproject.toml:dev", "-o", "requirements.lock"],
        ["lambda/requirements.in", "-c", "requirements.lock", "-o", "lambda/requirements.txt"],
    )
    for job in jobs:
        say(f"  {job[-1]}")
        environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
        done = subprocess.run(
            [str(uv), *COMPILE, *upgrades, *job], cwd=tree.root, env=environment, check=False
        )
        if done.returncode != 0:
            raise ToolchainError(f"{job[-1]} was not renewed: see above.")


def _uv(tree: Tree) -> Path:
    found = shutil.which("uv", path=f"{tree.venv / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if found:
        return Path(found)
    home = tree.tools / "uv"
    if not (home / "bin" / "uv").exists():
        commands = (
            [sys.executable, "-m", "venv", str(home)],
            [str(home / "bin" / "pip"), "install", "--quiet", "uv"],
        )
        if any(subprocess.run(command, check=False).returncode for command in commands):
            raise ToolchainError("uv, which writes the locks, could not be installed: see above.")
    return home / "bin" / "uv"
