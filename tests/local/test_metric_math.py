"""Metric math, by what AWS's page "Using math expressions with CloudWatch metrics" says."""

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.observability.metrics.metric_data import answering
from local.observability.metrics.metric_math import Grid, MathError, Scope, Series, evaluate, parse
from local.observability.metrics.queries import (
    MetricStat,
    Query,
    QueryError,
    metric_stat,
    period,
    read,
    results,
)
from local.observability.metrics.statistics import Summary, is_statistic, statistic
from local.patches.cloudwatch import DataRequest, RefusedError

MODULES = Path(__file__).parents[2] / "modules"
GRID = Grid((0, 60, 120, 180, 240), 60)
M1 = {60: 10.0, 180: 30.0}
M2 = {0: 7.0, 60: 5.0, 120: 8.0}
NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))


def computed(expression: str, **metrics: Series) -> Series:
    series = metrics or {"m1": M1, "m2": M2}

    def lookup(name: str) -> Series:
        if name not in series:
            raise MathError(f"no {name}")
        return series[name]

    return evaluate(expression, Scope(lookup, GRID))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", M1),
        (" m1 + 1 ", {60: 11, 180: 31}),
        ("100 - m1 / 2", {60: 95, 180: 85}),
        ("m1 + m2", {60: 15}),
        ("(m1 - 1) * 1e1", {60: 90, 180: 290}),
        ("m1 - 1 - 1", {60: 8, 180: 28}),
        ("m1 / (m2 - 5)", {}),
        ("m1 * 1e200 * 1e200", {}),
        ("m1 > 10", {60: 0, 180: 1}),
        ("m2 > m1", {60: 0}),
        ("m1 < 10.5", {60: 1, 180: 0}),
        ("m1 <= 10", {60: 1, 180: 0}),
        ("m1 >= 30", {60: 0, 180: 1}),
        ("m1 == 10", {60: 1, 180: 0}),
        ("m1 != 10", {60: 0, 180: 1}),
        ("SUM([m1, m2])", {0: 7, 60: 15, 120: 8, 180: 30}),
        ("SUM([m1])", M1),
        ("m1 - SUM([FILL(m2, 0)])", {60: 5, 180: 30}),
        ("IF(m1 > 15, 1, 0)", {60: 0, 180: 1}),
        ("IF(m1 < 15, m2, m1)", {60: 5, 180: 30}),
        ("IF(m1 < 15, m1, m2)", {60: 10}),
        ("IF(1 > 0, m1, m2)", M1),
        ("IF(0, m1, m2)", M2),
        ("IF(0, 1, m2)", M2),
        ("m1 + IF(1, 2, m2)", {60: 12, 180: 32}),
        ("m1 / 0", {}),
        ("FILL(m1, .5)", {0: 0.5, 60: 10, 120: 0.5, 180: 30, 240: 0.5}),
        ("FILL(m1, 0)", {0: 0, 60: 10, 120: 0, 180: 30, 240: 0}),
        ("SUM([FILL(m1, 0), FILL(m2, 0)])", {0: 7, 60: 15, 120: 8, 180: 30, 240: 0}),
    ],
)
def test_an_expression_gives_what_aws_documents(expression: str, expected: Series) -> None:
    assert computed(expression) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "can't be read"),
        ("m1 +", "can't be read"),
        ("m1 m2", "can't be read"),
        ("(m1", "never closed"),
        ("m1 ? 2", "can't be read"),
        ("m1 > 1 AND m2 > 1", "AND, OR, && and || are not emulated"),
        ("Errors / 2", "'Errors' is no id"),
        ("SEARCH('{AWS/Lambda}', 'Sum', 60)", "The function SEARCH is not emulated"),
        ("SUM(METRICS())", "The function METRICS is not emulated"),
        ("RATE(m1)", "RATE is not emulated; there are: FILL, IF, SUM"),
        ("FILL(m1, REPEAT)", "'REPEAT' is no id"),
        ("m1 + 'x'", "''x'' is not emulated"),
        ("-m1", "'-m1' is not emulated"),
        ("m1 ^ 2", "'m1 ^ 2' is not emulated"),
        ("(" * 60 + "m1 + 1" + " + 1)" * 60, "too deeply"),
        ("(" * 1000 + "m1" + ")" * 1000, "can't be read"),
        ("m1 + 1" * 2000, "at most 2048"),
        # Python's, and nobody's in CloudWatch.
        ("m1 // 2", "'m1 // 2' is not emulated"),
        ("m1 ** 2", "not emulated"),
        ("0 < m1 < 2", "not emulated"),
        ("m1 if m2 else 1", "not emulated"),
        ("m1.real", "not emulated"),
        ("m1[0]", "not emulated"),
        ("FILL(m1, value=0)", "not emulated"),
        ("FILL(m1, *m2)", "not emulated"),
        ("(lambda: m1)()", "not emulated"),
        ("m1 + True", "not emulated"),
        ("m1 + 0x10", "'0x10' is not emulated"),
        ("m1 + 1_000", "'1_000' is not emulated"),
        ("m1 # + 1", "without '#'"),
        ("\uff4d1", "ASCII"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(expression: str, message: str) -> None:
    with pytest.raises(MathError, match=re.escape(message)):
        parse(expression)


@pytest.mark.parametrize(("levels", "taken"), [(49, True), (50, False)])
def test_an_expression_may_be_fifty_levels_deep(levels: int, *, taken: bool) -> None:
    with contextlib.nullcontext() if taken else pytest.raises(MathError, match="too deeply"):
        parse("m1" + " + 1" * levels)


@pytest.mark.parametrize(("length", "taken"), [(2048, True), (2049, False)])
def test_an_expression_may_have_2048_characters(length: int, *, taken: bool) -> None:
    """MetricDataQuery, Expression."""
    with contextlib.nullcontext() if taken else pytest.raises(MathError, match="at most 2048"):
        parse("m1".ljust(length))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 + 1", "a single value"),
        ("[m1, m2]", "an array"),
        ("SUM([m1, 1])", "takes time series"),
        ("[m1, m2] + 1", "takes time series"),
        ("SUM(m1)", "SUM of anything but one array is not emulated"),
        ("SUM([m1], [m2])", "SUM of anything but one array is not emulated"),
        ("IF(m1 > 1, m1)", "IF takes a condition and two values"),
        ("FILL(m1, m2)", "another filler is not emulated"),
        ("FILL(1, 1)", "FILL takes time series"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused(expression: str, message: str) -> None:
    with pytest.raises(MathError, match=re.escape(message)):
        computed(expression)


def test_every_expression_of_the_modules_is_emulated() -> None:
    text = "".join(file.read_text() for file in sorted(MODULES.glob("*/*.tf")))
    part = r"\$\{(?:[^{}]|\{[^{}]*\})*\}"
    found = re.findall(rf'\b(?:expression|user_\w+)\s*=\s*"((?:{part}|[^"$])+)"', text)

    assert len(found) > 10
    for expression in found:
        parse(re.sub(part, "1", expression))


@given(
    st.dictionaries(st.sampled_from(GRID.times), NUMBERS),
    st.dictionaries(st.sampled_from(GRID.times), NUMBERS),
)
def test_arithmetic_has_a_point_where_both_have_one_and_an_array_where_either(
    left: dict[int, float], right: dict[int, float]
) -> None:
    summed = computed("a + b", a=left, b=right)
    assert summed == {t: left[t] + right[t] for t in left.keys() & right.keys()}
    assert computed("SUM([a, b])", a=left, b=right).keys() == left.keys() | right.keys()
    assert computed("FILL(a, 0) + FILL(b, 0)", a=left, b=right).keys() == set(GRID.times)


@given(st.text("m1+-*/()[],<>=& .AND'", max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with contextlib.suppress(MathError):
        computed(text)


def metric(query_id: str, **more: object) -> dict[str, object]:
    stat = {"Metric": {"Namespace": "N", "MetricName": query_id}, "Period": 60, "Stat": "Sum"}
    return {"Id": query_id, "MetricStat": stat, **more}


def fetch(stat: MetricStat, _grid: Grid) -> Series:
    return {"m1": M1, "m2": M2}[stat.name]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Sum", True), ("p0", True), ("p9", True), ("p99", True), ("p99.9", True), ("p100", True),
        ("p101", False), ("p", False), ("p100.1", False), ("sum", False), ("TM(1%:99%)", False),
    ],
)  # fmt: skip
def test_a_statistic_is_known_by_its_name(name: str, *, known: bool) -> None:
    assert is_statistic(name) is known


def test_a_query_is_read_with_awss_defaults() -> None:
    """MetricDataQuery: Label and ReturnData; MetricStat."""
    named = {"Namespace": "N", "MetricName": "Errors"}
    sides = [{"Name": name, "Value": "v"} for name in ("b", "a")]
    (first, second, third) = read(
        [
            {"Id": "m1", "MetricStat": {"Metric": {**named, "Dimensions": sides}}},
            {"Id": "e1", "Expression": "m1 * 2", "ReturnData": False},
            metric("m2", Label="mine"),
        ]
    )
    dimensions = (("a", "v"), ("b", "v"))
    stat = MetricStat("N", "Errors", dimensions, "Average", 60)
    assert first == Query("m1", "Errors", stat, None, returned=True)
    assert second == Query("e1", "e1", None, "m1 * 2", returned=False)
    assert (third.label, third.returned) == ("mine", True)


@pytest.mark.parametrize(("periods", "longest"), [((60, 300, 120), 300), ((), 60)])
def test_the_period_of_a_result_is_the_longest_of_its_metrics(
    periods: tuple[int, ...], longest: int
) -> None:
    stats = [MetricStat("N", "m", (), "Sum", seconds) for seconds in periods]
    queries = [Query("m", "m", stat, None, returned=True) for stat in stats]
    queries.append(Query("e", "e", None, "1", returned=True))
    assert period(queries) == longest


def test_an_expression_is_computed_over_the_longest_period_and_each_metric_over_its_own() -> None:
    asked: dict[str, int] = {}

    def noted(stat: MetricStat, grid: Grid) -> Series:
        asked[stat.name] = grid.period
        return dict.fromkeys(grid.times, 1.0)

    def grid(seconds: int) -> Grid:
        return Grid(tuple(range(0, 600, seconds)), seconds)

    documents: list[dict[str, Any]] = [metric("m1"), metric("m2"), {"Id": "e", "Expression": ""}]
    documents[1]["MetricStat"]["Period"] = 300
    documents[2]["Expression"] = "FILL(m2, 0)"
    found = results(read(documents), grid, noted)

    assert asked == {"m1": 60, "m2": 300}
    assert found["e"] == {0: 1, 300: 1}


@pytest.mark.parametrize(
    ("seconds", "taken"), [(60, True), (120, True), (90, False), (1, False), (-60, False)]
)
def test_a_period_is_a_multiple_of_a_minute(seconds: int, *, taken: bool) -> None:
    with contextlib.nullcontext() if taken else pytest.raises(QueryError, match="multiple of 60"):
        assert metric_stat({}, "Sum", seconds).period == seconds


def request(start: float | None, end: float | None, *, newest_first: bool = False) -> DataRequest:
    return DataRequest([metric("m1"), metric("m2", ReturnData=False)], start, end, newest_first)


def every_minute(_stat: MetricStat, grid: Grid) -> Series:
    return {time: time / 60 for time in grid.times}


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [(60, 180, [1, 2]), (119.9, 120.1, [1, 2]), (60, 180.5, [1, 2, 3]), (60, 61, [1])],
)
def test_data_begins_with_the_whole_minute_of_the_start_and_ends_before_the_end(
    start: float, end: float, minutes: list[float]
) -> None:
    """GetMetricData, StartTime and EndTime."""
    (only,) = answering(every_minute)(request(start, end))
    assert (only.id, only.label) == ("m1", "m1")
    assert [value for _, value in only.points] == minutes
    (turned,) = answering(every_minute)(request(start, end, newest_first=True))
    assert turned.points == only.points[::-1]


@pytest.mark.parametrize(
    ("start", "end"), [(None, 60), (60, None), (60, 60), (61, 60), (0, 60 * 100_801)]
)
def test_a_request_without_a_time_between_or_with_too_much_of_it_is_refused(
    start: float | None, end: float | None
) -> None:
    with pytest.raises(RefusedError, match=r"must be less than|more than 100800 data points"):
        answering(every_minute)(request(start, end))


def test_a_request_may_ask_for_100_800_data_points() -> None:
    (only,) = answering(every_minute)(request(0, 60 * 100_800))
    assert len(only.points) == 100_800


def test_expressions_build_on_each_other_in_any_order() -> None:
    queries = read(
        [
            {"Id": "e1", "Expression": "e2 * 2"},
            {"Id": "e2", "Expression": "SUM([m1, m2])"},
            metric("m1"),
            metric("m2"),
        ]
    )

    found = results(queries, lambda _period: GRID, fetch)

    assert found["e1"] == {0: 14, 60: 30, 120: 16, 180: 60}


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([metric("m1"), metric("m1")], "unique"),
        ([{"Id": "E1", "Expression": "1"}], "lower-case"),
        ([{"Id": "e1"}], "either MetricStat or Expression"),
        ([{"Id": "e1", "Expression": "m9 + 1"}], "no query m9"),
        ([{"Id": "e1", "Expression": "1 +"}], "Error in expression 'e1'"),
        ([{"Id": "e1", "Expression": "e2"}, {"Id": "e2", "Expression": "e1"}], "needs itself"),
    ],
)
def test_queries_that_cannot_be_answered_are_refused(
    documents: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        results(read(documents), lambda _period: GRID, fetch)


def summary(*values: float) -> Summary:
    made = Summary()
    for value in values:
        made.add(1, value, value, value)
    return made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 4),
        ("Sum", 100),
        ("Average", 25),
        ("Minimum", 10),
        ("Maximum", 40),
        ("p0", 10),
        ("p50", 25),
        ("p90", 37),
        ("p100", 40),
    ],
)
def test_a_statistic_spans_several_time_slots(name: str, expected: float) -> None:
    assert statistic(name, [summary(40, 10), summary(20, 30)]) == pytest.approx(expected)


def test_a_percentile_of_a_statistic_set_is_unknown() -> None:
    made = summary(1)
    made.add(10, 55, 1, 10)

    assert statistic("p99", [made]) is None
    assert statistic("Sum", [made]) == 56
    assert statistic("Sum", []) is None


@given(st.lists(NUMBERS, min_size=1, max_size=50), st.integers(0, 100))
def test_a_percentile_lies_among_the_values_and_equal_slots_change_nothing(
    values: list[float], percent: int
) -> None:
    whole = statistic(f"p{percent}", [summary(*values)])
    parts = statistic(f"p{percent}", [summary(*values[::2]), summary(*values[1::2])])

    assert whole is not None
    assert whole == parts
    assert min(values) <= whole <= max(values) or whole == pytest.approx(min(values))
