"""Each patch: what ministack by itself gets wrong, and what the emulator answers instead.

A `..._still_needs_...` test calls ministack as it comes. When one fails, ministack has learnt
it: take that patch away, and its tests.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from botocore.exceptions import ClientError
from ministack.core import persistence
from ministack.core.responses import request_scope
from ministack.services import (
    apigateway_v1,
    cloudfront,
    cloudwatch_logs,
    dynamodb,
    lambda_svc,
    route53,
)

from local.patches import api_gateway
from local.patches.dynamodb import expressions_checked_once
from tests.support.emulator import TABLE, Emulator, Stack

ACCOUNT = "111122223333"


def gateway(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Call ministack's own API Gateway, unpatched."""
    content = json.dumps(body or {}).encode()
    with request_scope(ACCOUNT, "us-east-1"):
        answer = asyncio.run(apigateway_v1.handle_request(method, path, {}, content, {}))
    return answer[0], json.loads(answer[2] or b"{}")


def table(data: dict[str, Any], handler: Any, region: str = "us-east-1") -> Any:
    """Call one of ministack's own DynamoDB operations, unpatched."""
    with request_scope(ACCOUNT, region):
        return json.loads(handler(data)[2])


def test_ministack_still_needs_the_empty_base_path() -> None:
    gateway("POST", "/domainnames", {"domainName": "a.localhost"})
    gateway("POST", "/domainnames/a.localhost/basepathmappings", {"basePath": ""})

    assert gateway("GET", "/domainnames/a.localhost/basepathmappings/(none)")[0] == 404
    assert gateway("GET", "/domainnames/a.localhost/basepathmappings/%28none%29")[0] == 404


def test_the_empty_base_path_reads_back(stack: Stack) -> None:
    client = stack.emulator.client("apigateway")
    api = stack.apis["us-east-1"]
    client.create_domain_name(domainName="base.localhost")
    client.create_base_path_mapping(
        domainName="base.localhost", basePath="", restApiId=api, stage="live"
    )

    found = client.get_base_path_mapping(domainName="base.localhost", basePath="(none)")
    assert (found["basePath"], found["restApiId"]) == ("(none)", api)

    moved = client.update_base_path_mapping(
        domainName="base.localhost",
        basePath="(none)",
        patchOperations=[{"op": "replace", "path": "/basePath", "value": "v2"}],
    )
    assert moved["basePath"] == "v2"
    listed = client.get_base_path_mappings(domainName="base.localhost")["items"]
    assert [mapping["basePath"] for mapping in listed] == ["v2"]


def test_ministack_still_needs_update_domain_name() -> None:
    gateway("POST", "/domainnames", {"domainName": "b.localhost"})

    assert gateway("PATCH", "/domainnames/b.localhost", {"patchOperations": []})[0] != 200


def test_a_domain_name_can_be_changed(emulator: Emulator) -> None:
    client = emulator.client("apigateway")
    client.create_domain_name(domainName="update.localhost", securityPolicy="TLS_1_0")

    client.update_domain_name(
        domainName="update.localhost",
        patchOperations=[{"op": "replace", "path": "/securityPolicy", "value": "TLS_1_2"}],
    )

    assert client.get_domain_name(domainName="update.localhost")["securityPolicy"] == "TLS_1_2"
    with pytest.raises(client.exceptions.NotFoundException):
        client.update_domain_name(domainName="nobody.localhost", patchOperations=[])


def test_ministack_still_needs_a_domain_name_as_aws_describes_it() -> None:
    _, document = gateway("POST", "/domainnames", {"domainName": "c.localhost"})

    assert "domainNameStatus" not in document
    assert document["mutualTlsAuthentication"] == {}


def test_a_domain_name_is_available_and_has_no_truststore_of_nothing(emulator: Emulator) -> None:
    client = emulator.client("apigateway")
    client.create_domain_name(domainName="available.localhost")

    document = client.get_domain_name(domainName="available.localhost")

    assert document["domainNameStatus"] == "AVAILABLE"
    assert "mutualTlsAuthentication" not in document


def _mock_api() -> tuple[str, str]:
    _, api = gateway("POST", "/restapis", {"name": "mock"})
    _, resources = gateway("GET", f"/restapis/{api['id']}/resources")
    root = (resources.get("item") or resources["items"])[0]["id"]
    path = f"/restapis/{api['id']}/resources/{root}/methods/GET"
    gateway("PUT", path, {"authorizationType": "NONE"})
    gateway("PUT", f"{path}/integration", {"type": "MOCK"})
    return api["id"], path


def proxy_api() -> str:
    """Make a REST API of ministack's own whose root calls a function; its id."""
    api, path = _mock_api()
    gateway("PUT", f"{path}/integration", {"type": "AWS_PROXY", "uri": "functions/f/invocations"})
    gateway("POST", f"/restapis/{api}/deployments", {"stageName": "live"})
    return api


def test_ministack_still_needs_a_failure_of_the_gateways_for_a_throttled_call() -> None:
    throttled = lambda_svc._throttle_response("Reason", "Rate Exceeded")

    response, _ = apigateway_v1._lambda_proxy_response(throttled)

    assert response["statusCode"] == 429


def test_ministack_still_needs_defaults_that_set_the_status_of_the_rest() -> None:
    customized = {"DEFAULT_4XX": {"statusCode": "404"}}

    response = apigateway_v1._gateway_response_for_type(customized, "THROTTLED")

    assert response["statusCode"] == "429"


def test_the_status_of_a_default_is_that_of_every_response_without_its_own(stack: Stack) -> None:
    client, api = stack.emulator.client("apigateway"), stack.apis["us-east-1"]
    stage = {"restApiId": api, "stageName": "live"}

    def refused() -> int:
        client.create_deployment(**stage)
        return stack.get("us-east-1", "/").status_code

    client.update_stage(**stage, patchOperations=throttling("*/*", 0, 0))
    try:
        assert refused() == 429
        client.put_gateway_response(restApiId=api, responseType="DEFAULT_4XX", statusCode="418")
        assert refused() == 418
        client.put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="420")
        assert refused() == 420
    finally:
        for kind in ("DEFAULT_4XX", "THROTTLED"):
            client.delete_gateway_response(restApiId=api, responseType=kind)
        client.update_stage(**stage, patchOperations=[{"op": "remove", "path": "/*/*"}])
        assert refused() == 200


def test_ministack_still_needs_methods_settings_under_the_name_they_were_set_by() -> None:
    stage: dict[str, Any] = {}
    path = "/~1health~1ready/GET/throttling/rateLimit"

    apigateway_v1._apply_stage_patch(stage, [{"op": "replace", "path": path, "value": "1"}])

    assert list(stage["methodSettings"]) == ["/health/ready/GET"]


def throttling(path: str, burst: int, rate: float) -> list[dict[str, str]]:
    """UpdateStage's operations for one method, or for all (`*/*`)."""
    limits = {"rateLimit": rate, "burstLimit": burst}
    return [
        {"op": "replace", "path": f"/{path}/throttling/{name}", "value": str(value)}
        for name, value in limits.items()
    ]


def add_method(stack: Stack, parent: str, part: str) -> str:
    """Add a resource with a GET that calls the stack's function; the resource's id."""
    client, api = stack.emulator.client("apigateway"), stack.apis["us-east-1"]
    function = stack.emulator.client("lambda").get_function(FunctionName="function")
    arn = function["Configuration"]["FunctionArn"]
    made: str = client.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
    address = {"restApiId": api, "resourceId": made, "httpMethod": "GET"}
    client.put_method(**address, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    client.put_integration(**address, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    return made


def test_each_method_is_throttled_by_itself(stack: Stack) -> None:
    """One that has no requests left takes none from another, whatever set its limit."""
    client, api = stack.emulator.client("apigateway"), stack.apis["us-east-1"]
    root = next(r for r in client.get_resources(restApiId=api)["items"] if r["path"] == "/")
    outer = add_method(stack, root["id"], "outer")
    add_method(stack, outer, "inner")
    add_method(stack, outer, "other")
    client.create_deployment(restApiId=api, stageName="live")
    stage = {"restApiId": api, "stageName": "live"}
    set_here = ("*/*", "~1outer~1inner/GET", "/outer/other/GET")

    def statuses(path: str) -> list[int]:
        return [stack.get("us-east-1", path).status_code for _ in range(4)]

    try:
        # So slow that none comes back while this runs.
        all_methods = throttling("*/*", 1, 0.0001)
        own, unencoded = throttling(set_here[1], 1000, 1000), throttling(set_here[2], 1000, 1000)
        client.update_stage(**stage, patchOperations=all_methods + own + unencoded)
        assert statuses("/outer") == [200, 429, 429, 429]
        # Another method has its own; and its path isn't encoded, so nothing else is set for it.
        assert statuses("/outer/other") == [200, 429, 429, 429]
        assert statuses("/outer/inner") == [200] * 4
        assert set_here[1] in client.get_stage(**stage)["methodSettings"]
    finally:
        operations = [{"op": "remove", "path": f"/{path}"} for path in set_here[:2]]
        client.update_stage(**stage, patchOperations=operations)
        client.delete_resource(restApiId=api, resourceId=outer)
        client.create_deployment(restApiId=api, stageName="live")
    assert statuses("/") == [200] * 4


def test_ministack_still_needs_mocks_that_want_a_template() -> None:
    integration = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 204}'}}

    refusal = apigateway_v1._check_passthrough_behavior(integration, {"content-type": "text/plain"})

    assert refusal is None


@pytest.mark.parametrize(
    ("passthrough", "media", "status"),
    [
        ("WHEN_NO_MATCH", None, 204),
        ("WHEN_NO_MATCH", "application/json", 204),
        ("WHEN_NO_MATCH", "text/plain", 500),
        ("NEVER", None, 204),
        ("NEVER", "text/plain", 415),
    ],
)
def test_a_mock_answers_only_what_one_of_its_templates_is_for(
    stack: Stack, passthrough: str, media: str | None, status: int
) -> None:
    client, api = stack.emulator.client("apigateway"), stack.apis["us-east-1"]
    resources = client.get_resources(restApiId=api)["items"]
    root = next(each["id"] for each in resources if each["path"] == "/")
    address = {"restApiId": api, "httpMethod": "OPTIONS"}
    made = client.create_resource(restApiId=api, parentId=root, pathPart="mock")["id"]
    address["resourceId"] = made
    client.put_method(**address, authorizationType="NONE")
    client.put_integration(
        **address,
        type="MOCK",
        passthroughBehavior=passthrough,
        requestTemplates={"application/json": '{"statusCode": 204}'},
    )
    client.put_method_response(**address, statusCode="204")
    client.put_integration_response(**address, statusCode="204")
    client.create_deployment(restApiId=api, stageName="live")
    headers = {} if media is None else {"content-type": media}

    answer = stack.get("us-east-1", "/mock", method="OPTIONS", headers=headers)

    client.delete_resource(restApiId=api, resourceId=made)
    assert answer.status_code == status


def test_ministack_still_needs_mocks_without_a_method() -> None:
    _, path = _mock_api()

    assert gateway("GET", f"{path}/integration")[1]["httpMethod"] == "POST"


def test_a_mock_integration_has_no_method_of_its_own(emulator: Emulator) -> None:
    client = emulator.client("apigateway")
    address = emulator.get_method("mock")
    client.put_integration(**address, type="MOCK")

    assert client.get_integration(**address).get("httpMethod") is None


def test_ministack_still_needs_the_choice_between_two_regions_of_one_domain() -> None:
    for region in ("us-east-1", "us-west-2"):
        with request_scope(ACCOUNT, region):
            apigateway_v1._create_domain_name({"domainName": "two.localhost"})

    with request_scope(ACCOUNT, "us-west-2"):
        assert apigateway_v1.find_domain_scope("two.localhost")[1] == "us-east-1"


def test_a_domain_of_two_regions_leads_to_the_one_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apigateway_v1, "find_domain_scope", apigateway_v1.find_domain_scope)
    api_gateway.domain_in_two_regions()
    for region in ("us-east-1", "us-west-2"):
        with request_scope(ACCOUNT, region):
            apigateway_v1._create_domain_name({"domainName": "both.localhost"})

    for region in ("us-east-1", "us-west-2"):
        with request_scope(ACCOUNT, region):
            assert apigateway_v1.find_domain_scope("both.localhost")[1] == region


def test_ministack_still_needs_the_domain_and_the_peer_in_the_event() -> None:
    with request_scope(ACCOUNT, "us-east-1"):
        event = apigateway_v1._build_lambda_event_v1(
            "api", "live", {}, {"id": "r", "path": "/"}, "/", "GET",
            {"x-forwarded-for": "9.9.9.9"}, b"", {}, {},
        )  # fmt: skip

    assert "domainName" not in event["requestContext"]
    assert event["requestContext"]["identity"]["sourceIp"] == "9.9.9.9"


def test_ministack_still_needs_one_request_id(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[dict[str, Any]] = []

    async def invoke(_function: str, event: dict[str, Any], **_scope: str) -> tuple[Any, None]:
        events.append(event)
        return {"statusCode": 200}, None

    monkeypatch.setattr(apigateway_v1, "_call_lambda_raw", invoke)
    api = proxy_api()

    with request_scope(ACCOUNT, "us-east-1"):
        answer = asyncio.run(apigateway_v1.handle_execute(api, "live", "GET", "/", {}, b"", {}))

    # The function gets an id that the answer doesn't bear: the header gets another.
    context = events[0]["requestContext"]
    assert context["requestId"]
    assert context["extendedRequestId"] == context["requestId"]
    assert not [name for name in answer[1] if name.lower() == "x-amzn-requestid"]


def test_ministack_still_needs_the_lists_of_a_health_check() -> None:
    element = fromstring(  # noqa: S314 - our own text
        "<HealthCheckConfig><ChildHealthChecks><ChildHealthCheck>one</ChildHealthCheck>"
        "</ChildHealthChecks></HealthCheckConfig>"
    )

    assert route53._parse_health_check_config(element)["ChildHealthChecks"] != ["one"]


def test_a_health_check_reads_back_its_regions_and_children(emulator: Emulator) -> None:
    client = emulator.client("route53")
    regions = ["us-east-1", "eu-west-1", "ap-southeast-2"]
    child = client.create_health_check(
        CallerReference="child",
        HealthCheckConfig={
            "Type": "HTTPS",
            "FullyQualifiedDomainName": "a.localhost",
            "Regions": regions,
        },
    )["HealthCheck"]
    parent = client.create_health_check(
        CallerReference="parent",
        HealthCheckConfig={
            "Type": "CALCULATED",
            "HealthThreshold": 1,
            "ChildHealthChecks": [child["Id"]],
        },
    )["HealthCheck"]

    def read(check: dict[str, Any]) -> Any:
        found = client.get_health_check(HealthCheckId=check["Id"])
        return found["HealthCheck"]["HealthCheckConfig"]

    assert read(child)["Regions"] == regions
    assert read(parent)["ChildHealthChecks"] == [child["Id"]]


def test_ministack_still_needs_the_lists_of_a_response_headers_policy() -> None:
    parent = Element("ResponseHeadersPolicyConfig")
    cloudfront._build_rhp_config_xml(
        parent, {"Name": "bare", "CustomHeaders": [], "RemoveHeaders": []}
    )

    assert parent.find("CustomHeadersConfig") is not None


def test_a_response_headers_policy_has_only_the_blocks_it_was_given(emulator: Emulator) -> None:
    client = emulator.client("cloudfront")
    removed = {"Quantity": 1, "Items": [{"Header": "server"}]}
    policy = client.create_response_headers_policy(
        ResponseHeadersPolicyConfig={"Name": "bare", "RemoveHeadersConfig": removed}
    )["ResponseHeadersPolicy"]

    found = client.get_response_headers_policy(Id=policy["Id"])["ResponseHeadersPolicy"]

    assert "CustomHeadersConfig" not in found["ResponseHeadersPolicyConfig"]
    assert found["ResponseHeadersPolicyConfig"]["RemoveHeadersConfig"] == removed


TABLE_INPUT = {
    "TableName": "patched",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "SSESpecification": {
        "Enabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "arn:aws:kms:us-east-1:000000000000:key/east",
    },
}
REPLICA_KEY = "arn:aws:kms:us-west-2:000000000000:key/west"
REPLICA = [{"Create": {"RegionName": "us-west-2", "KMSMasterKeyId": REPLICA_KEY}}]


def test_ministack_still_needs_a_replicas_own_key() -> None:
    table(TABLE_INPUT, dynamodb._create_table)
    table({"TableName": "patched", "ReplicaUpdates": REPLICA}, dynamodb._update_table)

    document = table({"TableName": "patched"}, dynamodb._describe_table, "us-west-2")

    assert document["Table"]["SSEDescription"]["KMSMasterKeyArn"] != REPLICA_KEY


def test_a_replica_tells_its_own_key_from_both_sides(emulator: Emulator) -> None:
    east, west = emulator.client("dynamodb"), emulator.client("dynamodb", "us-west-2")
    east.create_table(**TABLE_INPUT)
    east.update_table(TableName="patched", ReplicaUpdates=REPLICA)

    own = west.describe_table(TableName="patched")["Table"]
    seen = east.describe_table(TableName="patched")["Table"]

    assert own["SSEDescription"]["KMSMasterKeyArn"] == REPLICA_KEY
    assert own["Replicas"][0]["KMSMasterKeyId"].endswith("key/east")
    assert seen["Replicas"][0]["KMSMasterKeyId"] == REPLICA_KEY
    assert seen["SSEDescription"]["KMSMasterKeyArn"].endswith("key/east")


KEY = {"owner": {"S": "m"}, "item_id": {"S": "1"}}
# Each names `mine` by another way, and two of them by a placeholder.
WRITES: dict[str, dict[str, Any]] = {
    "put_item": {"TableName": TABLE, "Item": {**KEY, "mine": {"S": "x"}}},
    "update_item": {
        "TableName": TABLE,
        "Key": KEY,
        "UpdateExpression": "SET size_of = if_not_exists(size_of, :v), #m = :v",
        "ExpressionAttributeNames": {"#m": "mine"},
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    },
    "batch_write_item": {
        "RequestItems": {TABLE: [{"PutRequest": {"Item": {**KEY, "mine": {"S": "x"}}}}]}
    },
}


def test_ministack_still_needs_replication_that_takes_its_time() -> None:
    name = {"TableName": "replicated"}
    item = {"id": {"S": "x"}}
    table({**TABLE_INPUT, **name}, dynamodb._create_table)
    table({**name, "ReplicaUpdates": REPLICA}, dynamodb._update_table)

    table({**name, "Item": item}, dynamodb._put_item)

    assert table(name, dynamodb._scan, "us-west-2")["Items"] == [item]


def test_ministack_still_checks_an_expression_for_every_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How often it does so for one scan; the patched one is below."""
    checked: list[str] = []

    def check(expression: str, _slot: str) -> None:
        checked.append(expression)

    monkeypatch.setattr(dynamodb, "_condition_syntax_error", check)
    assert scan_of(3) == 3
    assert len(checked) == 3


def test_an_expression_is_checked_once_and_a_wrong_one_is_wrong_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpatched = dynamodb._condition_syntax_error
    # Whatever else undoes it, the module is the next test's, too.
    monkeypatch.setattr(dynamodb, "_condition_syntax_error", unpatched)

    expressions_checked_once()
    assert scan_of(3) == 3
    counts = dynamodb._condition_syntax_error.cache_info()
    assert (counts.misses, counts.hits) == (1, 2)
    wrong = ("a = = :v", "FilterExpression")
    found = [dynamodb._condition_syntax_error(*wrong) for _ in range(2)]
    assert found == 2 * [unpatched(*wrong)]
    assert "Syntax error" in found[0]


def scan_of(items: int) -> int:
    """Scan a table of so many items with a filter that all of them pass; how many do."""
    name = {"TableName": "scanned"}
    table({**TABLE_INPUT, **name}, dynamodb._create_table)
    for number in range(items):
        table({**name, "Item": {"id": {"S": str(number)}}}, dynamodb._put_item)
    passes = {
        "FilterExpression": "attribute_exists(id) AND id <> :nobody",
        "ExpressionAttributeValues": {":nobody": {"S": ""}},
    }
    return int(table({**name, **passes}, dynamodb._scan)["Count"])


def test_ministack_still_saves_a_table_whole() -> None:
    table({**TABLE_INPUT, "TableName": "saved"}, dynamodb._create_table)

    saved = dynamodb.get_state()["tables"].get_scoped(ACCOUNT, "us-east-1", "saved")

    assert "items" in saved


def test_ministack_still_begins_without_what_it_cant_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    (tmp_path / "dynamodb.json").write_text("{")

    assert persistence.load_state("dynamodb") is None


def test_ministack_still_hides_what_it_cant_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    (tmp_path / "dynamodb.json").mkdir()

    persistence.save_all({"dynamodb": lambda: {"tables": {}}})

    assert list((tmp_path / "dynamodb.json").iterdir()) == []


def test_ministack_still_needs_the_attributes_that_a_request_writes() -> None:
    unpatched = json.loads(
        subprocess.run(
            [
                sys.executable,
                "-c",
                "import json, sys; from ministack.core.iam_actions import *; "
                "print(json.dumps(dynamodb_service_context(sys.stdin.buffer.read())))",
            ],
            input=json.dumps(WRITES["put_item"]),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )

    assert "dynamodb:Attributes" not in unpatched


@pytest.mark.parametrize("operation", WRITES)
def test_a_policy_can_keep_an_attribute_from_being_written(stack: Stack, operation: str) -> None:
    iam, name = stack.emulator.client("iam"), f"writer-{operation.replace('_', '-')}"
    iam.create_user(UserName=name)
    actions = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"]
    denied = {"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["mine"]}}
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": "*"},
        {"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": denied},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    writer = stack.emulator.client(
        "dynamodb",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    allowed = json.loads(json.dumps(WRITES[operation]).replace('"mine"', '"yours"'))

    getattr(writer, operation)(**allowed)
    with pytest.raises(ClientError) as refused:
        getattr(writer, operation)(**WRITES[operation])

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_ministack_still_needs_the_leading_keys_that_a_request_names() -> None:
    unpatched = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from ministack.core.iam_actions import *; "
            "print(dynamodb_service_context(sys.stdin.buffer.read()))",
        ],
        input=json.dumps({"TableName": TABLE, "Key": KEY}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "dynamodb:LeadingKeys" not in unpatched


OTHER_KEY = {**KEY, "owner": {"S": "other"}}
BY_KEY: dict[str, dict[str, Any]] = {
    "get_item": {"TableName": TABLE, "Key": KEY},
    "put_item": {"TableName": TABLE, "Item": KEY},
    "update_item": {
        "TableName": TABLE,
        "Key": KEY,
        "UpdateExpression": "SET a = :v",
        "ExpressionAttributeValues": {":v": {"S": "x"}},
    },
    # One key that isn't allowed is enough.
    "batch_write_item": {
        "RequestItems": {
            TABLE: [{"PutRequest": {"Item": OTHER_KEY}}, {"DeleteRequest": {"Key": KEY}}]
        }
    },
}


@pytest.mark.parametrize("operation", BY_KEY)
@pytest.mark.parametrize("form", ["allowed by it", "denied by it"])
def test_a_policy_can_keep_to_partition_keys(stack: Stack, operation: str, form: str) -> None:
    """A key of `m` is refused, one of `other` isn't."""
    iam, name = stack.emulator.client("iam"), f"by-key-{operation.replace('_', '-')}-{form[:5]}"
    actions = [f"dynamodb:{''.join(word.title() for word in operation.split('_'))}"]
    allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    if form == "denied by it":
        but = {"ForAnyValue:StringNotLike": {"dynamodb:LeadingKeys": ["oth*"]}}
        statements = [allow, {**allow, "Effect": "Deny", "Condition": but}]
    else:
        only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["other"]}}
        known = {"Null": {"dynamodb:LeadingKeys": "false"}}
        statements = [{**allow, "Condition": only | known}]
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = stack.emulator.client(
        "dynamodb",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    # A batch may not name one item twice.
    others = json.dumps(BY_KEY[operation]).replace(
        '{"S": "m"}, "item_id": {"S": "1"}', '{"S": "other"}, "item_id": {"S": "2"}'
    )

    getattr(client, operation)(**json.loads(others))
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**BY_KEY[operation])

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_ministack_still_needs_the_days_of_recovery() -> None:
    named = {**TABLE_INPUT, "TableName": "days"}
    table(named, dynamodb._create_table)
    on = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
    change = {"TableName": "days", "PointInTimeRecoverySpecification": on}

    document = table(change, dynamodb._update_continuous_backups)

    assert "RecoveryPeriodInDays" not in json.dumps(document)


@pytest.mark.parametrize(("asked", "days"), [({"RecoveryPeriodInDays": 7}, 7), ({}, 35)])
def test_a_table_shows_for_how_many_days_it_can_be_recovered(
    stack: Stack, asked: dict[str, int], days: int
) -> None:
    client = stack.emulator.client("dynamodb", "us-west-2")
    client.update_continuous_backups(
        TableName=TABLE,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, **asked},
    )

    backups = client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]

    assert backups["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == days


def test_ministack_still_needs_ceilings_of_throughput() -> None:
    table({**TABLE_INPUT, "TableName": "ceilings"}, dynamodb._create_table)
    lifted = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}

    changed = table({"TableName": "ceilings", "OnDemandThroughput": lifted}, dynamodb._update_table)

    assert changed["TableDescription"]["OnDemandThroughput"] == lifted


def test_a_ceiling_that_is_lifted_is_gone_from_a_table_and_from_its_index(
    emulator: Emulator,
) -> None:
    client = emulator.client("dynamodb")
    keys: list[Any] = [{"AttributeName": "id", "KeyType": "HASH"}]
    limited = {"MaxReadRequestUnits": 200, "MaxWriteRequestUnits": 100}
    index = {"IndexName": "by_id", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    client.create_table(
        TableName="limited",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        OnDemandThroughput=limited,
        GlobalSecondaryIndexes=[{**index, "OnDemandThroughput": limited}],
    )

    def ceilings(**change: int) -> tuple[object, object]:
        client.update_table(
            TableName="limited",
            OnDemandThroughput=change,
            GlobalSecondaryIndexUpdates=[
                {"Update": {"IndexName": "by_id", "OnDemandThroughput": change}}
            ],
        )
        described: Any = client.describe_table(TableName="limited")["Table"]
        (changed,) = described["GlobalSecondaryIndexes"]
        return described.get("OnDemandThroughput"), changed.get("OnDemandThroughput")

    assert ceilings(MaxReadRequestUnits=300) == ({**limited, "MaxReadRequestUnits": 300},) * 2
    assert ceilings(MaxReadRequestUnits=-1) == ({"MaxWriteRequestUnits": 100},) * 2
    assert ceilings(MaxWriteRequestUnits=-1) == (None, None)
    client.delete_table(TableName="limited")


def test_ministack_still_needs_query_definitions() -> None:
    answer = asyncio.run(
        cloudwatch_logs.handle_request(
            "POST", "/", {"x-amz-target": "Logs_20140328.PutQueryDefinition"}, b"{}", {}
        )
    )

    assert b"Unknown action" in answer[2]


def test_a_saved_query_can_be_made_changed_found_and_deleted(emulator: Emulator) -> None:
    client = emulator.client("logs", "us-west-2")
    made = client.put_query_definition(name="a/slow", queryString="fields @message")

    client.put_query_definition(**_named(made), name="a/slow", queryString="limit 1")

    [found] = client.describe_query_definitions(queryDefinitionNamePrefix="a/")["queryDefinitions"]
    assert found["queryString"] == "limit 1"
    assert emulator.client("logs").describe_query_definitions()["queryDefinitions"] == []
    assert client.delete_query_definition(**_named(made))["success"]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_query_definition(**_named(made))


def _named(made: dict[str, str]) -> dict[str, str]:
    return {"queryDefinitionId": made["queryDefinitionId"]}
