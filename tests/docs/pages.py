"""The Markdown pages of this repository, and what a reader finds in them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from project.paths import TREE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

# The first line of a block that no test runs; a reader sees it, too, and why.
LEFT_OUT = re.compile(r"# (Needs an account\b|Not run by the tests: \S)")
# A comment before a command that says which status its answer has.
STATUS = re.compile(r"^ *# (\d{3})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code. `language` is the fence's first word; `line` is 1-based."""

    language: str
    line: int
    text: str

    @property
    def runs(self) -> bool:
        """Whether the block is typed on the embedded AWS."""
        return self.language == "sh" and not LEFT_OUT.match(self.text)

    @property
    def statuses(self) -> list[str]:
        """The statuses that the block's comments promise, in order."""
        return STATUS.findall(self.text)


class Page:
    """A Markdown file, as its readers see it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.relative_to(TREE.root).as_posix()
        self._tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text())

    def blocks(self, under: str = "") -> list[Block]:
        """Give every block of code, in order.

        `under` a heading, as it is written, only those before the next one.
        """
        blocks: list[Block] = []
        heading = ""
        for index, token in enumerate(self._tokens):
            if token.type == "heading_open":
                heading = self._tokens[index + 1].content
            if token.type in {"fence", "code_block"} and token.map and under in {"", heading}:
                language = (token.info.split() or [""])[0]
                blocks.append(Block(language, token.map[0] + 1, token.content))
        return blocks

    def links(self) -> list[str]:
        """Give every link's and picture's target, as it is written."""
        targets = (token.attrs.get("href") or token.attrs.get("src") for token in self._inline())
        return [str(target) for target in targets if target]

    def code_spans(self) -> list[str]:
        """Give everything between backticks in running text."""
        return [token.content for token in self._inline() if token.type == "code_inline"]

    def rows(self, under: str = "") -> list[tuple[str, ...]]:
        """Give every row of every table below its head: the cells as they are written.

        `under` a heading, as it is written, only those before the next one.
        """
        rows: list[tuple[str, ...]] = []
        heading = ""
        for token, inside in zip(self._tokens, self._tokens[1:], strict=False):
            if token.type == "heading_open":
                heading = inside.content
            if heading != under and under:
                continue
            if token.type == "tr_open" and inside.type == "td_open":
                rows.append(())
            elif token.type == "td_open":
                rows[-1] += (inside.content,)
        return rows

    def anchors(self) -> set[str]:
        """Give the fragments that the page's headings have on GitHub."""
        return {
            _slug(after.content)
            for token, after in zip(self._tokens, self._tokens[1:], strict=False)
            if token.type == "heading_open"
        }

    def _inline(self) -> Iterator[Token]:
        for token in self._tokens:
            yield from token.children or ()


@cache
def tracked() -> tuple[str, ...]:
    """Paths of all files that are, or could be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=TREE.root, capture_output=True, text=True, check=True)
    return tuple(done.stdout.splitlines())


def pages() -> list[Page]:
    """Every Markdown file of the repository."""
    return [Page(TREE.root / name) for name in tracked() if name.endswith(".md")]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
