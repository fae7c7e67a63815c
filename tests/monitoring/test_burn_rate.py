"""Burn-rate alarms against made-up traffic: when they fire, when they stay silent, when they reset.

The rules are those of the Google SRE workbook, chapter 5, "Alerting on SLOs", approach 6: an alarm
fires when the error budget burns faster than its factor over a long window and over a short one.
A constant burn is seen by the long window after `window * factor / burn rate`, and by the short
one sooner; once the errors stop, the short window resets the alarm although the long one has not
forgotten them.

The alarms are those that are deployed: every two metric alarms that a composite alarm joins by AND,
and that count a gateway's or the edge's 5XX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services.cloudwatch import _parse_alarm_rule

from local.observability.alarms import evaluation as alarms
from local.observability.alarms.evaluation import ALARM, OK, Alarm
from local.observability.metrics.metric_math import Grid, Series
from local.observability.metrics.queries import MetricStat
from project.account import read_settings
from project.paths import TREE
from tests.support.deployment import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.monitoring.places import Place

MINUTE = 60
# Long and short window in minutes, and how many times too fast the budget burns.
FACTORS = {(60, 5): 14.4, (360, 30): 6.0}
# What falls between a cause and an alarm beside the rule: a minute until its data point is
# complete, and one until the next evaluation.
SLACK = 2
BUSY = 600  # requests a minute
# Two health checkers' requests a minute, to each of the two paths that they ask.
HEALTH_REQUESTS = 4
ERROR_METRICS = ("5XXError", "5xxErrorRate")


@dataclass(frozen=True, slots=True)
class Pair:
    """The two windows of one burn-rate alarm."""

    name: str
    long: Alarm
    short: Alarm

    @property
    def minutes(self) -> tuple[int, int]:
        """Lengths of the long and of the short window."""
        return self.long.period // MINUTE, self.short.period // MINUTE

    @property
    def threshold(self) -> float:
        """The error rate above which the workbook wants somebody to know."""
        return FACTORS[self.minutes] * BUDGET

    def detection(self, error_rate: float) -> float:
        """Minutes that the workbook gives a constant error rate, in a traffic without others."""
        return self.minutes[0] * self.threshold / error_rate


def pairs_of(
    metric_alarms: Iterable[dict[str, Any]], composite_alarms: Iterable[dict[str, Any]]
) -> list[Pair]:
    """The burn-rate alarms among what DescribeAlarms answers."""
    read = {document["AlarmName"]: alarms.read(document) for document in metric_alarms}
    found = {
        names: _pair(names, *(read[name] for name in names))
        for composite in composite_alarms
        for names in _joined(_parse_alarm_rule(composite["AlarmRule"]))
        if all(name in read and _counts_errors(read[name]) for name in names)
    }
    return list(found.values())


def _pair(names: tuple[str, ...], one: Alarm, other: Alarm) -> Pair:
    short, long = sorted((one, other), key=lambda alarm: alarm.period)
    return Pair("+".join(names), long, short)


def _joined(rule: tuple[Any, ...]) -> Iterator[tuple[str, ...]]:
    """The names of every two alarms that a rule joins by AND, at any depth."""
    kind, *parts = rule
    if kind == "and" and [part[:2] for part in parts] == [("state", ALARM)] * 2:
        yield tuple(part[2].rpartition(":")[2] for part in parts)
    elif kind in ("and", "or", "not"):
        for part in parts:
            yield from _joined(part)


def _counts_errors(alarm: Alarm) -> bool:
    return any(query.metric and query.metric.name in ERROR_METRICS for query in alarm.queries)


class Traffic:
    """Requests and errors minute by minute, as the gateway's and the edge's metrics count them.

    The health paths' requests come beside them, and half of those answer 503: of a Region that
    isn't ready, whose users are elsewhere.
    """

    def __init__(self, minutes: Iterable[tuple[int, float]], *, health: bool = True) -> None:
        series = list(minutes)
        self._requests = [0, *accumulate(requests for requests, _ in series)]
        self._errors = [0.0, *accumulate(requests * rate for requests, rate in series)]
        self._health = HEALTH_REQUESTS if health else 0
        self.length = len(series)

    def fetch(self, metric: MetricStat, grid: Grid) -> Series:
        """Answer a query; a period without requests has no data point."""
        values = {}
        for start in grid.times:
            requests, errors = self._between(metric, start, start + grid.period)
            if requests:
                values[start] = _statistic(metric, requests, errors)
        return values

    def _between(self, metric: MetricStat, start: int, end: int) -> tuple[float, float]:
        first, last = (min(max(at // MINUTE, 0), self.length) for at in (start, end))
        requests = self._requests[last] - self._requests[first]
        errors = self._errors[last] - self._errors[first]
        checks = self._health * (last - first)
        of_route = dict(metric.dimensions)
        path = of_route.get("Resource")
        if path is not None:
            # A route of its own: one of the two health paths, which health checkers ask by GET, or
            # none that has any traffic.
            asked = path.startswith("/health/") and of_route["Method"] == "GET"
            mine = checks / 2 if asked else 0
            return mine, mine if path == "/health/ready" else 0
        if metric.namespace == "AWS/CloudFront":
            # The canary alone asks there for health, and its answers are good ones.
            return requests, errors
        return requests + checks, errors + checks / 2


def _statistic(metric: MetricStat, requests: float, errors: float) -> float:
    if metric.name in ("Count", "Requests"):
        return requests
    if metric.name == "5xxErrorRate":
        return 100 * errors / requests
    return errors / requests if metric.statistic == "Average" else errors


def states(pair: Pair, traffic: Traffic) -> list[bool]:
    """Minute by minute: is the pair in alarm? Both windows must be."""
    now = {"long": OK, "short": OK}
    both = []
    for minute in range(1, traffic.length + 1):
        for which, alarm in (("long", pair.long), ("short", pair.short)):
            verdict = alarms.evaluate(alarm, traffic.fetch, minute * MINUTE, now[which])
            now[which] = verdict.state
        both.append(now["long"] == now["short"] == ALARM)
    return both


ACCOUNT_SETTINGS = read_settings(TREE, ACCOUNT)
NAME = re.compile(r"(.+)-availability-(\w+)-long\+.+")
ALARM_TYPES = ("MetricAlarm", "CompositeAlarm")
PLACES = (ACCOUNT_SETTINGS["primary_region"], ACCOUNT_SETTINGS["standby_region"], "edge")
BUDGET = 1 - float(ACCOUNT_SETTINGS["availability_objective"]) / 100


@pytest.fixture(scope="module")
def deployed(by_region: Mapping[str, Place]) -> Mapping[str, Pair]:
    """Every pair of the deployment by its place and pace, such as us-east-1-fast."""
    found = {}
    for place in by_region.values():
        pages = place.client("cloudwatch").get_paginator("describe_alarms")
        kinds: dict[str, list[dict[str, Any]]] = {"MetricAlarms": [], "CompositeAlarms": []}
        for page in pages.paginate(AlarmNamePrefix=place.name, AlarmTypes=ALARM_TYPES):
            for kind, found_alarms in kinds.items():
                found_alarms.extend(page[kind])
        for pair in pairs_of(kinds["MetricAlarms"], kinds["CompositeAlarms"]):
            named = NAME.fullmatch(pair.name.removeprefix(f"{place.name}-"))
            assert named, pair.name
            found["-".join(named.groups())] = pair
    return found


@pytest.fixture(
    scope="module", params=[f"{place}-{pace}" for place in PLACES for pace in ("fast", "slow")]
)
def pair(request: pytest.FixtureRequest, deployed: Mapping[str, Pair]) -> Pair:
    """Each pair that has to be there."""
    return deployed[request.param]


def test_nothing_else_pages_by_a_burn_rate(deployed: Mapping[str, Pair]) -> None:
    assert {name: pair.minutes for name, pair in deployed.items()} == {
        f"{place}-{pace}": minutes
        for place in PLACES
        for pace, minutes in (("fast", (60, 5)), ("slow", (360, 30)))
    }


def history(pair: Pair) -> list[tuple[int, float]]:
    """As much healthy traffic as the long window holds."""
    return [(BUSY, 0.0)] * pair.minutes[0]


@pytest.mark.parametrize("burn", [1.2, 2, 5, 1000], ids="{}-times-the-threshold".format)
def test_it_fires_within_the_workbooks_detection_time(pair: Pair, burn: float) -> None:
    rate = min(1.0, pair.threshold * burn)
    before = history(pair)
    expected = pair.detection(rate)
    traffic = Traffic([*before, *[(BUSY, rate)] * (int(expected) + SLACK + 1)])

    fired = states(pair, traffic).index(True) + 1 - len(before)

    assert expected <= fired + 1e-6
    assert fired <= expected + SLACK


def test_it_stays_silent_below_the_threshold(pair: Pair) -> None:
    rate = pair.threshold * 0.95
    traffic = Traffic([*history(pair), *[(BUSY, rate)] * (2 * pair.minutes[0])])

    assert not any(states(pair, traffic))


def test_a_burst_shorter_than_the_budget_allows_is_no_alarm(pair: Pair) -> None:
    """All requests fail, for half the time that the long window takes to see it."""
    minutes = int(pair.detection(1.0) / 2)
    rate = 1.0 if minutes else 0.4
    burst = [(BUSY, rate)] * max(1, minutes)
    traffic = Traffic([*history(pair), *burst, *history(pair)])

    assert not any(states(pair, traffic))


@pytest.mark.parametrize("health", [True, False], ids=["health checks alone", "nothing at all"])
def test_it_stays_silent_without_traffic(pair: Pair, health: bool) -> None:
    traffic = Traffic([(0, 0.0)] * (2 * pair.minutes[0]), health=health)

    assert not any(states(pair, traffic))


def test_it_stays_silent_on_a_handful_of_requests_even_if_all_fail(pair: Pair) -> None:
    now_and_then = [(1, 1.0), *[(0, 0.0)] * 4]
    traffic = Traffic(now_and_then * 5 + [(0, 0.0)] * pair.minutes[0])

    assert not any(states(pair, traffic))


def test_it_resets_with_the_short_window_once_the_errors_stop(pair: Pair) -> None:
    outage = [(BUSY, 1.0)] * (int(pair.detection(1.0)) + pair.minutes[1])
    after = [(BUSY, 0.0)] * (pair.minutes[1] + SLACK)
    traffic = Traffic([*history(pair), *outage, *after])

    found = states(pair, traffic)
    last = len(found) - len(after)

    assert found[last - 1], "it fired in the outage"
    assert not found[-1], "and is over soon after"
    # By then the long window alone would still be in alarm.
    verdict = alarms.evaluate(pair.long, traffic.fetch, traffic.length * MINUTE, ALARM)
    assert verdict.state == ALARM


def test_it_resets_when_nobody_comes_any_more(pair: Pair) -> None:
    outage = [(BUSY, 1.0)] * (int(pair.detection(1.0)) + pair.minutes[1])
    quiet = [(0, 0.0)] * (3 * pair.minutes[1] + SLACK)

    assert not states(pair, Traffic([*history(pair), *outage, *quiet]))[-1]


@settings(max_examples=25)
@given(share=st.floats(0.0, 0.95), requests=st.integers(100, 5000), length=st.integers(1, 200))
def test_no_mix_of_rates_below_the_threshold_fires(
    pair: Pair, share: float, requests: int, length: int
) -> None:
    rates = [share * pair.threshold, 0.0]
    minutes = [(requests, rates[at % 7 == 0]) for at in range(length)]

    assert not any(states(pair, Traffic(minutes)))
