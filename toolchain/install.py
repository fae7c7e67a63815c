"""Everything `make up` needs, pinned, into the working tree; quick when it is there already."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from project.account import LOCAL, provider_version
from project.console import ToolchainError, files_explained, on_termination, say
from project.file_lock import exclusive
from project.paths import Tree
from toolchain import pins
from toolchain.cli_config import configure
from toolchain.python_environment import install_python, python_in_place, venv_missing
from toolchain.side_by_side import run_side_by_side
from toolchain.terraform import install_terraform
from toolchain.terragrunt import install_terragrunt, terragrunt_in_place

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
        terraform = install_terraform(tree, os.environ.get("PATH", ""))
        if not (python_in_place(tree) or terragrunt_in_place(tree)):
            _install_side_by_side(tree)
        install_python(tree)
        terragrunt = install_terragrunt(tree, os.environ)
        version = provider_version(tree, LOCAL)
        rc = configure(tree, os.environ, Path.home(), pins.platform_name(), version)
    say(
        f"  terraform {_dotted(terraform)}, terragrunt {_dotted(terragrunt)}, "
        f"providers from {_source(rc, tree)}"
    )


PARTS = ("python", "terragrunt")


def _install_side_by_side(tree: Tree) -> None:
    """Bring the two that take long at the same time: packages are waited for, a build computes."""
    command = [sys.executable, "-m", "toolchain.install", str(tree.root)]
    run_side_by_side({part: [*command, part] for part in PARTS}, Path(__file__).parent.parent)


def install_part(tree: Tree, part: str) -> None:
    """Install one of PARTS. Raises ToolchainError as `install` does."""
    if part == "python":
        install_python(tree)
    else:
        install_terragrunt(tree, os.environ)


def _dotted(version: pins.Version) -> str:
    return ".".join(str(part) for part in version)


def _source(rc: Path | None, tree: Tree) -> str:
    if rc is None:
        return "the registry"
    return "the mirror found on this machine" if rc == tree.terraform_rc else f"your own {rc}"


def main(root: str, part: str) -> int:
    """Install one part for `install`, which reads from stdout why it could not be."""
    signal.signal(signal.SIGTERM, on_termination)
    try:
        with files_explained():
            install_part(Tree(Path(root)), part)
    except ToolchainError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
