"""What is mutated, by what it is tested, and how much of it has to be noticed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

DATA = Path("tests/mutants")
TARGETS = DATA / "targets.toml"
EDITS = DATA / "terraform.toml"
EQUIVALENTS = DATA / "equivalents.toml"


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the repository with one target: the share of mutants, in %, that tests notice.

    `count` mutants are tried where no other number is asked for. `files` are patterns of what is
    mutated, `source` the folder that is watched for what tests reach, `tests` what is run. All
    three are empty for Terraform, whose mutants are written down.
    """

    name: str
    target: float
    count: int
    files: tuple[str, ...] = ()
    source: str = ""
    tests: tuple[str, ...] = ()

    def paths(self, root: Path) -> list[str]:
        """Name the files that are mutated, as the repository does."""
        found = {path for pattern in self.files for path in root.glob(pattern)}
        return sorted(path.relative_to(root).as_posix() for path in found)


def read_areas(root: Path) -> dict[str, Area]:
    """Read every area, by its name, in the order of the file."""
    document = tomllib.loads((root / TARGETS).read_text())
    return {
        name: Area(
            name=name,
            target=area["target"],
            count=area["count"],
            files=tuple(area.get("files", ())),
            source=area.get("source", ""),
            tests=tuple(area.get("tests", ())),
        )
        for name, area in document.items()
    }
