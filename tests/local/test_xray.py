"""X-Ray on the emulator: its API, and one request's trace through gateway and function."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from ministack.core import router
from ministack.services import lambda_svc

from local.observability.traces import header
from local.observability.traces.header import TraceHeader
from tests.support.emulator import Emulator, Stack, eventually

REGION, OTHER = "us-east-1", "us-west-2"
GROUP = {"GroupName": "api", "FilterExpression": 'service("api")'}
RULE = {
    "RuleName": "health",
    "ResourceARN": "*",
    "Priority": 10,
    "FixedRate": 0.0,
    "ReservoirSize": 0,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "/health*",
    "Version": 1,
}


@pytest.fixture(scope="module")
def traced(stack: Stack) -> Iterator[Stack]:
    """The stack with active tracing on both stages and functions."""
    _trace(stack, stage="true", function="Active")
    _allow(stack)
    yield stack
    stack.emulator.client("iam").delete_role_policy(RoleName="function", PolicyName="traces")
    _trace(stack, stage="false", function="PassThrough")


def _trace(stack: Stack, stage: str, function: str) -> None:
    for region, api in stack.apis.items():
        patch = [{"op": "replace", "path": "/tracingEnabled", "value": stage}]
        stack.emulator.client("apigateway", region).update_stage(
            restApiId=api, stageName="live", patchOperations=patch
        )
        stack.emulator.client("lambda", region).update_function_configuration(
            FunctionName="function", TracingConfig={"Mode": function}
        )


def _allow(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Action": ["xray:PutTraceSegments"], "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    stack.emulator.client("iam").put_role_policy(
        RoleName="function", PolicyName="traces", PolicyDocument=json.dumps(document)
    )


def _segments(emulator: Emulator, region: str, trace_id: str) -> dict[str, Any]:
    """A trace's segments by origin."""
    read = emulator.client("xray", region).batch_get_traces(TraceIds=[trace_id])["Traces"]
    documents = [json.loads(one["Document"]) for trace in read for one in trace["Segments"]]
    return {one["origin"]: one for one in documents}


def _header(answer: requests.Response) -> TraceHeader:
    assert answer.status_code == 200, answer.text
    return header.read(answer.headers["x-amzn-trace-id"])


def _in_function(answer: requests.Response) -> TraceHeader:
    """What the function found in its environment."""
    return header.read(answer.json()["environment"]["_X_AMZN_TRACE_ID"])


def _asking(*, sampled: bool) -> dict[str, str]:
    asked = TraceHeader(header.new_trace_id(time.time()), header.new_segment_id(), sampled)
    return {"x-amzn-trace-id": str(asked)}


def test_ministack_still_needs_x_ray() -> None:
    assert "xray" not in router.SERVICE_PATTERNS


def test_ministack_still_samples_every_invocation() -> None:
    active = {"TracingConfig": {"Mode": "Active"}}
    headers = [lambda_svc._xray_trace_id_for_invocation(active) for _ in range(3)]
    assert [header.read(one).sampled for one in headers] == [True] * 3


def test_a_group_is_made_changed_tagged_and_deleted(emulator: Emulator) -> None:
    client = emulator.client("xray")
    tags = [{"Key": "project", "Value": "landing"}]
    arn = client.create_group(**GROUP, Tags=tags)["Group"]["GroupARN"]

    changed = client.update_group(GroupARN=arn, FilterExpression="fault = true")["Group"]

    assert changed["FilterExpression"] == "fault = true"
    assert client.get_group(GroupName="api")["Group"] == changed
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    with pytest.raises(ClientError, match="Group not found"):
        emulator.client("xray", "us-west-2").get_group(GroupName="api")
    with pytest.raises(ClientError):
        client.create_group(**GROUP)
    client.delete_group(GroupARN=arn)
    with pytest.raises(ClientError):
        client.get_group(GroupARN=arn)


def test_a_sampling_rule_is_made_changed_listed_and_deleted(emulator: Emulator) -> None:
    client = emulator.client("xray")
    client.create_sampling_rule(SamplingRule=RULE)
    client.update_sampling_rule(SamplingRuleUpdate={"RuleName": "health", "FixedRate": 0.5})

    rules = client.get_sampling_rules()["SamplingRuleRecords"]
    rates = {r["SamplingRule"]["RuleName"]: r["SamplingRule"]["FixedRate"] for r in rules}
    assert rates == {"Default": 0.05, "health": 0.5}

    client.delete_sampling_rule(RuleName="health")
    assert len(client.get_sampling_rules()["SamplingRuleRecords"]) == 1


def test_a_segment_that_is_put_can_be_read(emulator: Emulator) -> None:
    client, now = emulator.client("xray"), time.time()
    trace_id = header.new_trace_id(now)
    segment = {
        "name": "job",
        "id": header.new_segment_id(),
        "trace_id": trace_id,
        "start_time": now,
        "end_time": now + 2,
        "annotations": {"tenant": "a"},
    }
    answer = client.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment), "{}"])
    assert len(answer["UnprocessedTraceSegments"]) == 1

    read = client.batch_get_traces(TraceIds=[trace_id])["Traces"]
    assert json.loads(read[0]["Segments"][0]["Document"]) == segment


def test_what_is_not_emulated_is_refused_by_name(emulator: Emulator) -> None:
    client, now = emulator.client("xray"), time.time()
    with pytest.raises(ClientError, match="TraceSummaries is not emulated"):
        client.get_trace_summaries(StartTime=now, EndTime=now)
    with pytest.raises(ClientError, match="SamplingTargets is not emulated"):
        client.get_sampling_targets(SamplingStatisticsDocuments=[])
    with pytest.raises(ClientError, match="TraceGraph is not emulated"):
        client.get_trace_graph(TraceIds=["1-0-0"])
    with pytest.raises(ClientError, match="At most 5"):
        client.batch_get_traces(TraceIds=["1-0-0"] * 6)


def test_one_trace_shows_gateway_function_and_table(traced: Stack) -> None:
    answer = traced.get(REGION, "/subsegment", headers=_asking(sampled=True))
    trace_id = _header(answer).root
    eventually(lambda: len(_segments(traced.emulator, REGION, trace_id)) == 4)

    found = _segments(traced.emulator, REGION, trace_id)
    gateway, service = found["AWS::ApiGateway::Stage"], found["AWS::Lambda"]
    function, table = found["AWS::Lambda::Function"], found["AWS::DynamoDB::Table"]
    assert gateway["name"] == "things/live"
    assert gateway["aws"]["api_gateway"]["request_id"] == answer.headers["x-amzn-requestid"]
    assert gateway["http"]["response"]["status"] == 200
    assert gateway["subsegments"][0]["id"] == service["parent_id"]
    assert service["id"] == function["parent_id"]
    assert function["subsegments"][-1]["name"] == "Invocation"
    assert function["subsegments"][-1]["subsegments"][0]["id"] == table["parent_id"]
    assert _segments(traced.emulator, OTHER, trace_id) == {}


def test_a_function_gets_the_trace_that_the_caller_sees(traced: Stack) -> None:
    asked = _asking(sampled=True)
    answer = traced.get(REGION, headers=asked)
    got, seen = _in_function(answer), _header(answer)
    assert got.root == seen.root == header.read(asked["x-amzn-trace-id"]).root
    assert got.sampled
    assert seen.sampled
    assert got.parent != seen.parent


def test_an_upstream_decision_against_tracing_is_obeyed(traced: Stack) -> None:
    answer = traced.get(REGION, headers=_asking(sampled=False))
    assert _in_function(answer).sampled is False
    assert _segments(traced.emulator, REGION, _header(answer).root) == {}


def test_the_regions_own_rules_decide_where_nobody_did(traced: Stack) -> None:
    client = traced.emulator.client("xray")
    for name, priority, path, rate in (("all", 20, "*", 1.0), ("none", 10, "/health*", 0.0)):
        rule = {"RuleName": name, "Priority": priority, "URLPath": path, "FixedRate": rate}
        client.create_sampling_rule(SamplingRule={**RULE, **rule})
    try:
        answers = {path: [traced.get(REGION, path) for _ in range(3)] for path in ("/health", "/")}
    finally:
        for name in ("all", "none"):
            client.delete_sampling_rule(RuleName=name)

    assert [_in_function(one).sampled for one in answers["/health"]] == [False] * 3
    assert [_in_function(one).sampled for one in answers["/"]] == [True] * 3
    gateway = _segments(traced.emulator, REGION, _header(answers["/"][0]).root)[
        "AWS::ApiGateway::Stage"
    ]
    assert gateway["aws"]["xray"]["sampling_rule_name"] == "all"


def test_a_stage_without_tracing_says_nothing_and_the_function_decides(traced: Stack) -> None:
    _trace(traced, stage="false", function="Active")
    try:
        answers = [traced.get(OTHER) for _ in range(12)]
        asked = traced.get(OTHER, headers=_asking(sampled=True))
    finally:
        _trace(traced, stage="true", function="Active")
    assert set(_segments(traced.emulator, OTHER, _header(asked).root)) == {
        "AWS::Lambda",
        "AWS::Lambda::Function",
    }
    # The first of each second is picked, and hardly all twelve came in twelve seconds.
    assert {_in_function(one).sampled for one in answers} == {True, False}
    roots = {_header(one).root for one in answers}
    assert len(roots) == 12


def test_a_role_that_may_not_send_segments_sends_none(traced: Stack) -> None:
    iam = traced.emulator.client("iam")
    iam.delete_role_policy(RoleName="function", PolicyName="traces")
    try:
        answer = traced.get(REGION, "/subsegment", headers=_asking(sampled=True))
        lost = "segments from us-east-1 are lost"
        log = traced.emulator.settings.log_file
        eventually(lambda: lost in log.read_text())
    finally:
        _allow(traced)
    assert "AWS::DynamoDB::Table" not in _segments(traced.emulator, REGION, _header(answer).root)
