"""Metric math: expressions over time series, as pure functions.

The part of "Using math expressions with CloudWatch metrics" (AmazonCloudWatch/latest/monitoring/
using-metric-math) that the alarms and dashboards of `modules` use: numbers, ids, + - * /,
comparisons (1 or 0), IF, FILL with a number, and SUM of an array. All of it is valid Python, so
Python's own parser reads it. Everything else is refused by name: it is not emulated.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

# Start of a period (Unix seconds) → value. A missing data point has no entry.
Series: TypeAlias = Mapping[int, float]
Value: TypeAlias = "float | Series | list[Series]"

# MetricDataQuery, Expression: "Maximum length of 2048".
MAX_LENGTH = 2048
MAX_DEPTH = 50
ID = re.compile(r"[a-z]\w*")
NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


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
    grid: Grid


@functools.lru_cache(maxsize=1024)
def parse(expression: str) -> ast.expr:
    """The tree of an expression, which has nothing in it but what is emulated. Raises MathError."""
    if len(expression) > MAX_LENGTH or not expression.isascii() or "#" in expression:
        raise MathError(f"An expression is at most {MAX_LENGTH} characters of ASCII, without '#'.")
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = getattr(error, "msg", "it is nested too deeply")
        raise MathError(
            f"The expression '{expression}' can't be read: {reason}. "
            "AND, OR, && and || are not emulated."
        ) from error
    _check(tree, expression.strip(), MAX_DEPTH)
    return tree


def names(tree: ast.expr) -> frozenset[str]:
    """The ids that an expression names."""
    found = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return frozenset(name for name in found if ID.fullmatch(name))


def _check(node: ast.expr, text: str, depth: int) -> None:
    if not depth:
        raise MathError("The expression is nested too deeply.")
    for part in _parts(node, text):
        _check(part, text, depth - 1)


def _parts(node: ast.expr, text: str) -> list[ast.expr]:
    """What a node is made of. Raises MathError for one that is not emulated."""
    source = ast.get_source_segment(text, node) or ""
    match node:
        case ast.Constant() | ast.Name() if NUMBER.fullmatch(source) or ID.fullmatch(source):
            return []
        case ast.Name(name):
            raise MathError(f"'{name}' is no id, which begins with a-z, and is not emulated.")
        case ast.BinOp(left, sign, right) if type(sign) in OPERATORS:
            return [left, right]
        case ast.Compare(left, [sign], [right]) if type(sign) in OPERATORS:
            return [left, right]
        case ast.List(items):
            return items
        case ast.Call(ast.Name(function), arguments, []):
            _check_function(function)
            return arguments
    raise MathError(f"'{source}' is not emulated.")


def _check_function(name: str) -> None:
    if name not in FUNCTIONS:
        emulated = ", ".join(FUNCTIONS)
        raise MathError(f"The function {name} is not emulated; there are: {emulated}.")


def evaluate(expression: str, scope: Scope) -> Series:
    """The time series that an expression gives. Raises MathError, also for a mere number."""
    value = _value(parse(expression), scope)
    if isinstance(value, Mapping):
        return value
    kind = "an array of time series" if isinstance(value, list) else "a single value"
    raise MathError(f"The expression '{expression}' gives {kind} and not one time series.")


def _value(node: ast.expr, scope: Scope) -> Value:
    match node:
        case ast.Constant(int() | float() as number):
            return float(number)
        case ast.Name(name):
            return scope.lookup(name)
        case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]):
            return _combine(OPERATORS[type(sign)], _value(left, scope), _value(right, scope))
        case ast.List(items):
            return [_series(_value(item, scope), "An array") for item in items]
        case ast.Call(ast.Name(function), arguments):
            values = [_value(argument, scope) for argument in arguments]
            return FUNCTIONS[function](scope, values)
    raise AssertionError("parse lets nothing else through")


def _series(value: Value, where: str) -> Series:
    if isinstance(value, Mapping):
        return value
    raise MathError(f"{where} takes time series.")


def _kept(points: Iterable[tuple[int, float]]) -> Series:
    """Without the data points that have no value, as after a division by zero."""
    return {time: float(value) for time, value in points if math.isfinite(value)}


def _at(value: Value, time: int) -> float:
    """A value's number at a time: NaN where it is missing."""
    return value if isinstance(value, float) else _series(value, "IF").get(time, math.nan)


Arithmetic = Callable[[float, float], float]


def _combine(compute: Arithmetic, left: Value, right: Value) -> Value:
    """Data point by data point; one that either series lacks is missing in the result."""
    if isinstance(left, float) and isinstance(right, float):
        return float(compute(left, right))
    series = [
        _series(value, "Arithmetic") for value in (left, right) if not isinstance(value, float)
    ]
    times = (time for time in series[0] if time in series[-1])
    return _kept((time, compute(_at(left, time), _at(right, time))) for time in times)


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _sum(_scope: Scope, values: list[Value]) -> Value:
    """SUM([a, b]): a point where any of the series has one."""
    match values:
        case [list(array)]:
            times = sorted(time for one in array for time in one)
            return {time: math.fsum(one[time] for one in array if time in one) for time in times}
    raise MathError("SUM of anything but one array is not emulated.")


def _if(_scope: Scope, values: list[Value]) -> Value:
    """IF(condition, then, else); a time without a condition, or without its value, is missing."""
    if len(values) != 3:
        raise MathError("IF takes a condition and two values; with fewer it is not emulated.")
    condition, then, otherwise = values
    if isinstance(condition, float):
        branch = then if condition else otherwise
        return branch if isinstance(branch, float) else _series(branch, "IF")
    points = _series(condition, "IF").items()
    return _kept((time, _at(then if holds else otherwise, time)) for time, holds in points)


def _fill(scope: Scope, values: list[Value]) -> Value:
    """FILL(series, number): a point at every time that was asked for."""
    if len(values) != 2 or not isinstance(values[1], float):
        raise MathError("FILL takes time series and a number; another filler is not emulated.")
    have, filler = _series(values[0], "FILL"), values[1]
    return {time: have.get(time, filler) for time in scope.grid.times}


OPERATORS: dict[type[ast.operator | ast.cmpop], Arithmetic] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[[Scope, list[Value]], Value]] = {
    "FILL": _fill,
    "IF": _if,
    "SUM": _sum,
}
