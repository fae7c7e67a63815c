"""The rows that answer a query, from log events; no I/O."""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from local.observability.logs import insights_language as ask

Row = Mapping[str, str]
_Chunk = tuple[str, int, str]
POINTER = "@ptr"
SHOWN_BY_DEFAULT = ("@timestamp", "@message")

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


# Digits only (CWL_QuerySyntax-Sort): float() takes the hash 12e9999 for infinity, too.
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PARTS = re.compile(r"[0-9]+|[^0-9]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Each row's fields in order, and how many events the filters let through."""

    rows: tuple[Row, ...]
    matched: int


def answer(commands: Sequence[ask.Command], events: Iterable[Row]) -> Answer:
    """Answer a parsed query. An event has `@message`, whose JSON gives it its other fields."""
    rows = [_discovered(event) for event in events]
    shown: tuple[str, ...] = ()
    limit, matched, grouped = ask.DEFAULT_LIMIT, len(rows), False
    for command in commands:
        match command:
            case ask.Show(fields, alone):
                shown = (*(() if alone else shown), *fields)
            case ask.Filter(condition):
                rows = [row for row in rows if _holds(condition, row)]
                matched = matched if grouped else len(rows)
            case ask.Stats(count, by):
                rows, grouped = list(_grouped(command, rows)), True
                shown = (*by, count)
            case ask.Sort(keys):
                for name, descending in reversed(keys):
                    rows.sort(key=_ordering(name), reverse=descending)
            case ask.Limit(most):
                limit = most
    names = (*(shown or SHOWN_BY_DEFAULT), POINTER)
    return Answer(tuple(_cut(row, names) for row in rows[:limit]), matched)


def _discovered(event: Row) -> Row:
    """Add the fields of a JSON message (CWL_AnalyzeLogData-discoverable-fields)."""
    try:
        found = json.loads(event["@message"])
    except ValueError:
        return event
    return {**dict(_flat("", found)), **event} if isinstance(found, dict) else event


def _flat(prefix: str, found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        elif isinstance(value, list):
            yield from _flat(f"{prefix}{name}.", {str(at): one for at, one in enumerate(value)})
        elif isinstance(value, float):
            yield f"{prefix}{name}", f"{Decimal(str(value)):f}"
        elif value is not None:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _holds(condition: ask.Condition, row: Row) -> bool:
    match condition:
        case ask.Compare(field, sign, text):
            return field in row and _compares(row[field], sign, text)
        case ask.Like(field, pattern, negated):
            return (field in row and pattern.search(row[field]) is not None) is not negated
        case ask.All() | ask.Any():
            joined = all if isinstance(condition, ask.All) else any
            return joined(_holds(part, row) for part in condition.parts)


def _compares(left: str, sign: str, right: str) -> bool:
    """Numbers as numbers, all else as texts."""
    numbers = _number(left), _number(right)
    if sign in ("=", "!="):
        same = left == right or (numbers[0] is not None and numbers[0] == numbers[1])
        return same is (sign == "=")
    if numbers[0] is None or numbers[1] is None:
        return False
    return _COMPARE[sign](numbers[0], numbers[1])


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _grouped(stats: ask.Stats, rows: Iterable[Row]) -> Iterator[Row]:
    groups = Counter(tuple(row.get(name) for name in stats.by) for row in rows)
    for key, count in groups.items():
        named = {name: text for name, text in zip(stats.by, key, strict=True) if text is not None}
        yield {**named, stats.count: str(count)}


def _ordering(name: str) -> Callable[[Row], tuple[bool, float, tuple[_Chunk, ...]]]:
    """Order as CWL_QuerySyntax-Sort has it: texts before numbers, a text's digits by length."""

    def key(row: Row) -> tuple[bool, float, tuple[_Chunk, ...]]:
        text = row.get(name, "")
        number = _number(text)
        if number is not None:
            return True, number, ((text, 0, ""),)
        return False, 0.0, tuple(_chunk(each) for each in _PARTS.findall(text))

    return key


def _chunk(text: str) -> _Chunk:
    # Beside a text that is none, any number stands where the digits do in Unicode.
    return ("0", len(text), text) if text.isdecimal() else (text, 0, "")


def _cut(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in dict.fromkeys(names) if name in row}
