"""Filter expressions, which pick traces: `annotation.route = "/v1/items" AND responsetime > 1`.

xray-console-filters. Understood: AND, OR, !, parentheses, the boolean, number and string keywords
that `Facts.values` has, annotations, group.name and group.arn, and service("name") { ... } with
id(name: ..., type: ...). Refused by name: edge(), and what else the page knows.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Value = str | float | bool
Predicate = Callable[["Facts"], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*")|(?P<symbol><=|>=|!=|[=<>!(){}:,])"""
    r"""|(?P<word>[\w.\-]+(?:\[[^\]]+\])?))"""
)
_BOOLEANS = {"ok", "error", "throttle", "fault", "partial"}
_NUMBERS = {"responsetime", "duration", "http.status"}
_TEXTS = {"http.url", "http.method", "http.useragent", "http.clientip", "user"}
_GROUPS = {"group.name", "group.arn"}
_ANNOTATION = re.compile(r"annotation(?:\.(.+)|\[(.+)\])")
_COMPARISONS: dict[str, Callable[..., bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "CONTAINS": operator.contains,
    "BEGINSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
_OF_TEXTS = {"=", "!=", "CONTAINS", "BEGINSWITH", "ENDSWITH"}
_OF_NUMBERS = {"=", "!=", "<", "<=", ">", ">="}


class FilterError(Exception):
    """An expression that is not understood; the message says what, and where."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a trace, or of one service in it: keyword → its values.

    An annotation's keyword is `annotation.<key>`. Times are in seconds.
    """

    values: Mapping[str, Sequence[Value]]
    services: Sequence[Service] = field(default=())


@dataclass(frozen=True, slots=True)
class Service:
    """A service in a trace, and what is known of its part."""

    name: str
    type: str
    facts: Facts


def compiled(expression: str, groups: Mapping[str, str] | None = None) -> Predicate:
    """The predicate that an expression is; raises FilterError.

    `groups` gives the expression of each group, by its name and by its ARN.
    """
    parser = _Parser(expression, groups or {})
    return parser.whole() if expression.strip() else lambda _facts: True


@dataclass(slots=True)
class _Parser:
    """A parser by recursive descent, which turns each part into a predicate."""

    expression: str
    groups: Mapping[str, str]
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        position = 0
        text = self.expression.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found:
                raise FilterError(f"{text[position:]!r} can't be read in: {text}")
            self.tokens.append(found[0].strip())
            position = found.end()
        self.tokens.reverse()

    def whole(self) -> Predicate:
        predicate = self.any_of()
        if self.tokens:
            raise FilterError(f"{self.next()!r} is one too many in: {self.expression}")
        return predicate

    def any_of(self) -> Predicate:
        parts = [self.all_of()]
        while self.taken("OR"):
            parts.append(self.all_of())
        return lambda facts: any(part(facts) for part in parts)

    def all_of(self) -> Predicate:
        parts = [self.one()]
        # The AND between two may be left out: `ok !partial duration < 3`.
        while self.taken("AND") or (self.tokens and self.peek().upper() not in {"OR", ")", "}"}):
            parts.append(self.one())
        return lambda facts: all(part(facts) for part in parts)

    def one(self) -> Predicate:
        if self.taken("!"):
            denied = self.one()
            return lambda facts: not denied(facts)
        if self.taken("("):
            inner = self.any_of()
            self.require(")")
            return inner
        keyword = self.next()
        if keyword == "service" and self.peek() == "(":
            return self.service()
        if keyword in _BOOLEANS:
            return self.boolean(keyword)
        return self.comparison(keyword)

    def service(self) -> Predicate:
        self.require("(")
        wanted = self.identity()
        self.require(")")
        inner = self.condition()

        def holds(facts: Facts) -> bool:
            return any(
                wanted.get("name", service.name) == service.name
                and wanted.get("type", service.type) == service.type
                and inner(service.facts)
                for service in facts.services
            )

        return holds

    def condition(self) -> Predicate:
        if not self.taken("{"):
            return lambda _facts: True
        inner = self.any_of()
        self.require("}")
        return inner

    def identity(self) -> dict[str, str]:
        """`"name"`, `id(name: "name", type: "type")` or nothing, which is any service."""
        if self.peek() == ")":
            return {}
        if not self.taken("id"):
            return {"name": self.text()}
        self.require("(")
        wanted: dict[str, str] = {}
        while not self.taken(")"):
            key = self.next()
            if key not in {"name", "type"}:
                raise FilterError(f"id() has a name and a type here, and no {key!r}.")
            self.require(":")
            wanted[key] = self.text()
            self.taken(",")
        return wanted

    def boolean(self, keyword: str) -> Predicate:
        wanted = True
        if self.peek() in {"=", "!="}:
            wanted = (self.next() == "=") == (self.next() == "true")
        return lambda facts: (True in facts.values.get(keyword, ())) is wanted

    def comparison(self, keyword: str) -> Predicate:
        annotation = _ANNOTATION.fullmatch(keyword)
        if annotation:
            return self.annotated(f"annotation.{annotation[1] or annotation[2]}")
        if keyword in _GROUPS:
            return self.group()
        if keyword in _NUMBERS:
            return self.compared(keyword, float)
        if keyword in _TEXTS:
            return self.compared(keyword, str)
        raise FilterError(f"The embedded AWS knows no {keyword!r} in a filter expression.")

    def annotated(self, keyword: str) -> Predicate:
        if self.peek().upper() not in _COMPARISONS:
            return lambda facts: bool(facts.values.get(keyword))
        value = self.tokens[-2] if len(self.tokens) > 1 else ""
        if value in {"true", "false"}:
            same = self.next() == "="
            wanted = self.next() == "true"
            return lambda facts: any(
                (each is wanted) is same for each in facts.values.get(keyword, ())
            )
        return self.compared(keyword, str if value.startswith('"') else float)

    def compared(self, keyword: str, kind: type[str] | type[float]) -> Predicate:
        symbol = self.next().upper()
        if symbol not in (_OF_TEXTS if kind is str else _OF_NUMBERS):
            raise FilterError(f"{keyword} can't be compared by {symbol!r}.")
        wanted: Value = self.text() if kind is str else self.number()
        compare = _COMPARISONS[symbol]
        return lambda facts: any(
            compare(value, wanted)
            for value in facts.values.get(keyword, ())
            if isinstance(value, str) == (kind is str)
        )

    def group(self) -> Predicate:
        self.require("=")
        name = self.text()
        if name not in self.groups:
            raise FilterError(f"There is no group {name!r}.")
        # A group's own expression names no group.
        return compiled(self.groups[name])

    def text(self) -> str:
        token = self.next()
        if not token.startswith('"'):
            raise FilterError(f'{token!r} must stand in double quotes: "{token}".')
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def number(self) -> float:
        token = self.next()
        try:
            return float(token)
        except ValueError:
            raise FilterError(f"{token!r} is no number.") from None

    def peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def next(self) -> str:
        if not self.tokens:
            raise FilterError(f"Something is missing at the end of: {self.expression}")
        return self.tokens.pop()

    def taken(self, token: str) -> bool:
        if self.peek().upper() != token.upper():
            return False
        self.tokens.pop()
        return True

    def require(self, token: str) -> None:
        if not self.taken(token):
            raise FilterError(f"{token!r} is missing before {self.peek()!r} in: {self.expression}")
