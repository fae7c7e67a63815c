"""Logs Insights' query language, as far as the saved queries of `modules` use it.

Pages are those of the CloudWatch Logs User Guide (AmazonCloudWatch/latest/logs/CWL_QuerySyntax and
those below it). What is not read here is refused by name, for it is not emulated: a clause that is
ignored would show rows that were not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
DEFAULT_LIMIT, MAX_LIMIT = 10_000, 100_000  # CWL_QuerySyntax-Limit
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


class MalformedQueryError(Exception):
    """The query can't be read; the text names the word that it ends at."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A field, a text or number as it is written, and what is to hold between them."""

    field: str
    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """A field that has the pattern somewhere in it, or with `negated` doesn't."""

    field: str
    pattern: re.Pattern[str]
    negated: bool


@dataclass(frozen=True, slots=True)
class All:
    """Parts that are all to hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Parts of which one is to hold."""

    parts: tuple[Condition, ...]


Condition = Compare | Like | All | Any


@dataclass(frozen=True, slots=True)
class Show:
    """`fields`, or `display`, which replaces every `fields` before it."""

    fields: tuple[str, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Only the events for which a condition holds."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Stats:
    """`stats count(*) as count by …`: a row for each group with the same values of `by`."""

    count: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """Fields by which rows are ordered, each with whether the greatest comes first."""

    keys: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many rows at most."""

    rows: int


Command = Show | Filter | Stats | Sort | Limit

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<pattern>/(?:\\.|[^/\n])+/)
      | (?P<quoted>`[^`]+`)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>@?[A-Za-z_][\w.]*)
      | (?P<sign>!=|<=|>=|[][|,()=<>*])
    """,
    re.VERBOSE,
)


def parse(query: str) -> tuple[Command, ...]:
    """Read a query. Raises MalformedQueryError."""
    return tuple(_Parser(query).commands())


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None or found.lastgroup is None:
            raise MalformedQueryError(f"unexpected symbol found {query[at]} at position {at}")
        if found.lastgroup != "space":
            yield found.lastgroup, found[0]
        at = found.end()
    yield "end", "the end"


class _Parser:
    """Reads tokens from left to right, each rule in a method of its own."""

    def __init__(self, query: str) -> None:
        self._tokens = list(_tokens(query))
        self._at = 0

    def commands(self) -> Iterator[Command]:
        yield self._command()
        while self._take("|"):
            yield self._command()
        if self._tokens[self._at][0] != "end":
            raise self._unexpected()

    def _command(self) -> Command:
        if self._take("fields"):
            return Show(tuple(self._separated(self._name)), alone=False)
        if self._take("display"):
            return Show(tuple(self._separated(self._name)), alone=True)
        if self._take("filter"):
            return Filter(self._either())
        if self._take("stats"):
            return self._stats()
        if self._take("sort"):
            return Sort(tuple(self._separated(self._key)))
        self._expect("limit")
        return Limit(self._limit())

    def _stats(self) -> Stats:
        for word in ("count", "(", "*", ")", "as"):
            self._expect(word)
        count = self._name()
        self._expect("by")
        return Stats(count, tuple(self._separated(self._name)))

    def _limit(self) -> int:
        text = self._of("number")
        if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
            raise MalformedQueryError(f"limit is a whole number from 1 to {MAX_LIMIT}, not {text}")
        return int(text)

    def _key(self) -> tuple[str, bool]:
        name = self._name()
        if self._take("desc"):
            return name, True
        self._take("asc")
        return name, False

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Condition:
        field = self._name()
        for operator in COMPARISONS:
            if self._take(operator):
                return Compare(field, operator, self._literal())
        negated = self._take("not")
        self._expect("like")
        return Like(field, self._pattern(), negated)

    def _pattern(self) -> re.Pattern[str]:
        text = self._of("pattern")
        try:
            return re.compile(text[1:-1])
        except re.error as error:
            raise MalformedQueryError(f"{text} is no pattern: {error}") from error

    def _literal(self) -> str:
        kind, _ = self._tokens[self._at]
        if kind == "number":
            return self._of("number")
        return re.sub(r"\\(.)", r"\1", self._of("text")[1:-1])

    def _name(self) -> str:
        kind, _ = self._tokens[self._at]
        return self._of("quoted").strip("`") if kind == "quoted" else self._of("name")

    def _separated(self, item: Callable[[], _T]) -> Iterator[_T]:
        yield item()
        while self._take(","):
            yield item()

    def _take(self, word: str) -> bool:
        kind, text = self._tokens[self._at]
        taken = kind in ("name", "sign") and text.lower() == word
        self._at += taken
        return taken

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _of(self, requested: str) -> str:
        kind, text = self._tokens[self._at]
        if kind != requested:
            raise self._unexpected()
        self._at += 1
        return text

    def _unexpected(self) -> MalformedQueryError:
        found = self._tokens[self._at][1]
        return MalformedQueryError(f"unexpected word found: {found}, or it is not emulated here")
