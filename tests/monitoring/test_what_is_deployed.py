"""No dashboard, alarm or saved query that is deployed looks at what isn't there; nor a runbook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from dashboards import body as bodies
from local.observability.alarms.evaluation import read
from project.paths import TREE
from tests.monitoring import catalogue, places
from tests.monitoring.named import Named, by_alarm, by_dashboard
from tests.monitoring.places import Place
from tests.support import log_queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Where an alarm's description says what to do.
RUNBOOK = re.compile(r"docs/runbooks/([\w-]+\.md)(?:#([\w-]+))?")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ALARM_IN_A_RULE = re.compile(r'ALARM\("?([^")]+)"?\)')
# PutMetricAlarm, Metrics: no alarm takes more.
MAX_METRICS = 10
LEFT_TO_INDEXES = {"ReadThrottleEvents", "WriteThrottleEvents"}

Document = dict[str, Any]


@pytest.fixture(scope="module")
def name(by_region: Mapping[str, Place]) -> str:
    """What every name of the deployment begins with."""
    (name,) = {place.name for place in by_region.values()}
    return name


@pytest.fixture(scope="module")
def metric_alarms(by_region: Mapping[str, Place]) -> list[tuple[str, Document]]:
    """(Region, alarm) of this deployment's, and there are some."""
    found = [
        (place.region, one) for place in by_region.values() for one in _alarms(place, "Metric")
    ]
    assert {region for region, _ in found} == by_region.keys()
    return found


@pytest.fixture(scope="module")
def paging_alarms(by_region: Mapping[str, Place]) -> list[tuple[str, Document]]:
    """(Region, composite alarm that notifies somebody)."""
    found = [
        (place.region, one)
        for place in by_region.values()
        for one in _alarms(place, "Composite")
        if one["AlarmActions"]
    ]
    assert {region for region, _ in found} == by_region.keys()
    return found


def _alarms(place: Place, kind: str) -> list[Document]:
    pages = place.client("cloudwatch").get_paginator("describe_alarms")
    types = [f"{kind}Alarm"]
    return [
        one
        for page in pages.paginate(AlarmNamePrefix=place.name, AlarmTypes=types)
        for one in page[f"{kind}Alarms"]
    ]


@pytest.fixture(scope="module")
def dashboards(by_region: Mapping[str, Place]) -> Mapping[str, str]:
    """Name → body; one for each Region and one for all, and a dashboard is in every Region."""
    (place, *_) = by_region.values()
    client = place.client("cloudwatch")
    listed = client.list_dashboards(DashboardNamePrefix=place.name)["DashboardEntries"]
    names = [entry["DashboardName"] for entry in listed]
    assert len(names) > len(by_region)
    return {name: client.get_dashboard(DashboardName=name)["DashboardBody"] for name in names}


@pytest.fixture(scope="module")
def named(metric_alarms: list[tuple[str, Document]], dashboards: Mapping[str, str]) -> list[Named]:
    """Every metric that an alarm or a dashboard looks at."""
    drawn = [one for name in dashboards for one in by_dashboard(name, dashboards[name])]
    watched = [one for region, alarm in metric_alarms for one in by_alarm(alarm, region)]
    assert drawn
    return [*watched, *drawn]


def test_every_metric_is_one_that_aws_publishes(named: list[Named], name: str) -> None:
    known = catalogue.read(name)
    assert [each for one in named for each in catalogue.complaints(one, known)] == []


def test_every_dimension_names_something_that_is_deployed(
    named: list[Named], by_region: Mapping[str, Place], name: str
) -> None:
    own = {
        region: {
            **place.values,
            (name, "service"): {"items"},
            (name, "region"): {region},
        }
        for region, place in by_region.items()
    }
    found = [each for one in named for each in places.complaints(one, own.get(one.region, {}))]
    assert found == []


def test_every_route_is_drawn_for_its_region(
    dashboards: Mapping[str, str], by_region: Mapping[str, Place]
) -> None:
    drawn = {
        (one.region, dimensions["Resource"], dimensions["Method"])
        for name, body in dashboards.items()
        for one in by_dashboard(name, body)
        if "Method" in (dimensions := dict(one.dimensions))
    }
    expected = {(region, *route) for region in by_region for route in places.routes()}
    assert expected - drawn == set()


def test_every_widget_is_drawn(dashboards: Mapping[str, str]) -> None:
    """What `make dashboard` knows of a widget is what the modules make of one."""
    contents = [widget.content for body in dashboards.values() for widget in bodies.read(body)]
    assert any(isinstance(content, bodies.Graph) for content in contents)
    assert [content for content in contents if isinstance(content, bodies.NotDrawn)] == []


def test_no_alarm_has_more_metrics_than_aws_takes(
    metric_alarms: list[tuple[str, Document]],
) -> None:
    sizes = {alarm["AlarmName"]: len(read(alarm).queries) for _, alarm in metric_alarms}
    # The expression that is watched is no metric.
    assert {name: size for name, size in sizes.items() if size > MAX_METRICS + 1} == {}


def test_an_alarm_on_a_tables_throttles_looks_at_its_indexes_too(
    metric_alarms: list[tuple[str, Document]], by_region: Mapping[str, Place]
) -> None:
    """By TableName alone these metrics leave the indexes out (DynamoDB, metrics-dimensions)."""
    watched = {
        (region, alarm["AlarmName"]): found
        for region, alarm in metric_alarms
        if (found := [one for one in by_alarm(alarm, region) if one.name in LEFT_TO_INDEXES])
    }
    assert {region for region, _ in watched} == by_region.keys()
    for (region, name), metrics in watched.items():
        assert {one.name for one in metrics} == LEFT_TO_INDEXES, name
        for each in LEFT_TO_INDEXES:
            indexes = {
                dict(one.dimensions).get("GlobalSecondaryIndexName")
                for one in metrics
                if one.name == each
            }
            # None is the table itself.
            assert indexes == {None, *by_region[region].indexes}, (name, each)


def _queries(
    by_region: Mapping[str, Place],
) -> Iterator[tuple[str, str, list[str], str]]:
    """(what, Region, log groups, query) of every saved query."""
    for region, place in by_region.items():
        answer = place.client("logs").describe_query_definitions(
            queryDefinitionNamePrefix=place.name
        )
        for one in answer["queryDefinitions"]:
            yield one["name"], region, one["logGroupNames"], one["queryString"]


def test_every_query_asks_log_groups_that_are_there_for_fields_that_they_have(
    by_region: Mapping[str, Place],
) -> None:
    asked = list(_queries(by_region))
    assert {region for _, region, _, _ in asked} == by_region.keys()
    for what, region, groups, query in asked:
        known = by_region[region].log_fields
        assert set(groups) <= known.keys(), what
        there = log_queries.GENERATED.union(*(known[group] for group in groups))
        assert log_queries.fields(query) - there == set(), what


def _runbook(alarm: Document) -> tuple[str, str]:
    """(file, fragment) of the page that the alarm's description names; it names one."""
    ((file, fragment),) = RUNBOOK.findall(alarm.get("AlarmDescription", "")) or [("", "")]
    return file, fragment


def _anchors(file: str) -> set[str]:
    page = TREE.root / "docs" / "runbooks" / file
    headings = HEADING.findall(page.read_text()) if page.is_file() else []
    slugs = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
    return {"", *slugs} if headings else set()


def test_every_alarm_names_a_runbook_that_is_there(
    metric_alarms: list[tuple[str, Document]], paging_alarms: list[tuple[str, Document]]
) -> None:
    named = {one["AlarmName"]: _runbook(one) for _, one in (*metric_alarms, *paging_alarms)}
    missing = {name: page for name, page in named.items() if page[1] not in _anchors(page[0])}
    assert missing == {}


def test_what_pages_has_a_page_of_its_own(
    metric_alarms: list[tuple[str, Document]], paging_alarms: list[tuple[str, Document]]
) -> None:
    parts = {name for _, one in paging_alarms for name in ALARM_IN_A_RULE.findall(one["AlarmRule"])}
    non_paging = [one for _, one in metric_alarms if one["AlarmName"] not in parts]
    shared = {_runbook(one)[0] for one in non_paging} & {
        _runbook(one)[0] for _, one in paging_alarms
    }
    assert shared == set()


def test_a_part_of_a_page_notifies_nobody_by_itself(
    metric_alarms: list[tuple[str, Document]], paging_alarms: list[tuple[str, Document]]
) -> None:
    parts = {name for _, one in paging_alarms for name in ALARM_IN_A_RULE.findall(one["AlarmRule"])}
    notifying = {one["AlarmName"] for _, one in metric_alarms if one.get("AlarmActions")}
    known = {one["AlarmName"] for _, one in metric_alarms}
    assert parts <= known
    assert parts & notifying == set()
