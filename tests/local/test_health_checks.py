"""The rules of health checks.

Each section names the page of Route 53's Developer Guide
(docs.aws.amazon.com/Route53/latest/DeveloperGuide/<page>.html) or API Reference it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from local.dns.health import checks as rules
from local.dns.health.checks import CheckerState, HealthCheck

GOOD, BAD = CheckerState(True), CheckerState(False)
ENDPOINT = HealthCheck("endpoint", "HTTPS", fqdn="us-east-1.example.com", port=443)


def after(results: str, threshold: int, start: CheckerState = GOOD) -> bool:
    """Feed results, + passed and - failed, to a checker and return its verdict."""
    state = start
    for result in results:
        state = rules.observe(state, passed=result == "+", threshold=threshold)
    return state.healthy


def healthy(
    check_id: str,
    checks: Sequence[HealthCheck],
    states: Mapping[str, Sequence[CheckerState]] | None = None,
) -> bool:
    by_id = {check.id: check for check in checks}
    return rules.is_healthy(check_id, by_id, lambda asked: (states or {}).get(asked, ()))


@pytest.mark.parametrize(
    ("results", "threshold", "verdict"),
    [
        ("", 3, True),
        ("--", 3, True),
        ("---", 3, False),
        ("--+--", 3, True),
        ("---++", 3, False),
        ("---+++", 3, True),
        ("---++-+++", 3, True),
        ("---++-++", 3, False),
        ("-", 1, False),
        ("-+", 1, True),
        ("---------", 10, True),
        ("----------", 10, False),
    ],
)
def test_a_verdict_turns_after_as_many_results_in_a_row(
    results: str, threshold: int, *, verdict: bool
) -> None:
    assert after(results, threshold) is verdict


def test_results_before_a_threshold_was_lowered_still_count() -> None:
    state = rules.observe(rules.observe(GOOD, passed=False, threshold=5), passed=False, threshold=5)
    assert not rules.observe(state, passed=False, threshold=3).healthy


@pytest.mark.parametrize(
    ("good", "of", "verdict"),
    [
        (0, 3, False),
        (1, 3, True),
        (1, 6, False),
        (1, 5, True),
        (18, 100, False),
        (19, 100, True),
        (9, 50, False),
        (16, 16, True),
    ],
)
def test_more_than_18_percent_of_the_checkers_make_it_healthy(
    good: int, of: int, *, verdict: bool
) -> None:
    assert rules.endpoint_healthy([GOOD] * good + [BAD] * (of - good)) is verdict


def test_a_new_check_is_healthy_until_there_is_data() -> None:
    assert healthy("endpoint", [ENDPOINT])


def test_a_new_inverted_check_is_unhealthy_until_there_is_data() -> None:
    assert not healthy("endpoint", [replace(ENDPOINT, inverted=True)])


@pytest.mark.parametrize(
    ("code", "passes"),
    [(199, False), (200, True), (204, True), (301, True), (399, True), (400, False), (503, False)],
)
def test_codes_from_200_to_399_pass(code: int, *, passes: bool) -> None:
    assert rules.status_passes(code) is passes


def test_the_timeouts_are_awss() -> None:
    assert (rules.CONNECT_SECONDS, rules.ANSWER_SECONDS) == (4, 2)


@pytest.mark.parametrize(
    ("disabled", "inverted", "states", "verdict"),
    [
        (False, False, [BAD], False),
        (False, True, [BAD], True),
        (False, True, [GOOD], False),
        (True, False, [BAD], True),
        (True, True, [BAD], False),
        (True, True, [GOOD], False),
    ],
)
def test_a_disabled_check_is_healthy_unless_inverted(
    states: list[CheckerState], *, disabled: bool, inverted: bool, verdict: bool
) -> None:
    check = replace(ENDPOINT, disabled=disabled, inverted=inverted)
    assert healthy("endpoint", [check], {"endpoint": states}) is verdict


def calculated(*children: str, threshold: int, inverted: bool = False) -> HealthCheck:
    return HealthCheck(
        "parent", "CALCULATED", children=children, health_threshold=threshold, inverted=inverted
    )


A, B, C = (replace(ENDPOINT, id=name) for name in "abc")


@pytest.mark.parametrize(
    ("threshold", "bad", "verdict"),
    [
        (2, "", True),
        (2, "a", True),
        (2, "ab", False),
        (3, "a", False),
        (4, "", False),
        (0, "abc", True),
        (1, "ab", True),
        (1, "abc", False),
    ],
)
def test_enough_healthy_children_make_the_parent_healthy(
    threshold: int, bad: str, *, verdict: bool
) -> None:
    parent = calculated("a", "b", "c", threshold=threshold)
    states = {name: [BAD if name in bad else GOOD] for name in "abc"}
    assert healthy("parent", [parent, A, B, C], states) is verdict


@pytest.mark.parametrize(
    ("ready", "takeover", "serves"),
    [(True, False, True), (False, False, False), (True, True, False), (False, True, False)],
)
def test_ready_and_not_taken_over(*, ready: bool, takeover: bool, serves: bool) -> None:
    """The primary's check of this project: both of its children, the second one inverted."""
    parent = calculated("a", "b", threshold=2)
    states = {"a": [GOOD if ready else BAD], "b": [GOOD if takeover else BAD]}
    assert healthy("parent", [parent, A, replace(B, inverted=True)], states) is serves


def test_a_parent_may_be_inverted() -> None:
    parent = calculated("a", threshold=1, inverted=True)
    assert not healthy("parent", [parent, A], {"a": [GOOD]})


def test_a_parent_may_have_parents() -> None:
    grand = replace(calculated("parent", threshold=1), id="grand")
    assert not healthy("grand", [grand, calculated("a", threshold=1), A], {"a": [BAD]})


def test_a_disabled_child_counts_as_healthy() -> None:
    parent = calculated("a", threshold=1)
    assert healthy("parent", [parent, replace(A, disabled=True)], {"a": [BAD]})


def test_parents_in_a_circle_come_to_an_end() -> None:
    assert healthy("parent", [calculated("parent", threshold=1)])


@pytest.mark.parametrize(("port", "header"), [(443, "a.test"), (8443, "a.test:8443")])
def test_the_host_header_names_a_port_that_is_not_the_protocols(port: int, header: str) -> None:
    assert HealthCheck("x", "HTTPS", fqdn="a.test", port=port).host_header == header


def test_a_missing_slash_is_added() -> None:
    assert HealthCheck("x", "HTTPS", path="ready").request_path == "/ready"


def test_the_interval_runs_from_the_response() -> None:
    assert rules.next_request(100.0, 101.5, 10) == 111.5


def test_without_a_response_the_interval_runs_from_the_request() -> None:
    assert rules.next_request(100.0, None, 10) == 110.0


def test_checkers_are_spread_over_the_interval() -> None:
    assert [rules.first_request(n, 3, 30) for n in range(3)] == [0, 10, 20]


def test_a_configuration_is_read_with_awss_defaults() -> None:
    """API Reference, HealthCheckConfig."""
    assert rules.health_check("x", {"Type": "HTTPS"}) == HealthCheck(
        id="x",
        type="HTTPS",
        fqdn="",
        port=443,
        path="/",
        interval=30,
        failure_threshold=3,
        enable_sni=True,
        inverted=False,
        disabled=False,
        children=(),
        health_threshold=0,
        regions=(),
    )


def test_every_member_of_a_configuration_is_read() -> None:
    document = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": "a.test",
        "Port": 8443,
        "ResourcePath": "/ready",
        "RequestInterval": 10,
        "FailureThreshold": 2,
        "EnableSNI": False,
        "Inverted": True,
        "Disabled": True,
        "ChildHealthChecks": ["a", None, "b"],
        "HealthThreshold": 1,
        "Regions": ["eu-west-1", None],
    }
    expected = HealthCheck(
        "x", "HTTPS", "a.test", 8443, "/ready", 10, 2, False, True, True,
        ("a", "b"), 1, ("eu-west-1",),
    )  # fmt: skip
    assert rules.health_check("x", document) == expected


def test_checkers_stand_in_awss_eight_regions() -> None:
    """API Reference, HealthCheckConfig, Regions."""
    assert rules.CHECKER_REGIONS == (
        "us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1",
        "us-west-1", "ap-northeast-1", "ap-southeast-2", "sa-east-1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"Type": "HTTPS"}, ""),
        ({"Type": "CALCULATED"}, ""),
        ({}, ""),
        ({"Type": "TCP"}, "health checks of type TCP"),
        ({"IPAddress": "192.0.2.1"}, "IPAddress of a health check"),
        ({"Type": "HTTPS", "SearchString": "x"}, "SearchString of a health check"),
        ({"MeasureLatency": True}, "MeasureLatency of a health check"),
        ({"MeasureLatency": False}, ""),
        ({"AlarmIdentifier": {"Name": "x"}}, "AlarmIdentifier of a health check"),
    ],
)
def test_what_of_a_configuration_is_not_emulated_is_named(
    document: dict[str, object], what: str
) -> None:
    assert rules.not_emulated(document) == what


@pytest.mark.parametrize(
    "change",
    [
        {"fqdn": "other.example.com"},
        {"port": 8443},
        {"path": "/other"},
        {"interval": 10},
        {"enable_sni": False},
        {"regions": ("eu-west-1",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_endpoint_or_pace_is_another_place_to_ask(change: dict[str, object]) -> None:
    assert not ENDPOINT.same_endpoint(replace(ENDPOINT, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"inverted": True}, {"failure_threshold": 9}, {"disabled": True}, {"health_threshold": 1}],
    ids=lambda change: next(iter(change)),
)
def test_another_reading_of_the_answers_is_not(change: dict[str, object]) -> None:
    assert ENDPOINT.same_endpoint(replace(ENDPOINT, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "probes"),
    [
        (ENDPOINT, True),
        (replace(ENDPOINT, disabled=True), False),
        (replace(ENDPOINT, type="CALCULATED"), False),
    ],
)
def test_an_endpoint_that_is_not_disabled_is_asked(check: HealthCheck, *, probes: bool) -> None:
    assert check.probes is probes


def test_a_check_that_is_not_there_counts_as_healthy() -> None:
    parent = calculated("gone", threshold=1)
    assert healthy("gone", [])
    assert healthy("parent", [parent])


def points(check: HealthCheck, states: Mapping[str, Sequence[CheckerState]]) -> dict[str, float]:
    known = {each.id: each for each in (check, A, B)}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = rules.metrics_of(check, known, lambda asked: states.get(asked, ()), at)
    units = {"HealthCheckStatus": "None", "HealthCheckPercentageHealthy": "Percent"}
    assert all((each.health_check_id, each.at) == (check.id, at) for each in made)
    assert all(each.unit == units[each.name] for each in made)
    return {metric.name: metric.value for metric in made}


def test_an_endpoints_metrics() -> None:
    assert points(A, {"a": [GOOD, BAD]}) == {
        "HealthCheckStatus": 1,
        "HealthCheckPercentageHealthy": 50,
    }


def test_a_disabled_checks_share_of_checkers_is_not_there() -> None:
    assert points(replace(A, disabled=True), {}) == {"HealthCheckStatus": 1}


def test_a_calculated_checks_metric() -> None:
    parent = calculated("a", "b", threshold=2)
    assert points(parent, {"a": [BAD], "b": [GOOD]}) == {"HealthCheckStatus": 0}
