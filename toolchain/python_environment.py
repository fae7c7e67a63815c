"""Python environments made of locks: the one in .venv, and those of tools that can't share it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from project.console import ToolchainError, say
from project.environment import without_missing_bundles
from project.paths import Tree

LOCKS = ("requirements.lock", "lambda/requirements.txt")
STAMP = ".installed"
# A script's first line can't name an interpreter whose path has a space in it, and names a folder
# that may be moved. So the shell runs it, and finds the interpreter beside the script; to Python
# these lines are a string.
FIRST_LINES = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
# What pip and venv write there: the interpreter, or the shell where its path is long or has spaces.
PYTHON_LINES = re.compile(
    rb"\A#!(?!/bin/sh)[^\n]*/python[0-9.]*\n|\A#!/bin/sh\n'''exec' [^\n]*\n' '''\n"
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment of a tree: its folder, and the lock files that say what is in it."""

    folder: Path
    locks: tuple[Path, ...]
    packages: str = "the locked Python packages"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def digest(self) -> str:
        """Identify what it must hold: the locks and the Python that it is for."""
        text = "".join(lock.read_text() for lock in self.locks)
        return hashlib.sha256(f"{sys.version_info[:2]}{FIRST_LINES!r}{text}".encode()).hexdigest()

    def in_place(self) -> bool:
        """Tell whether it is what the locks say."""
        stamp = self.folder / STAMP
        done = stamp.read_text() if stamp.is_file() else ""
        return done == self.digest() and self.python.exists()


def python_in_place(tree: Tree) -> bool:
    """Tell whether .venv is what the locks say."""
    return _python_of(tree).in_place()


def install_python(tree: Tree) -> bool:
    """Bring .venv up to the locks; False when it already was.

    Raises ToolchainError when a package can't be had or isn't the one that was locked.
    """
    return install_environment(_python_of(tree), "half a minute to two")


def install_environment(environment: Environment, takes: str) -> bool:
    """Bring an environment up to its locks; False when it already was. `takes` is for people.

    The stamp is written last, so an interrupted install is seen and done again.
    Raises ToolchainError when a package can't be had or isn't the one that was locked.
    """
    if environment.in_place():
        return False
    stamp = environment.folder / STAMP
    before = stamp.read_text() if stamp.is_file() else ""
    doing = f"installing {environment.packages}"
    say(f"  {doing} ({takes})")
    if not before or not _same_python(environment.python):
        shutil.rmtree(environment.folder, ignore_errors=True)
        made = [sys.executable, "-m", "venv", str(environment.folder)]
        _run(made, "making the Python environment")
    stamp.unlink(missing_ok=True)
    command = [str(environment.python), "-m", "pip", "install", "--quiet", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--no-compile"]
    # To build a source distribution, pip fetches whatever tools it names, and no lock has those.
    command += ["--only-binary", ":all:"]
    for lock in environment.locks:
        command += ["--requirement", str(lock)]
    _run(command, doing)
    free_scripts(environment.folder)
    stamp.write_text(environment.digest())
    return True


def _python_of(tree: Tree) -> Environment:
    return Environment(tree.venv, tuple(tree.root / lock for lock in LOCKS))


def free_scripts(folder: Path) -> None:
    """Make every script of an environment run from any path, moved or with spaces in it."""
    for script in folder.joinpath("bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            free = PYTHON_LINES.sub(lambda _: FIRST_LINES, content, count=1)
            if free != content:
                script.write_bytes(free)


def _same_python(python: Path) -> bool:
    probe = [str(python), "-c", "import sys; print(sys.version_info[:2])"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == str(sys.version_info[:2])


def _run(command: list[str], doing: str) -> None:
    # Said in one piece: another tool may be drawing its progress meanwhile.
    done = subprocess.run(
        command,
        env=without_missing_bundles(os.environ),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.stdout.strip():
        say(done.stdout.rstrip())
    if done.returncode != 0:
        raise ToolchainError(
            f"{doing[0].upper()}{doing[1:]} failed; what went wrong stands above. Nothing "
            "half-made is kept. Without a way to the package index, set PIP_INDEX_URL (a mirror), "
            "PIP_FIND_LINKS (a folder of wheels) or https_proxy, then run this again."
        )


def venv_missing() -> bool:
    """Tell whether this Python can't make environments (Debian splits that off)."""
    try:
        import ensurepip  # noqa: PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        return True
    return not Path(ensurepip.__file__).is_file()
