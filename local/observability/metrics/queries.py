"""The queries of GetMetricData, and of an alarm with metric math: metrics and expressions by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.observability.metrics.metric_math import (
    ID,
    Grid,
    MathError,
    Scope,
    Series,
    evaluate,
    names,
    parse,
)
from local.observability.metrics.statistics import is_statistic

MINUTE = 60


class QueryError(Exception):
    """A query that CloudWatch would refuse with a ValidationError; the message says why."""


@dataclass(frozen=True, slots=True)
class MetricStat:
    """One statistic of one metric; the period in seconds."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int


@dataclass(frozen=True, slots=True)
class Query:
    """A metric or an expression; exactly one of the two is set."""

    id: str
    label: str
    metric: MetricStat | None
    expression: str | None
    returned: bool


Fetch = Callable[[MetricStat, Grid], Series]


def read(documents: Iterable[Mapping[str, Any]]) -> tuple[Query, ...]:
    """MetricDataQueries as the API takes them. Raises QueryError."""
    queries = tuple(_query(document) for document in documents)
    known = {query.id for query in queries}
    if len(known) < len(queries):
        raise QueryError("The values of the parameter 'id' in the queries must be unique.")
    for query in queries:
        _check_expression(query, known)
    return queries


def period(queries: Iterable[Query]) -> int:
    """The period of the result in seconds: the longest of its metrics', a minute without any."""
    return max((query.metric.period for query in queries if query.metric), default=MINUTE)


def results(
    queries: tuple[Query, ...], grid_of: Callable[[int], Grid], fetch: Fetch
) -> dict[str, Series]:
    """Id → series, of all queries; `grid_of` a period in seconds. Raises QueryError."""
    metrics = {query.id: query.metric for query in queries if query.metric}
    found = {name: fetch(metric, grid_of(metric.period)) for name, metric in metrics.items()}
    expressions = {query.id: query.expression for query in queries if query.expression}

    def resolve(name: str) -> Series:
        if name not in found:
            # Taken out while it is evaluated, so that one that needs itself is not found.
            expression = expressions.pop(name, None)
            if expression is None:
                raise MathError(f"The expression '{name}' needs itself.")
            found[name] = evaluate(expression, scope)
        return found[name]

    scope = Scope(resolve, grid_of(period(queries)))
    try:
        return {query.id: resolve(query.id) for query in queries}
    except MathError as error:
        raise QueryError(str(error)) from error


def _query(document: Mapping[str, Any]) -> Query:
    query_id = document.get("Id", "")
    if not ID.fullmatch(query_id):
        raise QueryError(f"The id '{query_id}' must start with a lower-case letter (a-z, 0-9, _).")
    metric, expression = document.get("MetricStat"), document.get("Expression")
    if bool(metric) == bool(expression):
        raise QueryError(f"The query '{query_id}' must have either MetricStat or Expression.")
    return Query(
        id=query_id,
        label=document.get("Label") or (_metric_name(metric) if metric else query_id),
        metric=_metric_stat(metric) if metric else None,
        expression=expression or None,
        returned=bool(document.get("ReturnData", True)),
    )


def _metric_name(metric: Mapping[str, Any]) -> str:
    name: str = metric["Metric"].get("MetricName", "")
    return name


def _metric_stat(document: Mapping[str, Any]) -> MetricStat:
    metric, seconds = document["Metric"], int(document.get("Period") or MINUTE)
    return metric_stat(metric, document.get("Stat") or "Average", seconds)


def metric_stat(metric: Mapping[str, Any], stat: str, seconds: int) -> MetricStat:
    """A metric as PutMetricAlarm and GetMetricData name it. Raises QueryError."""
    if not is_statistic(stat):
        raise QueryError(f"The statistic '{stat}' is not emulated.")
    if seconds < MINUTE or seconds % MINUTE:
        raise QueryError(
            f"Period {seconds} must be a multiple of 60; high resolution is not emulated."
        )
    dimensions = ((d["Name"], d["Value"]) for d in metric.get("Dimensions") or ())
    return MetricStat(
        metric.get("Namespace", ""),
        metric.get("MetricName", ""),
        tuple(sorted(dimensions)),
        stat,
        seconds,
    )


def _check_expression(query: Query, known: set[str]) -> None:
    if query.expression is None:
        return
    try:
        unknown = names(parse(query.expression)) - known
    except MathError as error:
        raise QueryError(f"Error in expression '{query.id}': {error}") from error
    if unknown:
        raise QueryError(
            f"Error in expression '{query.id}': there is no query {', '.join(sorted(unknown))}."
        )
