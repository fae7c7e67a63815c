"""Where a file can be mutated, and what it then says."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from libcst.metadata import WhitespaceInclusivePositionProvider as WholePositionProvider

from mutants.operators import edits_of, is_entered
from mutants.score import Change

COMPOUND = (cst.FunctionDef, cst.ClassDef, cst.If, cst.For, cst.While, cst.With, cst.Try)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small fault in one place of a file.

    `place` counts the places of a function that can be mutated: several mutants share one. `first`
    and `last` are the lines of the statement, or of a compound statement's head. `start` and `end`
    are offsets of the text that is replaced by `text`.
    """

    file: str
    function: str
    place: int
    first: int
    last: int
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """Give the file's source with this fault in it."""
        return source[: self.start] + self.text + source[self.end :]

    def change(self, source: str) -> Change:
        """Say where the fault is, and what differs."""
        text = source[self.start : self.end]
        leading = len(text) - len(text.lstrip())
        line = source.count("\n", 0, self.start + leading) + 1
        # A node's text has lost the indent of its lines.
        before, after = (
            [line.strip() for line in text.splitlines() if line.strip()]
            for text in (source, self.applied(source))
        )
        lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
        return Change(self.file, line, self.function, _marked(lines, "-"), _marked(lines, "+"))


def _marked(lines: Iterable[str], mark: str) -> str:
    return "\n".join(line[1:] for line in lines if line.startswith(mark))


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in its order; some are no Python any more."""
    visitor = _Visitor(file, source)
    MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True).visit(visitor)
    return visitor.mutants


class _Visitor(cst.CSTVisitor):
    """Collects mutants on its way through a file."""

    METADATA_DEPENDENCIES = (PositionProvider, WholePositionProvider)

    def __init__(self, file: str, source: str) -> None:
        super().__init__()
        self.mutants: list[Mutant] = []
        self._file = file
        self._line_starts = list(_line_starts(source))
        self._module = cst.Module([])
        self._functions: list[str] = []
        self._statements: list[tuple[int, int]] = [(1, 1)]
        self._places: dict[str, dict[tuple[int, int], int]] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._enter(node)
        if not is_entered(node):
            return False
        for replaced, by in edits_of(node):
            self._add(replaced, by)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._functions.pop()
        if isinstance(original_node, (cst.SimpleStatementLine, *COMPOUND)):
            self._statements.pop()

    def _enter(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._functions.append(node.name.value)
        if isinstance(node, cst.SimpleStatementLine):
            lines = self._range(node)
            self._statements.append((lines.start.line, lines.end.line))
        elif isinstance(node, COMPOUND):
            first = self._range(node).start.line
            self._statements.append((first, max(first, self._range(node.body).start.line - 1)))

    def _range(self, node: cst.CSTNode) -> CodeRange:
        found = self.get_metadata(PositionProvider, node)
        assert isinstance(found, CodeRange)
        return found

    def _add(self, replaced: cst.CSTNode, by: cst.CSTNode) -> None:
        whole = self.get_metadata(WholePositionProvider, replaced)
        assert isinstance(whole, CodeRange)
        start, end = (self._line_starts[at.line - 1] + at.column for at in (whole.start, whole.end))
        text = self._module.code_for_node(by)
        function = ".".join(self._functions)
        places = self._places.setdefault(function, {})
        place = places.setdefault((start, end), len(places))
        first, last = self._statements[-1]
        self.mutants.append(Mutant(self._file, function, place, first, last, start, end, text))


def _line_starts(source: str) -> Iterator[int]:
    offset = 0
    for line in source.splitlines(keepends=True):
        yield offset
        offset += len(line)
    yield offset
