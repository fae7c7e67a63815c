"""The locked Python environment in .venv."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from project.console import ToolchainError, say
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


def digest(tree: Tree) -> str:
    """Identify what the environment must hold: the locks and the Python that it is for."""
    text = "".join((tree.root / lock).read_text() for lock in LOCKS)
    return hashlib.sha256(f"{sys.version_info[:2]}{FIRST_LINES!r}{text}".encode()).hexdigest()


def install_python(tree: Tree) -> bool:
    """Bring .venv up to the locks; False when it already was.

    The stamp is written last, so an interrupted install is seen and done again.
    Raises ToolchainError when a package can't be had or isn't the one that was locked.
    """
    if python_in_place(tree):
        return False
    current, stamp = digest(tree), tree.venv / STAMP
    before = _installed(stamp)
    say("  installing the locked Python packages (half a minute to two)")
    if not before or not _same_python(tree):
        shutil.rmtree(tree.venv, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(tree.venv)], "making the Python environment")
    stamp.unlink(missing_ok=True)
    command = [str(tree.python), "-m", "pip", "install", "--quiet", "--require-hashes"]
    command += ["--disable-pip-version-check", "--no-input", "--no-compile"]
    # To build a source distribution, pip fetches whatever tools it names, and no lock has those.
    command += ["--only-binary", ":all:"]
    for lock in LOCKS:
        command += ["--requirement", str(tree.root / lock)]
    _run(command, "installing the locked Python packages")
    free_scripts(tree)
    stamp.write_text(current)
    return True


def python_in_place(tree: Tree) -> bool:
    """Tell whether .venv is what the locks say."""
    return _installed(tree.venv / STAMP) == digest(tree) and tree.python.exists()


def _installed(stamp: Path) -> str:
    return stamp.read_text() if stamp.is_file() else ""


def free_scripts(tree: Tree) -> None:
    """Make every script of the environment run from any path, moved or with spaces in it."""
    for script in tree.venv.joinpath("bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            free = PYTHON_LINES.sub(lambda _: FIRST_LINES, content, count=1)
            if free != content:
                script.write_bytes(free)


def _same_python(tree: Tree) -> bool:
    probe = [str(tree.python), "-c", "import sys; print(sys.version_info[:2])"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == str(sys.version_info[:2])


def _run(command: list[str], doing: str) -> None:
    # Said in one piece: another tool may be drawing its progress meanwhile.
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
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
