"""Logs Insights' query language, as far as saved queries and dashboards of a service use it.

Pages are those of the CloudWatch Logs User Guide (AmazonCloudWatch/latest/logs/CWL_QuerySyntax and
those below it). What is not read here is refused by name: a clause that is passed over would show
rows that were not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
DEFAULT_LIMIT, MOST = 10_000, 100_000  # CWL_QuerySyntax-Limit
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
AGGREGATES = frozenset({"avg", "count", "max", "min", "sum"})


class MalformedQueryError(Exception):
    """The query can't be read; the text names the word that it ends at."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the event, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number, as it is written."""

    text: str


Operand = Field | Literal


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and what is to hold between them."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Like:
    """A field that has the pattern somewhere in it."""

    field: Field
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class In:
    """A field that is one of several values."""

    field: Field
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """A field that the event has."""

    field: Field


@dataclass(frozen=True, slots=True)
class Not:
    """What is not to hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Parts that are all to hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Parts of which one is to hold."""

    parts: tuple[Condition, ...]


Condition = Compare | Like | In | Present | Not | All | Any


@dataclass(frozen=True, slots=True)
class Named:
    """A field, and what it is called from here on (CWL_QuerySyntax-alias)."""

    field: str
    alias: str


@dataclass(frozen=True, slots=True)
class Show:
    """`fields`, or `display`, which stands in for every `fields` before it."""

    fields: tuple[Named, ...]
    alone: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Only the events for which a condition holds."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number of a group: `field` is None for count(*)."""

    function: str
    field: str | None
    alias: str


@dataclass(frozen=True, slots=True)
class Stats:
    """A row for each group of events that have the same values of `by`."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Named, ...]


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
      | (?P<pattern>/(?:\\.|[^/\n])+/i?)
      | (?P<quoted>`[^`]+`)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>@?[A-Za-z_][\w.]*)
      | (?P<sign>!=|<=|>=|=~|[|,()\[\]=<>*])
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
        match self._next().lower():
            case "fields":
                return Show(tuple(self._separated(self._named)), alone=False)
            case "display":
                names = self._separated(self._name)
                return Show(tuple(Named(name, name) for name in names), alone=True)
            case "filter":
                return Filter(self._either())
            case "stats":
                return self._stats()
            case "sort":
                return Sort(tuple(self._separated(self._key)))
            case "limit":
                return Limit(self._most())
        self._at -= 1
        raise self._unexpected()

    def _stats(self) -> Stats:
        aggregates = tuple(self._separated(self._aggregate))
        by = self._separated(self._named) if self._take("by") else ()
        return Stats(aggregates, tuple(by))

    def _aggregate(self) -> Aggregate:
        function = self._of("name").lower()
        if function not in AGGREGATES:
            self._at -= 1
            raise self._unexpected()
        self._expect("(")
        field = None if self._take("*") else self._name()
        self._expect(")")
        alias = self._name() if self._take("as") else f"{function}({field or '*'})"
        return Aggregate(function, field, alias)

    def _named(self) -> Named:
        name = self._name()
        return Named(name, self._name() if self._take("as") else name)

    def _most(self) -> int:
        text = self._of("number")
        if not text.isdecimal() or not 1 <= int(text) <= MOST:
            raise MalformedQueryError(f"limit is a whole number from 1 to {MOST}, not {text}")
        return int(text)

    def _key(self) -> tuple[str, bool]:
        name = self._name()
        if self._take("desc"):
            return name, True
        self._take("asc")
        return name, False

    # -- conditions --------------------------------------------------------------------

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
        if self._take("not"):
            return Not(self._one())
        if self._take("("):
            inner = self._either()
            self._expect(")")
            return inner
        if self._take("ispresent"):
            self._expect("(")
            field = Field(self._name())
            self._expect(")")
            return Present(field)
        return self._comparison(self._operand())

    def _comparison(self, left: Operand) -> Condition:
        negated = self._take("not")
        if isinstance(left, Field) and self._take("like", "=~"):
            like = Like(left, self._pattern())
            return Not(like) if negated else like
        if isinstance(left, Field) and self._take("in"):
            self._expect("[")
            found = In(left, tuple(self._separated(self._literal)))
            self._expect("]")
            return Not(found) if negated else found
        operator = self._next()
        if negated or operator not in COMPARISONS:
            self._at -= 1
            raise self._unexpected()
        return Compare(left, operator, self._operand())

    def _pattern(self) -> re.Pattern[str]:
        kind, text = self._tokens[self._at]
        if kind != "pattern":
            return re.compile(re.escape(_unquoted(self._of("text"))))
        self._at += 1
        body, _, flags = text[1:].rpartition("/")
        try:
            return re.compile(body, re.IGNORECASE if flags else 0)
        except re.error as error:
            raise MalformedQueryError(f"{text} is no pattern: {error}") from error

    def _operand(self) -> Operand:
        kind, _ = self._tokens[self._at]
        return Field(self._name()) if kind in ("name", "quoted") else self._literal()

    def _literal(self) -> Literal:
        kind, text = self._tokens[self._at]
        if kind not in ("text", "number"):
            raise self._unexpected()
        self._at += 1
        return Literal(_unquoted(text) if kind == "text" else text)

    # -- tokens ------------------------------------------------------------------------

    def _name(self) -> str:
        kind, text = self._tokens[self._at]
        if kind not in ("name", "quoted"):
            raise self._unexpected()
        self._at += 1
        return text.strip("`")

    def _separated(self, item: Callable[[], _T]) -> Iterator[_T]:
        yield item()
        while self._take(","):
            yield item()

    def _take(self, *words: str) -> bool:
        kind, text = self._tokens[self._at]
        taken = kind in ("name", "sign") and text.lower() in words
        self._at += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected()

    def _of(self, wanted: str) -> str:
        kind, text = self._tokens[self._at]
        if kind != wanted:
            raise self._unexpected()
        self._at += 1
        return text

    def _next(self) -> str:
        _, text = self._tokens[self._at]
        self._at += 1
        return text

    def _unexpected(self) -> MalformedQueryError:
        return MalformedQueryError(f"unexpected word found: {self._tokens[self._at][1]}")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
