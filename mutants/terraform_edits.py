"""The mutants of Terraform: dangerous edits, each written down as data."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mutants.areas import EDITS
from mutants.score import Change
from project.console import ToolchainError

# What a test file calls the resource that is edited.
BLOCK = re.compile(r'^(?:resource|data) "(\w+)" "(\w+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Edit:
    """A dangerous edit of a module's file, and why it is dangerous.

    `test` names the pytest that notices it where no test of the module can; `filter` the module's
    one test file that does, which is all that is run then.
    """

    module: str
    file: str
    find: str
    replace: str
    why: str
    test: str = ""
    filter: str = ""

    @property
    def path(self) -> str:
        """Name the file as the repository does."""
        return f"modules/{self.module}/{self.file}"

    def applied(self, source: str) -> str:
        """Give the file's text with the edit. Raises ToolchainError unless it has one place."""
        times = source.count(self.find)
        if times != 1:
            raise ToolchainError(f"{EDITS}: in {self.path} this stands {times} times: {self.find}")
        return source.replace(self.find, self.replace)

    def change(self, source: str) -> Change:
        """Say where it is, and what it says."""
        line = source.count("\n", 0, source.index(self.find)) + 1
        return Change(self.path, line, self._block(source), self.find, self.replace)

    def ordered(self, source: str, tests: Mapping[str, str]) -> list[str]:
        """Name the module's test files, given with their texts: first what speaks of the block."""
        if self.filter:
            return [self.filter]
        block = self._block(source)
        return sorted(tests, key=lambda file: (-tests[file].count(block) if block else 0, file))

    def _block(self, source: str) -> str:
        above = list(BLOCK.finditer(source, 0, source.index(self.find) + len(self.find)))
        return ".".join(above[-1].groups()) if above else ""


def read_edits(root: Path) -> list[Edit]:
    """Read the list."""
    return [Edit(**entry) for entry in tomllib.loads((root / EDITS).read_text())["edit"]]
