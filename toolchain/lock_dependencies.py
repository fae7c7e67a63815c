"""Renews the locks: Python packages from pyproject.toml and requirements.in, and the provider."""

from __future__ import annotations

import os
import subprocess

from project.console import ToolchainError, say
from project.paths import Tree
from toolchain import provider_locks
from toolchain.install import install

COMPILE = [
    "pip", "compile", "--quiet", "--universal", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock",
]  # fmt: skip
# What is packed and measured follows the developers' lock, so that tests and benchmarks run it.
# checkov can't: it pins another boto3.
JOBS = (
    ("3.11", "--group", "pyproject.toml:dev", "-o", "requirements.lock"),
    ("3.11", "toolchain/checkov.in", "-o", "toolchain/checkov.lock"),
    ("3.11", "lambda/requirements.in", "-c", "requirements.lock", "-o", "lambda/requirements.txt"),
    *(
        (
            "3.13", f"benchmarks/rivals/{name}/requirements.in", "-c", "requirements.lock",
            "-c", "lambda/requirements.txt", "-o", f"benchmarks/rivals/{name}/requirements.txt",
        )
        for name in ("fastapi", "powertools")
    ),
)  # fmt: skip


def lock(tree: Tree, upgrade: bool) -> None:
    """Resolve again, keeping versions that still fit unless an upgrade is asked for.

    Raises ToolchainError when nothing fits, or what is needed can't be had.
    """
    install(tree)
    upgrades = ["--upgrade"] if upgrade else []
    for python, *job in JOBS:
        say(f"  {job[-1]}")
        # The one that is locked itself, so that the same input makes the same lock everywhere.
        command = [str(tree.uv), *COMPILE, "--python-version", python, *upgrades, *job]
        environment = {**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"}
        done = subprocess.run(command, cwd=tree.root, env=environment, check=False)
        if done.returncode != 0:
            raise ToolchainError(f"{job[-1]} was not renewed: see above.")
    provider_locks.renew(tree)
