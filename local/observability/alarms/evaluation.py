"""An alarm's state from its definition, the data points and the time: a pure function.

Sources, all below AmazonCloudWatch/latest/monitoring: alarm-evaluation (M out of N),
alarm-evaluation-window (the sliding window, which moves on with every evaluation),
alarms-and-missing-data (the tables); and PutMetricAlarm.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.observability.metrics import queries
from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import MINUTE, Fetch, Query, QueryError

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
# How many periods beyond N are looked at for data points that the last N lack. AWS gives no rule,
# only the example of its tables: 5 for an N of 3.
SPARE_PERIODS = 2

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm. `queries` holds its metrics; `watched` is the id compared with `threshold`.

    `needed` of the last `periods` data points, each of `period` seconds, must breach.
    """

    queries: tuple[Query, ...]
    watched: str
    period: int
    periods: int
    needed: int
    comparison: str
    threshold: float
    missing: str = "missing"

    def breaches(self, value: float) -> bool:
        """Whether a data point is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows, and why; `recent` are the data points that were looked at."""

    state: str
    reason: str
    recent: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A data point that there is; `age` counts periods back from the newest, which is 1."""

    age: int
    time: int
    value: float
    breaching: bool


def read(document: Mapping[str, Any]) -> Alarm:
    """A metric alarm as PutMetricAlarm takes it. Raises QueryError for one that AWS refuses."""
    metrics, watched = _watched(document)
    periods = int(document.get("EvaluationPeriods") or 1)
    needed = int(document.get("DatapointsToAlarm") or periods)
    comparison = document.get("ComparisonOperator") or ""
    treatment = document.get("TreatMissingData") or "missing"
    if comparison not in COMPARISONS:
        raise QueryError(f"The comparison operator '{comparison}' is not emulated.")
    if treatment not in TREATMENTS:
        raise QueryError(f"TreatMissingData '{treatment}' must be one of {', '.join(TREATMENTS)}.")
    if document.get("EvaluateLowSampleCountPercentile") not in (None, "", "evaluate"):
        raise QueryError("EvaluateLowSampleCountPercentile 'ignore' is not emulated.")
    if needed > periods:
        raise QueryError("DatapointsToAlarm must not be more than EvaluationPeriods.")
    return Alarm(
        queries=metrics,
        watched=watched,
        period=queries.period(metrics),
        periods=periods,
        needed=needed,
        comparison=comparison,
        threshold=float(document.get("Threshold") or 0),
        missing=_treatment(metrics, watched, treatment),
    )


def evaluate(alarm: Alarm, fetch: Fetch, now: float, state: str) -> Verdict:
    """The alarm's next state at `now` (Unix seconds), given its present one. Raises QueryError.

    The window ends with the last full minute, so that an alarm on an hour looks at the 60 minutes
    before now, not at a clock hour.
    """
    end = int(now // MINUTE) * MINUTE
    look_back = alarm.periods + SPARE_PERIODS
    starts = tuple(end - alarm.period * age for age in range(look_back, 0, -1))
    grid = Grid(starts, alarm.period)
    series = queries.results(alarm.queries, lambda _period: grid, fetch)[alarm.watched]
    return verdict(alarm, _points(alarm, series, grid), state)


def verdict(alarm: Alarm, points: list[Point], state: str) -> Verdict:
    """The next state from the data points there are, newest first."""
    within = [point for point in points if point.age <= alarm.periods]
    if len(within) < alarm.periods:
        # The newest that exist decide, however old, before anything is filled in.
        within = points[: alarm.periods]
    filled = alarm.periods - len(within)
    breaching = sum(point.breaching for point in within)
    following = _following(alarm, within, breaching, filled)
    return Verdict(following or state, _reason(alarm, within, filled), _values(within))


def _following(alarm: Alarm, points: list[Point], breaching: int, filled: int) -> str | None:
    """The next state; None is the present one, whichever that is."""
    if filled and alarm.missing == "breaching":
        return ALARM if breaching + filled >= alarm.needed else OK
    if filled and alarm.missing in ("missing", "ignore"):
        lenient = alarm.missing == "ignore"
        if not points:
            return None if lenient else INSUFFICIENT
        if breaching < alarm.needed and _premature(alarm, points):
            return None if lenient else ALARM
    return ALARM if breaching >= alarm.needed else OK


def _premature(alarm: Alarm, points: list[Point]) -> bool:
    """All that there is breaches, and began long enough ago.

    alarms-and-missing-data, "Avoiding premature transitions to alarm state".
    """
    return all(point.breaching for point in points) and points[-1].age >= alarm.needed


def _points(alarm: Alarm, series: Series, grid: Grid) -> list[Point]:
    newest_first = enumerate(reversed(grid.times), start=1)
    return [
        Point(age, time, series[time], alarm.breaches(series[time]))
        for age, time in newest_first
        if time in series
    ]


def _watched(document: Mapping[str, Any]) -> tuple[tuple[Query, ...], str]:
    if document.get("Metrics"):
        metrics = queries.read(document["Metrics"])
        returned = [query.id for query in metrics if query.returned]
        if len(returned) != 1:
            raise QueryError("Exactly one element of the metrics list should return data.")
        return metrics, returned[0]
    stat = document.get("ExtendedStatistic") or document.get("Statistic") or "Average"
    metric = queries.metric_stat(document, stat, int(document.get("Period") or MINUTE))
    return (Query("m1", metric.name, metric, None, returned=True),), "m1"


def _treatment(metrics: tuple[Query, ...], watched: str, treatment: str) -> str:
    """An alarm on a metric of AWS/DynamoDB ignores missing data whatever it says.

    PutMetricAlarm, TreatMissingData. It is documented for alarms that evaluate a metric there;
    an expression that fills its gaps has none.
    """
    metric = next((query.metric for query in metrics if query.id == watched), None)
    return "ignore" if metric and metric.namespace == "AWS/DynamoDB" else treatment


def _values(points: list[Point]) -> tuple[float, ...]:
    return tuple(point.value for point in reversed(points))


def _reason(alarm: Alarm, points: list[Point], filled: int) -> str:
    """As AWS words it, near enough to be read by the same people."""
    if not points and alarm.missing in ("missing", "ignore"):
        return f"Insufficient Data: {filled} datapoints were unknown."
    if not points:
        return (
            f"Threshold Crossed: no datapoints were received for {filled} periods and missing "
            f"datapoints were treated as [{alarm.missing}]."
        )
    breaching = [point for point in points if point.breaching]
    shown = ", ".join(f"{point.value:.6g} ({_clock(point.time)})" for point in breaching or points)
    how = COMPARISONS[alarm.comparison][1]
    unknown = f" {filled} datapoints were unknown, treated as [{alarm.missing}]." if filled else ""
    return (
        f"Threshold Crossed: {len(breaching or points)} out of the last {alarm.periods} datapoints "
        f"[{shown}] was {'' if breaching else 'not '}{how} the threshold "
        f"({alarm.threshold:g}).{unknown}"
    )


def _clock(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%d/%m/%y %H:%M:%S")
