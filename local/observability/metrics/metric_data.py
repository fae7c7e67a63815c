"""GetMetricData: series of metrics and expressions, between two times."""

from __future__ import annotations

import math
from collections.abc import Callable

from local.observability.metrics import queries
from local.observability.metrics.metric_math import Grid
from local.observability.metrics.queries import MINUTE, Fetch, QueryError
from local.patches.cloudwatch import DataRequest, DataResult, RefusedError

# GetMetricData, "Limits": no request may ask for more.
MAX_DATA_POINTS = 100_800


def answering(fetch: Fetch) -> Callable[[DataRequest], list[DataResult]]:
    """What answers GetMetricData. Raises RefusedError."""

    def answer(request: DataRequest) -> list[DataResult]:
        try:
            read = queries.read(request.queries)
            series = queries.results(read, _grids(request.start, request.end), fetch)
        except QueryError as error:
            raise RefusedError(str(error)) from error
        points = {
            name: sorted(found.items(), reverse=request.newest_first)
            for name, found in series.items()
        }
        return [DataResult(each.id, each.label, points[each.id]) for each in read if each.returned]

    return answer


def _grids(start: float | None, end: float | None) -> Callable[[int], Grid]:
    """The periods between StartTime, rounded down to the minute, and EndTime (GetMetricData)."""
    if start is None or end is None or start >= end:
        raise QueryError("The parameter StartTime must be less than the parameter EndTime.")

    def grid(period: int) -> Grid:
        times = range(int(start // MINUTE) * MINUTE, math.ceil(end), period)
        if len(times) > MAX_DATA_POINTS:
            raise QueryError(f"The request asks for more than {MAX_DATA_POINTS} data points.")
        return Grid(tuple(times), period)

    return grid
