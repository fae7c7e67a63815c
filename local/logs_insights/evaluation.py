"""The rows that answer a query, from log events; no I/O."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from local.logs_insights import language as ask

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
                rows = _renamed(fields, rows)
                shown = (*(() if alone else shown), *_aliases(fields))
            case ask.Filter(condition):
                rows = [row for row in rows if _holds(condition, row)]
                matched = matched if grouped else len(rows)
            case ask.Stats(aggregates, by):
                rows, grouped = list(_grouped(command, rows)), True
                shown = (*_aliases(by), *_aliases(aggregates))
            case ask.Sort(keys):
                for name, descending in reversed(keys):
                    rows.sort(key=_ordering(name), reverse=descending)
            case ask.Limit(most):
                limit = most
    wanted = (*(shown or SHOWN_BY_DEFAULT), POINTER)
    return Answer(tuple(_cut(row, wanted) for row in rows[:limit]), matched)


def _aliases(named: Iterable[ask.Named | ask.Aggregate]) -> Iterator[str]:
    return (each.alias for each in named)


def _renamed(fields: Iterable[ask.Named], rows: list[Row]) -> list[Row]:
    """Add the fields that are given another name; the old one can be asked for still."""
    made = [each for each in fields if each.alias != each.field]
    if not made:
        return rows
    return [
        {**row, **{each.alias: row[each.field] for each in made if each.field in row}}
        for row in rows
    ]


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
        case ask.Compare(left, sign, right):
            return _compares(_value(left, row), sign, _value(right, row))
        case ask.Like(field, pattern):
            return field.name in row and pattern.search(row[field.name]) is not None
        case ask.In(field, values):
            return any(_compares(row.get(field.name), "=", each.text) for each in values)
        case ask.Present(field):
            return field.name in row
        case ask.Not(part):
            return not _holds(part, row)
        case ask.All() | ask.Any():
            joined = all if isinstance(condition, ask.All) else any
            return joined(_holds(part, row) for part in condition.parts)


def _value(operand: ask.Operand, row: Row) -> str | None:
    return operand.text if isinstance(operand, ask.Literal) else row.get(operand.name)


def _compares(left: str | None, sign: str, right: str | None) -> bool:
    """Numbers as numbers, all else as texts; nothing can be said of what isn't there."""
    if left is None or right is None:
        return False
    numbers = _number(left), _number(right)
    if sign in ("=", "!="):
        same = left == right or (numbers[0] is not None and numbers[0] == numbers[1])
        return same is (sign == "=")
    if numbers[0] is None or numbers[1] is None:
        return False
    return _COMPARE[sign](numbers[0], numbers[1])


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def _grouped(stats: ask.Stats, rows: Iterable[Row]) -> Iterator[Row]:
    groups: dict[tuple[str | None, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(each.field) for each in stats.by), []).append(row)
    for key, members in groups.items():
        named = dict(zip(_aliases(stats.by), key, strict=True))
        counted = {each.alias: _aggregated(each, members) for each in stats.aggregates}
        both = {**named, **counted}
        yield {name: value for name, value in both.items() if value is not None}


def _aggregated(aggregate: ask.Aggregate, rows: Sequence[Row]) -> str | None:
    if aggregate.field is None:
        return str(len(rows))
    texts = [row[aggregate.field] for row in rows if aggregate.field in row]
    if aggregate.function == "count":
        return str(len(texts))
    numbers = [number for text in texts if (number := _number(text)) is not None]
    if not numbers:
        return None
    total = sum(numbers)
    found = {"sum": total, "avg": total / len(numbers), "min": min(numbers), "max": max(numbers)}
    # Without an exponent, which `_number` doesn't read.
    return f"{Decimal(str(found[aggregate.function])).normalize():f}"


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
