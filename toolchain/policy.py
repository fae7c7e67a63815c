"""Scans the modules and the workflows for what checkov's policies refuse: part of `make check`.

checkov has an environment of its own, since it pins another boto3. It reads files and asks nobody:
no platform, no registry, no guidelines, and none of its settings come from the person's shell or
home. What isn't mended is explained beside the resource: `#checkov:skip=CKV_AWS_1: why`.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from project.console import ToolchainError, say
from project.file_lock import exclusive
from project.paths import TREE, Tree, write_atomically
from toolchain.python_environment import Environment, install_environment

MODULES = "modules"
WORKFLOWS = ".github/workflows"
FRAMEWORKS = {MODULES: "terraform", WORKFLOWS: "github_actions"}
LOCK = "toolchain/checkov.lock"
ARGUMENTS = (
    *("--download-external-modules", "false"),
    *("--skip-download", "--compact", "--quiet"),
)
SETTINGS = {
    # It would ask the package index for a newer version of itself.
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true",
    # A file that it can't read counts as a finding, and not as a clean one.
    "CKV_PARSE_ERROR_FAIL": "true",
    # Blocks as they are written: those with a count of 0 are somebody's choice, and are looked at
    # all the same. Half the time, too.
    "CHECKOV_ENABLE_FOREACH_HANDLING": "false",
    "CHECKOV_ENABLE_MODULES_FOREACH_HANDLING": "false",
}
SKIP = re.compile(r"checkov:skip=(?P<check>[A-Za-z0-9_]*)(?P<reason>.*)")
# A reason is a sentence, if a short one.
SHORTEST_REASON = 20


@dataclass(frozen=True, slots=True)
class Skip:
    """A finding that isn't mended: where its comment stands, and why it is right as it is."""

    place: str
    check: str
    reason: str


def environment(tree: Tree) -> Environment:
    """Where checkov lives."""
    return Environment(tree.tools / "checkov", (tree.root / LOCK,), "checkov")


def install(tree: Tree) -> Environment:
    """Bring checkov's environment up to its lock. Raises ToolchainError when that can't be."""
    made = environment(tree)
    with exclusive(tree.lock("checkov"), "installation of checkov"):
        install_environment(made, "a minute")
    return made


def scan(checkov: Environment, root: Path, home: Path) -> str:
    """What checkov finds below a root, as it says it; empty when there is nothing.

    `home` is a folder without anybody's settings. Raises ToolchainError when it can't scan.
    """
    home.mkdir(parents=True, exist_ok=True)
    folders = [folder for folder in FRAMEWORKS if root.joinpath(folder).is_dir()]
    # Given both at once it looks at the first again for the second.
    with ThreadPoolExecutor() as pool:
        return "".join(pool.map(lambda folder: _found(checkov, root, home, folder), folders))


def _found(checkov: Environment, root: Path, home: Path, folder: str) -> str:
    command = [str(checkov.python), str(checkov.folder / "bin" / "checkov")]
    what = ("--directory", folder, "--framework", FRAMEWORKS[folder])
    done = subprocess.run(
        [*command, *what, *ARGUMENTS, *_left_out(root)],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    if done.returncode != 1 or not done.stdout.strip():
        raise ToolchainError(f"checkov could not scan:\n{done.stdout}{done.stderr}")
    return done.stdout


def _left_out(root: Path) -> Iterator[str]:
    """Pass over modules' own tests: contracts and mocks, which are nobody's infrastructure.

    checkov looks for such a path anywhere in a file's, from the machine's root on.
    """
    for folder in sorted(root.resolve().joinpath(MODULES).glob("*/tests")):
        yield from ("--skip-path", f"{folder}/")


def skips(root: Path) -> Iterator[Skip]:
    """Every finding that a comment explains."""
    for path in _scanned(root):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if match := SKIP.search(line):
                place = f"{path.relative_to(root)}:{number}"
                yield Skip(place, match["check"], match["reason"].removeprefix(":").strip())


def unexplained(root: Path) -> list[str]:
    """The comments that skip a finding and don't say why."""
    return [
        f"{skip.place}: checkov:skip={skip.check} without a reason"
        for skip in skips(root)
        if len(skip.reason) < SHORTEST_REASON
    ]


def _scanned(root: Path) -> list[Path]:
    files = [*root.joinpath(MODULES).rglob("*.tf"), *root.joinpath(WORKFLOWS).glob("*.y*ml")]
    # Whatever the folders are called that the clone lies in.
    left_out = {"tests", ".terraform"}
    return sorted(path for path in files if not left_out & set(path.relative_to(root).parts))


def _digest(tree: Tree, checkov: Environment) -> str:
    """Identify what a scan reads, and what reads it."""
    parts = hashlib.sha256(f"{checkov.digest()}{ARGUMENTS}{SETTINGS}".encode())
    for path in _scanned(tree.root):
        parts.update(f"{path.relative_to(tree.root)}\0{path.read_text()}\0".encode())
    return parts.hexdigest()


def main(tree: Tree = TREE) -> int:
    """Scan the tree, unless nothing has changed since it was clean; 1 when something is found."""
    try:
        found = "\n".join(unexplained(tree.root))
        checkov = install(tree)
        clean, current = tree.tools / "checkov.clean", _digest(tree, checkov)
        if not found and clean.is_file() and clean.read_text() == current:
            return 0
        found += scan(checkov, tree.root, checkov.folder / "home")
    except ToolchainError as error:
        say(f"{error}")
        return 1
    if found:
        say(found)
        say("Mend it, or say beside the resource why it is right: #checkov:skip=<id>: <why>")
        return 1
    write_atomically(clean, current.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
