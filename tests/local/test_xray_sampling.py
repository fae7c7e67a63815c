"""The tracing header and sampling rules, without an emulator.

Cases from docs.aws.amazon.com/apigateway/latest/developerguide/
apigateway-configuring-xray-sampling-rules.html and docs.aws.amazon.com/xray/latest/devguide/
xray-console-sampling.html.
"""

from typing import Any

import pytest

from local.observability.traces import header
from local.observability.traces.sampling import Candidate, Rule, Sampler, matching, rule_of

CANDIDATE = Candidate(
    service_name="pets/test",
    service_type="AWS::ApiGateway::Stage",
    host="api.example.com",
    method="GET",
    url_path="/v1/items",
    resource_arn="arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5/stages/test",
    headers={"content-type": "application/json"},
)
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


def rule(name: str = "r", priority: int = 1, **matched: Any) -> Rule:
    return Rule(name, priority, reservoir=0, rate=0.0, **matched)


@pytest.mark.parametrize(
    "matched",
    [
        {},
        {"service_name": "pets/*"},
        {"service_type": "AWS::ApiGateway::*"},
        {"host": "*.example.com"},
        {"method": "get"},
        {"url_path": "/v?/items"},
        {"url_path": "/v1/*"},
        {"resource_arn": "arn:aws:apigateway:*/a1b2c3d4e5/stages/test"},
        {"attributes": {"Content-Type": "application/*"}},
    ],
)
def test_a_rule_matches_by_every_field_with_wildcards(matched: dict[str, Any]) -> None:
    assert rule(**matched).matches(CANDIDATE)


@pytest.mark.parametrize(
    "matched",
    [
        {"service_name": "pets"},
        {"service_type": "AWS::Lambda::Function"},
        {"host": "example.com"},
        {"method": "POST"},
        {"url_path": "/health*"},
        {"url_path": "/v1/item."},
        {"resource_arn": "*/stages/live"},
        {"attributes": {"Content-Type": "text/html"}},
        {"attributes": {"X-Missing": "?*"}},
        {"host": "api.example.com", "method": "PUT"},
    ],
)
def test_a_rule_matches_nothing_that_one_field_denies(matched: dict[str, Any]) -> None:
    assert not rule(**matched).matches(CANDIDATE)


def test_the_first_rule_by_priority_decides() -> None:
    rules = [
        rule("Default", 10000),
        rule("items", 20, url_path="/v1/*"),
        rule("health", 10, url_path="/health*"),
    ]
    assert matching(rules, CANDIDATE) == rules[1]
    assert matching(rules[:1], CANDIDATE) == rules[0]
    assert matching(rules[2:], CANDIDATE) is None


def test_a_rule_is_read_as_the_api_tells_it() -> None:
    document = {
        "RuleName": "items",
        "Priority": 5,
        "ReservoirSize": 2,
        "FixedRate": 0.1,
        "ServiceName": "a",
        "ServiceType": "b",
        "Host": "c",
        "HTTPMethod": "d",
        "URLPath": "e",
        "ResourceARN": "f",
        "Attributes": {"g": "h"},
    }
    assert rule_of(document) == Rule("items", 5, 2, 0.1, "a", "b", "c", "d", "e", "f", {"g": "h"})


def test_a_reservoir_is_filled_every_second_and_the_rate_is_for_what_is_beyond() -> None:
    chances = iter([0.04, 0.06])
    sampler = Sampler(lambda: next(chances))

    def picks(now: float, name: str = "items") -> bool:
        return sampler.picks(name, reservoir=2, rate=0.05, now=now)

    assert [picks(10.0), picks(10.9)] == [True, True]
    assert [picks(10.95), picks(10.99)] == [True, False]
    assert picks(11.0)
    assert picks(11.0, "other")


def test_a_rate_of_zero_picks_nothing_and_of_one_everything() -> None:
    assert not Sampler(lambda: 0.0).picks("none", 0, 0.0, 1.0)
    assert Sampler(lambda: 0.999).picks("all", 0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "parent", "sampled"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=1", PARENT, True),
        (f"Root={ROOT}; Parent={PARENT}; Sampled=0", PARENT, False),
        (f"Self=1-1-1;Root={ROOT};Lineage=1:a:0", None, None),
        (f"Root={ROOT};Sampled=?", None, None),
        (f"Root={ROOT};Parent=no-id;Sampled=1", None, True),
    ],
)
def test_a_header_is_taken_up(text: str, parent: str | None, sampled: bool | None) -> None:
    assert header.read(text) == header.TraceHeader(ROOT, parent, sampled)


@pytest.mark.parametrize("text", [None, "", "nonsense", "Root=1-2-3;Parent=53995c3f42cd8ad8"])
def test_a_trace_begins_where_no_root_can_be_read(text: str | None) -> None:
    begun = header.read(text)
    assert begun.parent is None
    assert header.read(str(begun)) == begun
    assert begun != header.read(text)


def test_a_header_is_sent_with_what_is_known() -> None:
    assert str(header.TraceHeader(ROOT)) == f"Root={ROOT}"
    below = header.TraceHeader(ROOT, None, sampled=False).below(PARENT)
    assert str(below) == f"Root={ROOT};Parent={PARENT};Sampled=0"
