"""What the gateway and the function leave of each request: metrics and an access log."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

from local.observability.logs.access_logs import VARIABLES
from tests.e2e.forgery import claims
from tests.local.measured import (
    ACCESS_GROUP,
    ALIAS,
    API,
    FUNCTION,
    REGION,
    STAGE,
    Measured,
    access_log_fields,
    deploy_measured,
    package,
)
from tests.local.test_waf import PATH
from tests.local.test_web_acls import match, rule
from tests.support.emulator import TABLE, Stack, eventually

ITEM = "/items/{id}"


@pytest.fixture(scope="module")
def measured(stack: Stack) -> Measured:
    """The API, warm."""
    made = deploy_measured(stack)
    assert made.get("/items/0").status_code == 200
    return made


def test_every_request_is_counted_once_by_api_stage_and_method(measured: Measured) -> None:
    before = measured.route("Count", ITEM), measured.stage("Count")
    by_api = measured.total("AWS/ApiGateway", "Count", ApiName=API)

    for number in range(5):
        measured.get(f"/items/{number}")
    measured.get("/health")

    assert measured.route("Count", ITEM) == before[0] + 5
    assert measured.stage("Count") == before[1] + 6
    assert measured.total("AWS/ApiGateway", "Count", ApiName=API) == by_api + 6


def test_a_health_route_has_a_resource_of_its_own(measured: Measured) -> None:
    before = measured.route("Count", "/health"), measured.route("5XXError", "/health")

    measured.get("/health", params={"status": 503})
    measured.get("/health")

    assert measured.route("Count", "/health") == before[0] + 2
    assert measured.route("5XXError", "/health") == before[1] + 1


@pytest.mark.parametrize(
    ("query", "client_errors", "server_errors"),
    [({"status": 404}, 1, 0), ({"status": 500}, 0, 1), ({"raise": 1}, 0, 1), ({}, 0, 0)],
)
def test_errors_are_counted_by_who_made_them(
    measured: Measured, query: dict[str, int], client_errors: int, server_errors: int
) -> None:
    before = measured.route("4XXError", ITEM), measured.route("5XXError", ITEM)

    measured.get("/items/1", params=query)

    after = measured.route("4XXError", ITEM), measured.route("5XXError", ITEM)
    assert (after[0] - before[0], after[1] - before[1]) == (client_errors, server_errors)


def test_an_error_metric_has_a_value_for_each_request(measured: Measured) -> None:
    assert measured.stage("5XXError", "SampleCount") == measured.stage("Count")


def test_latency_lies_above_the_integrations_and_percentiles_are_in_order(
    measured: Measured,
) -> None:
    names = ("IntegrationLatency", "Latency")
    before = [measured.route(name, ITEM) for name in names]

    measured.get("/items/1", params={"sleep": 0.3})

    integrations, whole = (
        measured.route(name, ITEM) - sum_before
        for name, sum_before in zip(names, before, strict=True)
    )
    assert 300 <= integrations <= whole < 10_000
    low, high = measured.stage("Latency", "p50"), measured.stage("Latency", "p99")
    assert 0 < low <= high <= measured.stage("Latency", "Maximum")


def test_a_route_that_is_not_there_is_the_stages_error_and_no_methods(measured: Measured) -> None:
    before = measured.stage("4XXError"), measured.stage("IntegrationLatency", "SampleCount")

    answer = measured.get("/nowhere")

    assert measured.stage("4XXError") == before[0] + 1
    assert measured.stage("IntegrationLatency", "SampleCount") == before[1]
    line = measured.access_line(answer)
    assert (line["responseType"], line["resourcePath"]) == ("MISSING_AUTHENTICATION_TOKEN", "-")


def test_methods_are_not_counted_apart_unless_the_stage_asks_for_it(stack: Stack) -> None:
    stack.get(REGION, "/counted")

    metrics = stack.emulator.client("cloudwatch").list_metrics(
        Namespace="AWS/ApiGateway", Dimensions=[{"Name": "ApiName", "Value": "things"}]
    )["Metrics"]
    names = {dimension["Name"] for metric in metrics for dimension in metric["Dimensions"]}
    assert names == {"ApiName", "Stage"}


def test_the_deployed_format_names_only_known_variables() -> None:
    variables = {value.removeprefix("$context.") for value in access_log_fields().values()}

    assert len(variables) > 20
    assert variables <= set(VARIABLES)


def test_a_request_leaves_one_line_with_the_deployed_keys(measured: Measured) -> None:
    sent = time.time()

    answer = measured.get("/items/7", headers={"x-amz-cf-id": "edge"})

    line = measured.access_line(answer)
    assert set(line) == {"region", *access_log_fields()}
    assert {name: line[name] for name in ("httpMethod", "resourcePath", "status", "stage")} == {
        "httpMethod": "GET",
        "resourcePath": ITEM,
        "status": "200",
        "stage": STAGE,
    }
    assert line["extendedRequestId"] == answer.headers["x-amz-apigw-id"]
    assert line["functionRequestId"] == answer.text
    assert (line["functionStatus"], line["integrationStatus"]) == ("200", "200")
    assert int(line["integrationLatency"]) <= int(line["responseLatency"])
    assert int(line["responseLength"]) == len(answer.content)
    assert abs(int(line["requestTimeEpoch"]) / 1000 - sent) < 60
    assert line["sourceIp"] == "127.0.0.1"
    nothing = ("responseType", "authorizerStatus", "sub", "wafStatus", "integrationError")
    assert {line[name] for name in nothing} == {"-"}


def test_a_function_that_fails_leaves_a_line_that_is_json(measured: Measured) -> None:
    line = measured.access_line(measured.get("/items/1", params={"raise": 1}))

    assert (line["status"], line["functionStatus"]) == ("502", "-")
    assert line["functionRequestId"] in line["integrationError"]


def test_a_signed_in_user_is_named_and_a_stranger_is_refused(measured: Measured) -> None:
    before = measured.route("Count", "/private"), measured.route("4XXError", "/private")

    token = measured.token()
    welcome = measured.get("/private", headers={"authorization": token})
    stranger = measured.get("/private")

    assert (welcome.status_code, stranger.status_code) == (200, 401)
    assert measured.route("Count", "/private") == before[0] + 2
    assert measured.route("4XXError", "/private") == before[1] + 1
    named, refused = measured.access_line(welcome), measured.access_line(stranger)
    assert named["sub"] == claims(token)["sub"]
    assert (named["authorizerStatus"], refused["authorizerStatus"]) == ("200", "401")
    assert (refused["responseType"], refused["functionRequestId"]) == ("UNAUTHORIZED", "-")


def test_a_username_that_anybody_may_choose_is_not_in_the_line(measured: Measured) -> None:
    hostile = 'ada","status":"418","x":"\\é'
    token = measured.token(hostile)

    line = measured.access_line(measured.get("/private", headers={"authorization": token}))

    assert (line["sub"], line["status"]) == (claims(token)["sub"], "200")
    assert hostile not in line.values()


def test_a_stage_that_says_nothing_of_the_format_serves_and_logs_nothing(
    measured: Measured,
) -> None:
    stage = {"restApiId": measured.api_id, "stageName": STAGE}
    gateway = measured.emulator.client("apigateway")
    form = gateway.get_stage(**stage)["accessLogSettings"]["format"]
    path, before = "/accessLogSettings/format", len(measured.lines(ACCESS_GROUP))
    gateway.update_stage(**stage, patchOperations=[{"op": "remove", "path": path}])
    try:
        assert "format" not in gateway.get_stage(**stage)["accessLogSettings"]
        answer = measured.get("/items/1")
    finally:
        patch = {"op": "replace", "path": path, "value": form}
        gateway.update_stage(**stage, patchOperations=[patch])

    assert answer.status_code == 200
    assert len(measured.lines(ACCESS_GROUP)) == before


@contextmanager
def _web_acl(measured: Measured) -> Iterator[None]:
    """A web ACL that counts /health and lets in nothing else than it and /items."""
    waf = measured.emulator.client("wafv2")
    rules = [
        rule("health", 0, match(PATH, "STARTS_WITH", "/health"), {"Count": {}}),
        rule("open", 1, match(PATH, "STARTS_WITH", "/health"), {"Allow": {}}),
    ]
    for each in rules:
        each["VisibilityConfig"] = _visible(each["Name"])
    acl = waf.create_web_acl(
        Name="measured", Scope="REGIONAL", DefaultAction={"Block": {}}, Rules=rules,
        VisibilityConfig=_visible("measured"),
    )["Summary"]  # fmt: skip
    stage = f"arn:aws:apigateway:{REGION}::/restapis/{measured.api_id}/stages/{STAGE}"
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage)
    try:
        yield
    finally:
        waf.disassociate_web_acl(ResourceArn=stage)
        waf.delete_web_acl(
            Name="measured", Scope="REGIONAL", Id=acl["Id"], LockToken=acl["LockToken"]
        )


def _visible(name: str) -> dict[str, object]:
    return {
        "SampledRequestsEnabled": False,
        "CloudWatchMetricsEnabled": True,
        "MetricName": name,
    }


def test_a_web_acl_counts_what_it_decides_and_the_gateway_what_it_refused(
    measured: Measured,
) -> None:
    before = measured.route("4XXError", ITEM), measured.stage("Count")
    with _web_acl(measured):
        allowed, refused = measured.get("/health"), measured.get("/items/1")

    def waf(name: str, of: str) -> float:
        return measured.total("AWS/WAFV2", name, WebACL="measured", Rule=of, Region=REGION)

    assert (waf("AllowedRequests", "open"), waf("AllowedRequests", "ALL")) == (1, 1)
    assert (waf("CountedRequests", "health"), waf("CountedRequests", "ALL")) == (1, 1)
    assert (waf("BlockedRequests", "Default_Action"), waf("BlockedRequests", "ALL")) == (1, 1)
    assert measured.route("4XXError", ITEM) == before[0] + 1
    assert measured.stage("Count") == before[1] + 2
    assert measured.access_line(allowed)["wafStatus"] == "200"
    line = measured.access_line(refused)
    assert (line["wafStatus"], line["responseType"]) == ("403", "WAF_FILTERED")
    assert line["functionRequestId"] == "-"


def test_invocations_are_counted_for_the_function_and_for_its_alias(measured: Measured) -> None:
    resource = {"Resource": f"{FUNCTION}:{ALIAS}"}
    before = [
        (measured.function("Invocations", **more), measured.function("Errors", **more))
        for more in ({}, resource)
    ]
    side_by_side = measured.function("ConcurrentExecutions")

    measured.get("/items/1")
    measured.get("/items/1", params={"raise": 1})

    for more, (invocations, errors) in zip(({}, resource), before, strict=True):
        assert measured.function("Invocations", **more) == invocations + 2
        assert measured.function("Errors", **more) == errors + 1
        assert measured.function("Throttles", **more) == 0
    # One and one, since the second began when the first had ended.
    assert measured.function("ConcurrentExecutions") == side_by_side + 2


@pytest.fixture
def second(measured: Measured) -> Iterator[str]:
    """A second version of the function, which answers 202, and no alias leads to afterwards."""
    functions = measured.emulator.client("lambda")
    functions.update_function_code(FunctionName=FUNCTION, ZipFile=package(202))
    version = functions.publish_version(FunctionName=FUNCTION)["Version"]
    yield version
    functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig={})
    functions.delete_function(FunctionName=FUNCTION, Qualifier=version)


def test_a_weighted_alias_calls_either_version_and_each_is_measured(
    measured: Measured, second: str
) -> None:
    functions = measured.emulator.client("lambda")
    called = {"FunctionName": FUNCTION, "Qualifier": ALIAS}

    def by_version(name: str, version: str) -> float:
        resource = f"{FUNCTION}:{ALIAS}"
        return measured.function(name, Resource=resource, ExecutedVersion=version)

    def weigh(weight: float) -> None:
        routing = {"AdditionalVersionWeights": {second: weight}}
        functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig=routing)

    weigh(1.0)
    assert measured.get("/items/1").status_code == 202
    assert functions.invoke(**called, Payload=b"{}")["ExecutedVersion"] == second
    measured.get("/items/1", params={"raise": 1})
    assert (by_version("Invocations", second), by_version("Errors", second)) == (3, 1)

    weigh(0.5)
    seen = {measured.get("/items/1").status_code for _ in range(30)}
    assert seen == {200, 202}
    assert by_version("Invocations", "1") + by_version("Invocations", second) == 33

    with pytest.raises(ClientError, match="referenced by an alias"):
        functions.delete_function(FunctionName=FUNCTION, Qualifier=second)
    streams = measured.emulator.client("logs").describe_log_streams(
        logGroupName=f"/aws/lambda/{FUNCTION}"
    )["logStreams"]
    versions = {stream["logStreamName"].partition("[")[2].partition("]")[0] for stream in streams}
    assert {"1", second} <= versions


def test_an_invocation_by_the_api_counts_once(measured: Measured) -> None:
    before = measured.function("Invocations")

    measured.emulator.client("lambda").invoke(FunctionName=FUNCTION, Payload=b'{"path": "/"}')

    assert measured.function("Invocations") == before + 1
    assert measured.function("Invocations", Resource=FUNCTION) == 1


def test_duration_is_the_functions_own_time(measured: Measured) -> None:
    before = measured.function("Duration")

    measured.get("/items/1", params={"sleep": 0.5})

    assert 500 <= measured.function("Duration") - before < 5_000
    assert measured.function("Duration", "Minimum") < 500


def test_a_throttled_call_is_no_invocation(measured: Measured) -> None:
    before = measured.function("Invocations")
    functions = measured.emulator.client("lambda")
    functions.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    try:
        answer = measured.get("/items/1")
        with pytest.raises(ClientError, match="TooManyRequests"):
            functions.invoke(FunctionName=FUNCTION)
    finally:
        functions.delete_function_concurrency(FunctionName=FUNCTION)

    assert measured.function("Throttles") == 2
    assert measured.function("Throttles", Resource=f"{FUNCTION}:{ALIAS}") == 1
    assert measured.function("Invocations") == before
    assert measured.access_line(answer)["integrationStatus"] == "429"
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error"})


def test_embedded_metrics_of_the_function_become_metrics(measured: Measured) -> None:
    for _ in range(3):
        measured.get("/items/1", params={"emf": 1})

    created = {"service": "api", "region": "here"}
    assert measured.total("measured", "ItemsCreated", **created) == 6
    assert measured.total("measured", "ItemsCreated", "SampleCount", **created) == 3


@pytest.mark.parametrize(
    "changed",
    [{"Created": 10**400}, {"Namespace": {"n": 1}}, {"Metrics": [{"Name": "Created", "Unit": []}]}],
    ids=["too large", "no namespace", "no unit"],
)
def test_metrics_that_break_the_specification_are_ignored_and_the_event_is_kept(
    measured: Measured, changed: dict[str, object]
) -> None:
    logs, group = measured.emulator.client("logs"), f"/broken/{next(iter(changed))}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now, directive = int(time.time() * 1000), {"Namespace": "broken", "Dimensions": [[]], **changed}
    directive.setdefault("Metrics", [{"Name": "Created"}])
    metadata = {"Timestamp": now, "CloudWatchMetrics": [directive]}
    message = json.dumps({"_aws": metadata, "Created": changed.get("Created", 1)})

    event = {"timestamp": now, "message": message}
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

    assert measured.lines(group) == [message]
    assert measured.total("AWS/Logs", "EMFValidationErrors", LogGroupName=group) == 1
    assert not measured.points("broken", "Created", "Sum")


def test_the_functions_lines_are_in_its_log_group_and_its_region(measured: Measured) -> None:
    group = f"/aws/lambda/{FUNCTION}"
    answer = measured.get("/items/1", params={"status": 418})

    lines = measured.lines(group)
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"message": "answering", "status": 418} in logged
    assert any(line.startswith(f"REPORT RequestId: {answer.text}") for line in lines)
    incoming = measured.total("AWS/Logs", "IncomingBytes", LogGroupName=group)
    assert incoming == sum(len(line.encode()) for line in lines)


def test_a_write_leaves_latency_and_capacity(measured: Measured) -> None:
    written = {"TableName": TABLE, "Operation": "PutItem"}
    before = (
        measured.total("AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", **written),
        measured.total("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TableName=TABLE),
    )

    assert measured.get("/items/1", params={"write": 1}).status_code == 200

    latency = measured.total("AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", **written)
    assert latency == before[0] + 1
    units = measured.total("AWS/DynamoDB", "ConsumedWriteCapacityUnits", TableName=TABLE)
    assert units == before[1] + 1


def test_a_condition_that_fails_is_counted(measured: Measured) -> None:
    before = measured.total("AWS/DynamoDB", "ConditionalCheckFailedRequests", TableName=TABLE)
    condition = {"write": 1, "condition": "attribute_exists(nothing_like_it)"}

    assert measured.get("/items/1", params=condition).status_code == 412

    after = measured.total("AWS/DynamoDB", "ConditionalCheckFailedRequests", TableName=TABLE)
    assert after == before + 1


def test_replication_latency_is_the_lag_in_the_region_that_wrote(
    measured: Measured, stack: Stack
) -> None:
    there = {"TableName": TABLE, "ReceivingRegion": "us-west-2"}
    before, sum_before = (
        measured.total("AWS/DynamoDB", "ReplicationLatency", stat, **there)
        for stat in ("SampleCount", "Sum")
    )
    with stack.emulator.lag(0.4):
        stack.put(REGION, "replicated", "1", "x")
        eventually(lambda: stack.emulator.status()["replication"]["pending"] == 0)

    after = measured.total("AWS/DynamoDB", "ReplicationLatency", "SampleCount", **there)
    assert after == before + 1
    sum_after = measured.total("AWS/DynamoDB", "ReplicationLatency", **there)
    assert 400 <= sum_after - sum_before < 5_000
    home = {"TableName": TABLE, "ReceivingRegion": REGION}
    assert not measured.points("AWS/DynamoDB", "ReplicationLatency", "Sum", **home)


def test_a_sign_in_counts_one_and_one_that_is_refused_none(measured: Measured) -> None:
    pool = {"UserPool": measured.pool, "UserPoolClient": measured.client}
    before = [
        measured.total("AWS/Cognito", "SignInSuccesses", stat, **pool)
        for stat in ("Sum", "SampleCount")
    ]
    measured.token()
    with pytest.raises(ClientError, match="UserNotFound"):
        measured.sign_in("nobody", "a wrong password")

    after = [
        measured.total("AWS/Cognito", "SignInSuccesses", stat, **pool)
        for stat in ("Sum", "SampleCount")
    ]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]


def test_a_refresh_is_no_sign_in(measured: Measured) -> None:
    pool = {"UserPool": measured.pool, "UserPoolClient": measured.client}
    identity = measured.emulator.client("cognito-idp")
    identity.sign_up(ClientId=measured.client, Username="fresh", Password="a Long-enough 1")
    identity.admin_confirm_sign_up(UserPoolId=measured.pool, Username="fresh")
    tokens = measured.sign_in("fresh", "a Long-enough 1")["AuthenticationResult"]
    before = measured.total("AWS/Cognito", "SignInSuccesses", "SampleCount", **pool)

    identity.initiate_auth(
        ClientId=measured.client,
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
    )

    assert measured.total("AWS/Cognito", "TokenRefreshSuccesses", **pool) == 1
    assert measured.total("AWS/Cognito", "SignInSuccesses", "SampleCount", **pool) == before
    assert measured.total("AWS/Cognito", "SignUpSuccesses", **pool) == 1
