"""Everything `make up` needs, pinned, into the working tree; quick when it is there already."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from project.account import LOCAL, provider_version
from project.console import ToolchainError, say
from project.file_lock import exclusive
from project.paths import Tree
from toolchain import pins
from toolchain.cli_config import configure
from toolchain.python_environment import install_python, venv_missing
from toolchain.terraform import install_terraform
from toolchain.terragrunt import install_terragrunt

REQUIRED_TOOLS = ("make", "git", "curl")


def missing_prerequisites(path: str) -> list[str]:
    """Say what the machine lacks, each with the way to get it."""
    missing = [
        f"{tool}: install your system's package `{tool}` (Debian, Ubuntu: apt install {tool})"
        for tool in REQUIRED_TOOLS
        if shutil.which(tool, path=path) is None
    ]
    if venv_missing():
        missing.append(
            "python3's venv: install your system's package `python3-venv` "
            "(Debian, Ubuntu: apt install python3-venv)"
        )
    return missing


def install(tree: Tree) -> None:
    """Install or check every tool. Safe to interrupt, and to run twice at once.

    Raises ToolchainError with what is missing and what to do about it.
    """
    missing = missing_prerequisites(os.environ.get("PATH", ""))
    if missing:
        raise ToolchainError("This machine lacks:\n  - " + "\n  - ".join(missing))
    with exclusive(tree.lock("install"), "install"):
        install_python(tree)
        terraform = install_terraform(tree, os.environ.get("PATH", ""))
        terragrunt = install_terragrunt(tree, os.environ)
        version = provider_version(tree, LOCAL)
        rc = configure(tree, os.environ, Path.home(), pins.platform_name(), version)
    say(
        f"  terraform {_dotted(terraform)}, terragrunt {_dotted(terragrunt)}, "
        f"providers from {_source(rc, tree)}"
    )


def _dotted(version: pins.Version) -> str:
    return ".".join(str(part) for part in version)


def _source(rc: Path | None, tree: Tree) -> str:
    if rc is None:
        return "the registry"
    return "the mirror found on this machine" if rc == tree.terraform_rc else f"your own {rc}"
