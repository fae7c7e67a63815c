"""The gate before the API: what a released contract promises, the next one keeps.

The last release's contract is committed as lambda/released; oasdiff compares lambda/openapi.yaml
with it, through the schemas that both refer to. What breaks is refused until the major version of
the contract (info.version) is a new one.

The major version is info.version's, not the path's: a path that is left out breaks its users
whatever the next one is called, and a new one (/v2/… beside /v1/…) breaks nobody. So raising
info.version is no way to keep a promise, but the word of whoever breaks it.

What oasdiff takes for harmless and isn't here is made worse in oasdiff/levels.txt: apps that people
have installed can't be changed with the API, and don't know the refusal, or the other success, that
an operation gives from today; they do read each member and header that may be there.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from project.console import ToolchainError, say
from project.paths import TREE, Tree

CONTRACT = "openapi.yaml"
SCHEMAS = "schemas"
# Changes that oasdiff can't judge, each judged by a person to break nobody: oasdiff's own words for
# one, a line each, under the first lines that say so.
JUDGED = "judged.txt"
# An operation may go without a new major version once it was announced this long before: its
# `deprecated` needs an `x-sunset` at least so far ahead.
SUNSET_DAYS = 180
# What browsers may send and read (x-cors) is this contract's own, so oasdiff doesn't look at it.
BROWSERS = ("allow_headers", "expose_headers")


@dataclass(frozen=True, slots=True)
class Change:
    """One change that breaks somebody: where, oasdiff's words for it, and whether it is sure."""

    where: str
    text: str
    rule: str
    sure: bool = True

    def line(self) -> str:
        """Write it as a person reads it, and as judged.txt has it."""
        doubt = "" if self.sure else ", which oasdiff can't judge"
        return f"{self.where} {self.text} [{self.rule}{doubt}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What breaks between two contracts, and their versions."""

    released: str
    version: str
    breaking: tuple[Change, ...]

    @property
    def consented(self) -> bool:
        """Whether the new contract has a new major version."""
        return _major(self.version) > _major(self.released)


def compare(released: Path, current: Path, oasdiff: Path) -> Comparison:
    """Compare two folders, each with a contract and its schemas.

    Raises ToolchainError when one of them can't be read.
    """
    before, after = _read(released), _read(current)
    breaking = (*_oasdiff(released, current, oasdiff), *_cors(before, after))
    return Comparison(_version(before, released), _version(after, current), breaking)


def _read(folder: Path) -> dict[str, object]:
    path = folder / CONTRACT
    if not path.is_file():
        raise ToolchainError(f"{path} is missing: the gate has nothing to compare.")
    document = yaml.safe_load(path.read_text())
    if not isinstance(document, dict):
        raise ToolchainError(f"{path} is no OpenAPI document.")
    return document


def _version(document: dict[str, object], folder: Path) -> str:
    info = document.get("info")
    version = str(info.get("version", "")) if isinstance(info, dict) else ""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ToolchainError(
            f'{folder / CONTRACT}: info.version is "{version}", and has to be three numbers.'
        )
    return version


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _oasdiff(released: Path, current: Path, oasdiff: Path) -> Iterator[Change]:
    command = [str(oasdiff), "breaking", str(released / CONTRACT), str(current / CONTRACT)]
    command += ["--format", "json", "--deprecation-days-stable", str(SUNSET_DAYS)]
    command += ["--severity-levels", str(_levels())]
    judged = released / JUDGED
    command += ["--warn-ignore", str(judged)] if judged.is_file() else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"oasdiff could not compare the contracts:\n{done.stderr.strip()}")
    for found in json.loads(done.stdout or "[]"):
        where = " ".join(filter(None, (found.get("operation"), found.get("path"))))
        # 3 is an error, 2 a warning: the contract doesn't say enough to be sure.
        sure = int(found["level"]) == 3
        yield Change(where or "components", str(found["text"]), str(found["id"]), sure)


def _levels() -> Path:
    return Path(__file__).with_name("oasdiff") / "levels.txt"


def _cors(before: dict[str, object], after: dict[str, object]) -> Iterator[Change]:
    for name in BROWSERS:
        for header in sorted(_headers(before, name) - _headers(after, name)):
            yield Change(f"x-cors {name}", f"lost `{header}`", "x-cors-header-removed")


def _headers(document: dict[str, object], name: str) -> set[str]:
    cors = document.get("x-cors")
    headers = cors.get(name, []) if isinstance(cors, dict) else []
    return {str(header).lower() for header in headers}


def check(tree: Tree, oasdiff: Path) -> Comparison:
    """Compare the tree's contract with its last release's.

    Raises ToolchainError, naming each change and the ways on, when one breaks users unsaid.
    """
    compared = compare(_released(tree), tree.root / "lambda", oasdiff)
    if compared.breaking and not compared.consented:
        raise ToolchainError(_refusal(compared))
    return compared


def _released(tree: Tree) -> Path:
    return tree.root / "lambda" / "released"


def _refusal(compared: Comparison) -> str:
    major = _major(compared.released) + 1
    return (
        f"lambda/openapi.yaml breaks what release {compared.released} promises "
        "(lambda/released):\n"
        + "\n".join(f"  - {change.line()}" for change in compared.breaking)
        + "\nApps that people have installed rely on it. Any one of these helps:\n"
        "  - keep what was released, and add beside it: an optional member, a new path (/v2/…)\n"
        "  - take an operation away in two releases: `deprecated: true` and an `x-sunset` at least "
        f"{SUNSET_DAYS} days ahead in this one, the operation itself once that day has come\n"
        "  - where oasdiff can't judge, and nobody is broken: its line, and why, in "
        f"lambda/released/{JUDGED}\n"
        f'  - where nobody who matters is left: info.version: "{major}.0.0", which breaks them'
    )


def release(tree: Tree, oasdiff: Path) -> Comparison:
    """Make the tree's contract the released one. Raises ToolchainError where `check` does.

    What was judged belongs to the comparison that is over with this.
    """
    compared = check(tree, oasdiff)
    source, released = tree.root / "lambda", _released(tree)
    shutil.rmtree(released / SCHEMAS, ignore_errors=True)
    shutil.copytree(source / SCHEMAS, released / SCHEMAS)
    shutil.copyfile(source / CONTRACT, released / CONTRACT)
    _forget_judgements(released / JUDGED)
    return compared


def _forget_judgements(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    path.write_text("".join(line for line in lines if line.startswith("#")))


def main(arguments: list[str]) -> int:
    """Run the gate, or with `release` renew what it compares with; 1 where it refuses."""
    oasdiff = TREE.tools_bin / "oasdiff"
    try:
        compared = (release if arguments == ["release"] else check)(TREE, oasdiff)
    except ToolchainError as error:
        say(str(error))
        return 1
    for change in compared.breaking:
        say(f"breaks {compared.released}, as {compared.version} may: {change.line()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
