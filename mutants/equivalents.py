"""Mutants that change nothing anybody could see, each with the reason: tests can't notice them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mutants.areas import EQUIVALENTS
from mutants.score import Change


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change, wherever it stands in a function of a file, and why it makes no difference."""

    file: str
    where: str
    before: str
    after: str
    why: str

    def is_of(self, change: Change) -> bool:
        """Whether this is the change."""
        mine = (self.file, self.where, self.before, self.after)
        return mine == (change.file, change.where, change.before, change.after)


def read_equivalents(root: Path) -> list[Equivalent]:
    """Read the list."""
    document = tomllib.loads((root / EQUIVALENTS).read_text())
    return [_equivalent(entry) for entry in document.get("equivalent", ())]


def _equivalent(entry: Mapping[str, str]) -> Equivalent:
    return Equivalent(
        file=entry["file"],
        where=entry["where"],
        before=entry["before"].strip(),
        after=entry["after"].strip(),
        why=entry["why"],
    )
