"""Which tests could notice a mutant: those that reach its line when nothing is wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mutants.jobs import ALL, ALL_OF_FILE, IMPORTED
from mutants.sites import Mutant

# What a run needs beside its tests, and how much slower than alone they may be.
START_SECONDS = 15.0
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What every test reaches, and how long it takes.

    `lines` are, by file and line, the contexts: tests, and those of mutants.jobs. `importers` are
    the files that import a file, those of tests included.
    """

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[int, Iterable[str]]]
    importers: Mapping[str, Iterable[str]] = field(default_factory=dict)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Name the tests that could notice a mutant, the quickest first.

        What an import runs, such as a constant, is used by whatever is in the same file, and in
        those that import it: a test that compares a constant runs no line of either.
        """
        lines = self.lines.get(mutant.file, {})
        span = range(mutant.first, mutant.last + 1)
        contexts = {context for line in span for context in lines.get(line, ())}
        if contexts == {IMPORTED}:
            importers = self.importers.get(mutant.file, ())
            files = (mutant.file, *importers)
            contexts = {context for file in files for context in self._contexts(file)}
            contexts |= {f"{file}{ALL_OF_FILE}" for file in importers}
        return sorted(self._tests(contexts), key=lambda test: (self.seconds[test], test))

    def limit(self, tests: Iterable[str]) -> float:
        """Give the seconds after which tests that still run will not end."""
        return START_SECONDS + PATIENCE * sum(self.seconds[test] for test in tests)

    def _contexts(self, file: str) -> set[str]:
        return {context for line in self.lines.get(file, {}).values() for context in line}

    def _tests(self, contexts: set[str]) -> set[str]:
        if ALL in contexts:
            return set(self.seconds)
        files = {
            context.removesuffix(ALL_OF_FILE)
            for context in contexts
            if context.endswith(ALL_OF_FILE)
        }
        return {
            test for test in self.seconds if test in contexts or test.partition("::")[0] in files
        }


def importers_of(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Say which files import each file."""
    modules = {_module(file): file for file in sources}
    importers: dict[str, set[str]] = {}
    for file, source in sources.items():
        for name in _imported_names(ast.parse(source)) & modules.keys():
            importers.setdefault(modules[name], set()).add(file)
    return importers


def _module(file: str) -> str:
    """Name a file's module. `lambda` is no package: it is where the function's own begin."""
    name = file.removeprefix("lambda/").removesuffix(".py").removesuffix("/__init__")
    return name.replace("/", ".")


def _imported_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
