"""CloudFront Functions at the edge: what one sees, may do, and chooses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core import cloudfront_js

from local.edge import functions
from local.patches.cloudfront import FunctionError, OriginGroup
from project.paths import TREE
from tests.local.global_layer import API, GlobalLayer
from tests.support.emulator import DOMAIN, REGIONS

# A Region's answer under the fault `error`; a function that fails is a 503 as well, of the edge's.
UNAVAILABLE = {"message": "Service Unavailable"}
DEPLOYED = TREE.root / "modules" / "edge" / "functions" / "viewer_request.js"
PASSES_ON = "function handler(event) { return event.request; }"
GROUP = """
import cf from 'cloudfront';
function handler(event) {
  cf.createRequestOriginGroup({
    originIds: [{ originId: 'a' }, { originId: 'b' }],
    failoverCriteria: { statusCodes: [503, 504] },
  });
  return event.request;
}
"""


def event(**headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): {"value": value} for name, value in headers.items()}
    return {"request": {"method": "GET", "uri": "/", "headers": named}}


def test_ministack_still_needs_the_helpers_for_origins() -> None:
    """And an engine: its own is Node, which a machine may not have."""
    assert "createRequestOriginGroup" not in cloudfront_js._WORKER_SCRIPT
    assert hasattr(cloudfront_js, "_pool")


def test_a_request_goes_on_as_the_function_returns_it() -> None:
    result = functions.run(PASSES_ON, event(accept="*/*"))

    assert result.value == event(accept="*/*")["request"]
    assert result.group is None


def test_a_group_is_the_functions_last_word_on_origins() -> None:
    assert functions.run(GROUP, event()).group == OriginGroup(("a", "b"), frozenset({503, 504}))


def test_disallowed_headers_are_not_the_functions_to_see_nor_lose() -> None:
    """AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html."""
    takes_all_away = "function handler(event) { event.request.headers = {}; return event.request; }"

    result = functions.run(takes_all_away, event(accept="*/*", x_amzn_requestid="1", x_edge_a="2"))

    assert result.value["headers"] == {
        "x-amzn-requestid": {"value": "1"},
        "x-edge-a": {"value": "2"},
    }


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("function handler(event) { throw new Error('turned away'); }", "turned away"),
        ("function handler(event) { for (;;) {} }", "interrupted"),
        ("function handler(event) { return Promise.resolve(event.request); }", "promises"),
        ("import q from 'querystring'; function handler(event) {}", "querystring is not emulated"),
        (
            "import cf from 'cloudfront'; function handler(event) { cf.updateRequestOrigin({}); }",
            "updateRequestOrigin is not emulated",
        ),
        (GROUP.replace("{ originId: 'a' }, ", ""), "two origins"),
        (GROUP.replace("'a'", "'b'"), "two origins"),
        (GROUP.replace("503, 504", "401"), "fail over on"),
        (GROUP.replace("503, 504", ""), "fail over on"),
        (GROUP.replace("originId: 'a'", "id: 'a'"), "originId"),
        (
            "function handler(event) { return { headers: { 'X-Cache': { value: 'Hit' } } }; }",
            "can't add X-Cache",
        ),
    ],
)
def test_what_a_function_can_not_do_fails_by_name(code: str, reason: str) -> None:
    with pytest.raises(FunctionError, match=reason):
        functions.run(code, event())


@pytest.fixture
def reads_fail_over(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The function of modules/edge at the edge: reads try one Region, then the other."""
    client = layer.emulator.client("cloudfront")
    first = layer.configuration()["Origins"]["Items"][0]
    second = {**first, "Id": "second", "DomainName": f"{REGIONS[1]}.{DOMAIN}"}
    code = DEPLOYED.read_text().replace("${read_origins}", json.dumps([first["Id"], "second"]))
    made = client.create_function(
        Name="viewer-request",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=code.encode(),
    )
    client.publish_function(Name="viewer-request", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    associated = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": arn}]}
    with (
        layer.configured(Origins={"Quantity": 2, "Items": [first, second]}),
        layer.behaviour(FunctionAssociations=associated),
    ):
        yield layer
    client.delete_function(Name="viewer-request", IfMatch=made["ETag"])


@pytest.mark.parametrize("kind", ["refuse", "hang", "error"])
def test_a_read_meets_a_broken_region_without_noticing(
    reads_fail_over: GlobalLayer, kind: str
) -> None:
    assert reads_fail_over.get("/where").json()["region"] == REGIONS[0]

    with reads_fail_over.fault(REGIONS[0], kind):
        answer = reads_fail_over.get("/where")

    assert answer.json()["region"] == REGIONS[1]


def test_a_write_meets_the_broken_region(reads_fail_over: GlobalLayer) -> None:
    with reads_fail_over.fault(REGIONS[0], "error"):
        answer = reads_fail_over.get("/where", method="POST")

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)


def test_where_both_regions_are_broken_the_last_answer_is_the_viewers(
    reads_fail_over: GlobalLayer,
) -> None:
    with reads_fail_over.fault(REGIONS[0], "refuse"), reads_fail_over.fault(REGIONS[1], "error"):
        answer = reads_fail_over.get("/where")

    assert (answer.status_code, answer.json()) == (503, UNAVAILABLE)


def test_a_viewer_chooses_no_trace(reads_fail_over: GlobalLayer) -> None:
    mine = {"x-amzn-trace-id": "Root=1-6b0831c6-ccb1310ae3c4fae60a2bbdc9;Sampled=1"}

    answer = reads_fail_over.get("/where", headers=mine)

    assert "6b0831c6" not in json.dumps(answer.json()["event"])


def test_a_function_that_throws_is_a_503(layer: GlobalLayer) -> None:
    client = layer.emulator.client("cloudfront")
    made = client.create_function(
        Name="throws",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { throw new Error('no'); }",
    )
    client.publish_function(Name="throws", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    associated = {"Quantity": 1, "Items": [{"EventType": "viewer-request", "FunctionARN": arn}]}

    with layer.behaviour(FunctionAssociations=associated):
        assert layer.emulator.request(API, "/where").status_code == 503
