"""Remembers what the embedded AWS was last brought to, so that doing it again can be spared.

A plan of all units takes a minute of processor time to say that there is nothing to do. Here the
same follows from what a plan would start from: configuration, package, tools and state. Only what
somebody changed in the embedded AWS by hand is not seen; `make drift` shows that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from project.account import LOCAL
from project.emulator import ports_of
from project.paths import Tree, write_atomically
from toolchain import pins

CONFIGURATION = (
    "terragrunt.hcl",
    "live/_defaults.hcl",
    "live/_units",
    f"live/{LOCAL}",
    "modules",
    "lambda",
)
MADE_BY_TOOLS = frozenset({".terraform", ".terragrunt-cache", ".terraform.lock.hcl", "__pycache__"})
# What the next contract is compared with: nothing applies it.
NOT_APPLIED = ("lambda/released",)
# Ports and the like are part of the configuration.
ENVIRONMENT = ("LOCAL_", "TF_VAR_")


@contextmanager
def applying(tree: Tree) -> Iterator[None]:
    """Note what an apply brought the embedded AWS to, unless it fails.

    That is the configuration as it stood at the start: an edit made meanwhile is not applied.
    """
    _note(tree).unlink(missing_ok=True)
    configuration = _digest(_configuration(tree), _variables(tree))
    yield
    write_atomically(_note(tree), f"{configuration} {_digest(_states(tree))}".encode())


def is_current(tree: Tree) -> bool:
    """Tell whether an apply would find everything as the last one left it."""
    note = _note(tree)
    configuration = _digest(_configuration(tree), _variables(tree))
    current = f"{configuration} {_digest(_states(tree))}"
    return note.is_file() and note.read_text() == current


def _note(tree: Tree) -> Path:
    return tree.local_state / "applied"


def _states(tree: Tree) -> list[Path]:
    return sorted((tree.local_state / "tfstate" / LOCAL).rglob("terraform.tfstate"))


def _configuration(tree: Tree) -> Iterator[Path]:
    left_out = [tree.root / name for name in NOT_APPLIED]
    for name in CONFIGURATION:
        found = _files(tree.root / name)
        yield from (path for path in found if not any(map(path.is_relative_to, left_out)))
    yield tree.package


def _variables(tree: Tree) -> str:
    """Give what the environment sets; a port counts whether it stands there or is remembered."""
    named = {name: text for name, text in os.environ.items() if name.startswith(ENVIRONMENT)}
    ports = ports_of(tree.local_state, os.environ)
    return repr(sorted({**named, **{name: str(port) for name, port in ports.items()}}.items()))


def _digest(files: Iterable[Path], variables: str = "") -> str:
    parts = hashlib.sha256(f"{pins.TERRAFORM} {pins.TERRAGRUNT} {variables}".encode())
    for path in files:
        content = path.read_bytes() if path.is_file() else b"missing"
        parts.update(f"{path}\0{len(content)}\0".encode() + content)
    return parts.hexdigest()


def _files(top: Path) -> Iterator[Path]:
    if top.is_file():
        yield top
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(set(folders) - MADE_BY_TOOLS)
        yield from (Path(folder) / name for name in sorted(set(names) - MADE_BY_TOOLS))
