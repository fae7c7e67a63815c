"""Metric math: expressions over time series, as pure functions.

The subset that alarms and dashboards here use of what CloudWatch documents in "Using math
expressions with CloudWatch metrics" (AmazonCloudWatch/latest/monitoring/using-metric-math):
numbers, `[a, b]` arrays, ids, + - * / ^, comparisons (1 or 0), AND, OR, and the functions below.
SEARCH, anomaly detection and Metrics Insights are refused.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

# Start of a period (Unix seconds) → value. A missing data point has no entry.
Series: TypeAlias = Mapping[int, float]
Value: TypeAlias = "float | str | Series | list[Series]"


class MathError(Exception):
    """An expression that can't be evaluated; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The periods that were asked for: their starts in Unix seconds, and their length."""

    times: tuple[int, ...]
    period: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name: `lookup` gives the value of an id, or raises MathError."""

    lookup: Callable[[str], Series]
    metrics: Mapping[str, Series]
    grid: Grid


# -- the parser ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string, or the keyword of FILL."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of a metric or of another expression."""

    value: str


@dataclass(frozen=True, slots=True)
class Array:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, and what it is applied to."""

    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = "Number | Text | Name | Array | Call"

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<word>[A-Za-z_]\w*)
    |(?P<text>"[^"]*"|'[^']*')|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]]))""",
    re.VERBOSE,
)
# How tightly an operator binds; those of one strength group from the left, ^ from the right.
BINDING = {
    "OR": 1,
    "AND": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/"), 5),
    "^": 7,
}
MINUS_BINDING = 6
SPELLINGS = {"&&": "AND", "||": "OR"}
FILLERS = ("REPEAT", "LINEAR")
END = ""
DEEPEST = 50


class Parser:
    """A Pratt parser of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = [*_tokens(expression), END]
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        """The whole expression. Raises MathError."""
        node = self._parsed(0)
        if self._next() != END:
            raise self._unexpected()
        return node

    def _parsed(self, binding: int) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise MathError("The expression is nested too deeply.")
        left = self._operand()
        while (sign := self._sign()) in BINDING and BINDING[sign] > binding:
            self._at += 1
            right = self._parsed(BINDING[sign] - (sign == "^"))
            left = Call(sign, (left, right))
        self._depth -= 1
        return left

    def _operand(self) -> Node:
        token = self._next()
        if token == END:
            raise self._unexpected()
        self._at += 1
        if token == "-":  # noqa: S105 - a sign
            return Call("NEGATE", (self._parsed(MINUS_BINDING),))
        if token == "(":  # noqa: S105
            node = self._parsed(0)
            self._take(")")
            return node
        if token == "[":  # noqa: S105
            return Array(self._list("]"))
        return self._atom(token)

    def _atom(self, token: str) -> Node:
        if token[:1].isdigit() or token[:1] == ".":
            return Number(float(token))
        if token[:1] in ("'", '"'):
            return Text(token[1:-1])
        if self._next() == "(" and token[:1].isalpha():
            return self._call(token)
        if token in FILLERS:
            return Text(token)
        if re.fullmatch(r"[a-z]\w*", token):
            return Name(token)
        self._at -= 1
        raise self._unexpected()

    def _call(self, function: str) -> Node:
        if function not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise MathError(f"The function {function} is not supported; there are: {known}.")
        self._at += 1
        return Call(function, self._list(")"))

    def _list(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._next() != end:
            if items:
                self._take(",")
            items.append(self._parsed(0))
        self._at += 1
        return tuple(items)

    def _sign(self) -> str:
        return SPELLINGS.get(self._next(), self._next())

    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self, expected: str) -> None:
        if self._next() != expected:
            raise self._unexpected()
        self._at += 1

    def _unexpected(self) -> MathError:
        found = f"'{self._next()}'" if self._next() else "the end"
        return MathError(f"Unexpected {found} in expression '{self._expression}'.")


def _tokens(expression: str) -> Iterable[str]:
    at = 0
    while expression[at:].strip():
        match = TOKEN.match(expression, at)
        if match is None:
            raise MathError(f"Unexpected '{expression[at:].strip()[0]}' in '{expression}'.")
        yield match.group().strip()
        at = match.end()


@functools.lru_cache(maxsize=1024)
def parse(expression: str) -> Node:
    """The tree of an expression. Raises MathError."""
    return Parser(expression).parse()


def names(node: Node) -> frozenset[str]:
    """The ids that an expression names."""
    match node:
        case Name(value):
            return frozenset((value,))
        case Array(items) | Call(_, items):
            return frozenset().union(*map(names, items))
        case _:
            return frozenset()


# -- evaluation ------------------------------------------------------------------------


def evaluate(expression: str, scope: Scope) -> Series:
    """The time series that an expression gives. Raises MathError, also for a mere number."""
    try:
        value = _value(parse(expression), scope)
    except MissingError:
        return {}
    if isinstance(value, Mapping):
        return value
    kind = "an array of time series" if isinstance(value, list) else "a single value"
    raise MathError(f"The expression '{expression}' gives {kind} and not one time series.")


def _value(node: Node, scope: Scope) -> Value:
    match node:
        case Number(value) | Text(value):
            return value
        case Name(value):
            return scope.lookup(value)
        case Array(items):
            return [_series(_value(item, scope), "[]") for item in items]
        case Call(function, arguments):
            apply = OPERATIONS.get(function) or FUNCTIONS[function]
            return apply(scope, [_value(argument, scope) for argument in arguments])


def _series(value: Value, where: str) -> Series:
    if isinstance(value, Mapping):
        return value
    raise MathError(f"{where} takes time series.")


def _one(values: list[Value], name: str, count: int = 1) -> list[Value]:
    if len(values) != count:
        raise MathError(f"{name} takes {count} argument{'s' if count > 1 else ''}.")
    return values


Arithmetic = Callable[[float, float], float]


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return result if isinstance(result, float | int) else math.nan


def _truth(test: Callable[[float, float], bool]) -> Arithmetic:
    return lambda left, right: 1.0 if test(left, right) else 0.0


def _kept(points: Iterable[tuple[int, float]]) -> Series:
    """Without the data points that have no value, as after a division by zero."""
    return {time: value for time, value in points if math.isfinite(value)}


def _binary(sign: str, compute: Arithmetic) -> Callable[[Scope, list[Value]], Value]:
    def apply(_scope: Scope, values: list[Value]) -> Value:
        left, right = values
        return _combine(sign, compute, left, right)

    return apply


def _combine(sign: str, compute: Arithmetic, left: Value, right: Value) -> Value:
    """Data point by data point; one that either series lacks is missing in the result."""
    match left, right:
        case (float(), float()):
            return compute(left, right)
        case (str(), _) | (_, str()):
            raise MathError(f"{sign} takes numbers and time series.")
        case (list(), _):
            return [_series(_combine(sign, compute, item, right), sign) for item in left]
        case (_, list()):
            return [_series(_combine(sign, compute, left, item), sign) for item in right]
        case _:
            return _pointwise(compute, left, right)


def _pointwise(compute: Arithmetic, left: Value, right: Value) -> Series:
    if not isinstance(left, Mapping):
        assert isinstance(left, float)
        return _kept((time, compute(left, value)) for time, value in _series(right, "").items())
    if not isinstance(right, Mapping):
        assert isinstance(right, float)
        return _kept((time, compute(value, right)) for time, value in left.items())
    return _kept(
        (time, compute(value, right[time])) for time, value in left.items() if time in right
    )


def _each(name: str, compute: Callable[[float], float]) -> Callable[[Scope, list[Value]], Value]:
    def apply(_scope: Scope, values: list[Value]) -> Value:
        return mapped(_one(values, name)[0])

    def mapped(value: Value) -> Value:
        match value:
            case float():
                return compute(value)
            case str():
                raise MathError(f"{name} takes numbers and time series.")
            case list():
                return [_series(mapped(item), name) for item in value]
        return _kept((time, compute(number)) for time, number in value.items())

    return apply


def _aggregate(
    name: str, compute: Callable[[list[float]], float]
) -> Callable[[Scope, list[Value]], Value]:
    """Of one series a single number; of several the series of those there are at each time."""

    def apply(_scope: Scope, values: list[Value]) -> Value:
        (value,) = _one(values, name)
        if isinstance(value, list):
            times = sorted(set().union(*value))
            return {t: compute([series[t] for series in value if t in series]) for t in times}
        series = _series(value, name)
        if not series:
            raise MissingError
        return float(compute(list(series.values())))

    return apply


class MissingError(Exception):
    """A number was computed from a series without data: the whole result is missing."""


def _average(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _metrics(scope: Scope, values: list[Value]) -> Value:
    """Every metric of the request, or those whose id contains the given text."""
    pattern = values[0] if values else ""
    if not isinstance(pattern, str) or len(values) > 1:
        raise MathError("METRICS takes nothing, or a quoted part of the ids.")
    return [series for name, series in scope.metrics.items() if pattern in name]


def _if(scope: Scope, values: list[Value]) -> Value:
    """IF(condition, then[, else]); a time without a condition, or without its value, is missing."""
    if len(values) not in (2, 3):
        raise MathError("IF takes a condition, a value and perhaps another value.")
    condition, *branches = values
    if isinstance(condition, float):
        chosen = branches[0] if condition else (branches[1:] or [{}])[0]
        return chosen if isinstance(chosen, float) else _series(chosen, "IF")
    picked = [*branches, {}][:2]
    points = (
        (time, _at(picked[0 if number else 1], time))
        for time, number in _series(condition, "IF").items()
    )
    return _kept(points)


def _at(value: Value, time: int) -> float:
    return value if isinstance(value, float) else _series(value, "IF").get(time, math.nan)


def _fill(scope: Scope, values: list[Value]) -> Value:
    series, filler = _one(values, "FILL", 2)
    if isinstance(series, list):
        return [_series(_fill(scope, [item, filler]), "FILL") for item in series]
    have = _series(series, "FILL")
    times = scope.grid.times
    match filler:
        case float():
            return {time: have.get(time, filler) for time in times}
        case "REPEAT":
            return _repeated(have, times)
        case "LINEAR":
            return _interpolated(have, times)
        case dict():
            return _kept((time, have.get(time, filler.get(time, math.nan))) for time in times)
    raise MathError("FILL takes time series, and a number, a time series, REPEAT or LINEAR.")


def _repeated(have: Series, times: tuple[int, ...]) -> Series:
    filled: dict[int, float] = {}
    last = math.nan
    for time in times:
        last = filled[time] = have.get(time, last)
    return _kept(filled.items())


def _interpolated(have: Series, times: tuple[int, ...]) -> Series:
    """Straight between two data points; nothing before the first nor after the last."""
    filled = dict(have)
    known = sorted(have)
    for before, after in itertools.pairwise(known):
        slope = (have[after] - have[before]) / (after - before)
        between = (time for time in times if before < time < after)
        filled.update((time, have[before] + slope * (time - before)) for time in between)
    return dict(sorted(filled.items()))


def _rate(scope: Scope, values: list[Value]) -> Value:
    """Change per second since the data point before; the first has none."""
    (value,) = _one(values, "RATE")
    if isinstance(value, list):
        return [_series(_rate(scope, [item]), "RATE") for item in value]
    points = sorted(_series(value, "RATE").items())
    return {
        time: (number - before) / (time - earlier)
        for (earlier, before), (time, number) in itertools.pairwise(points)
    }


def _period(scope: Scope, values: list[Value]) -> Value:
    _one(values, "PERIOD")
    return float(scope.grid.period)


def _constant(scope: Scope, values: list[Value]) -> Value:
    (value,) = _one(values, "TIME_SERIES")
    if not isinstance(value, float):
        raise MathError("TIME_SERIES takes a number.")
    return dict.fromkeys(scope.grid.times, value)


ARITHMETIC: dict[str, Arithmetic] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: bool(left and right)),
    "OR": _truth(lambda left, right: bool(left or right)),
}
OPERATIONS: dict[str, Callable[[Scope, list[Value]], Value]] = {
    **{sign: _binary(sign, compute) for sign, compute in ARITHMETIC.items()},
    "NEGATE": _each("-", operator.neg),
}
FUNCTIONS: dict[str, Callable[[Scope, list[Value]], Value]] = {
    "ABS": _each("ABS", abs),
    "CEIL": _each("CEIL", lambda value: float(math.ceil(value))),
    "FLOOR": _each("FLOOR", lambda value: float(math.floor(value))),
    "MAX": _aggregate("MAX", max),
    "MIN": _aggregate("MIN", min),
    "SUM": _aggregate("SUM", math.fsum),
    "AVG": _aggregate("AVG", _average),
    "METRICS": _metrics,
    "IF": _if,
    "FILL": _fill,
    "RATE": _rate,
    "PERIOD": _period,
    "TIME_SERIES": _constant,
}
