"""Web ACLs in front of a stage and of a distribution: the origin lock and the edge's limits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.global_layer import KEY, ORIGIN, GlobalLayer
from tests.local.test_waf import PATH
from tests.support.emulator import DOMAIN, REGIONS, Emulator

REGION = REGIONS[0]
VISIBILITY = {
    "SampledRequestsEnabled": False,
    "CloudWatchMetricsEnabled": False,
    "MetricName": "m",
}


def rule(
    name: str, priority: int, statement: dict[str, Any], action: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Name": name,
        "Priority": priority,
        "Statement": statement,
        "Action": action,
        "VisibilityConfig": VISIBILITY,
    }


def match(component: dict[str, Any], constraint: str, text: str) -> dict[str, Any]:
    """A byte match as a client gives it: boto3 encodes the text."""
    return {
        "ByteMatchStatement": {
            "FieldToMatch": component,
            "PositionalConstraint": constraint,
            "SearchString": text.encode(),
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
    }


def create(
    emulator: Emulator, scope: str, default: str, rules: list[dict[str, Any]]
) -> dict[str, Any]:
    """Make a web ACL; what CreateWebACL answers."""
    summary: dict[str, Any] = emulator.client("wafv2").create_web_acl(
        Name=f"acl-{scope.lower()}",
        Scope=scope,
        DefaultAction={default: {}},
        Rules=rules,
        VisibilityConfig=VISIBILITY,
    )["Summary"]
    return summary


def delete(emulator: Emulator, scope: str, web_acl: dict[str, Any]) -> None:
    emulator.client("wafv2").delete_web_acl(
        Name=web_acl["Name"], Scope=scope, Id=web_acl["Id"], LockToken=web_acl["LockToken"]
    )


@pytest.fixture(scope="module")
def locked(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The first Region lets in the origin key and health checks alone."""
    emulator, api = layer.emulator, layer.stack.apis[REGION]
    key = match({"SingleHeader": {"Name": "x-origin-key"}}, "EXACTLY", KEY)
    web_acl = create(
        emulator,
        "REGIONAL",
        "Block",
        [
            rule("health", 0, match(PATH, "STARTS_WITH", "/health"), {"Allow": {}}),
            rule("key", 1, key, {"Allow": {}}),
        ],
    )
    stage = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/live"
    waf = emulator.client("wafv2")
    waf.associate_web_acl(WebACLArn=web_acl["ARN"], ResourceArn=stage)
    yield layer
    waf.disassociate_web_acl(ResourceArn=stage)
    delete(emulator, "REGIONAL", web_acl)


def test_a_region_is_closed_without_the_key_and_open_with_it(locked: GlobalLayer) -> None:
    refused = locked.stack.get(REGION, "/where")

    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert refused.headers["x-amzn-errortype"] == "ForbiddenException"
    with_key = locked.stack.get(REGION, "/where", headers={"x-origin-key": KEY})
    assert with_key.status_code == 200
    assert locked.at(REGION, ORIGIN, "/where").status_code == 403


@pytest.mark.parametrize("key", ["", KEY.upper(), KEY[:-1], f"{KEY}, {KEY}"])
def test_a_key_that_is_nearly_right_is_wrong(locked: GlobalLayer, key: str) -> None:
    assert locked.stack.get(REGION, "/where", headers={"x-origin-key": key}).status_code == 403


def test_health_needs_no_key(locked: GlobalLayer) -> None:
    assert locked.stack.get(REGION, "/health/ready").status_code == 200
    assert locked.stack.get(REGION, "/xhealth").status_code == 403


def test_the_path_is_looked_at_as_it_was_sent(locked: GlobalLayer) -> None:
    assert locked.raw("/%68ealth", f"{REGION}.{DOMAIN}") == 403


def test_the_edge_gets_in_and_a_viewer_gains_nothing_by_the_header(locked: GlobalLayer) -> None:
    assert locked.get("/where").status_code == 200
    assert locked.get("/where", headers={"x-origin-key": "guessed"}).status_code == 200


def test_the_other_region_is_not_meant(locked: GlobalLayer) -> None:
    assert locked.stack.get(REGIONS[1], "/where").status_code == 200


def test_the_refusal_is_the_apis_own_gateway_response(locked: GlobalLayer) -> None:
    gateway = locked.emulator.client("apigateway", REGION)
    api = locked.stack.apis[REGION]
    gateway.put_gateway_response(
        restApiId=api,
        responseType="WAF_FILTERED",
        statusCode="403",
        responseParameters={"gatewayresponse.header.x-why": "'no key'"},
        responseTemplates={"application/json": '{"id":"$context.requestId"}'},
    )
    gateway.create_deployment(restApiId=api, stageName="live")

    answer = locked.stack.get(REGION, "/where")

    assert answer.status_code == 403
    assert answer.headers["x-why"] == "no key"
    assert answer.json() == {"id": answer.headers["x-amzn-requestid"]}
    gateway.delete_gateway_response(restApiId=api, responseType="WAF_FILTERED")
    gateway.create_deployment(restApiId=api, stageName="live")


@pytest.fixture
def limited(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The distribution refuses one path, and more than three requests for another."""
    emulator = layer.emulator
    rate = {
        "RateBasedStatement": {
            "Limit": 10,
            "EvaluationWindowSec": 300,
            "AggregateKeyType": "IP",
            "ScopeDownStatement": match(PATH, "EXACTLY", "/limited"),
        }
    }
    response = {
        "ResponseCode": 429,
        "ResponseHeaders": [{"Name": "retry-after", "Value": "300"}],
        "CustomResponseBodyKey": "wait",
    }
    web_acl = emulator.client("wafv2").create_web_acl(
        Name="edge",
        Scope="CLOUDFRONT",
        DefaultAction={"Allow": {}},
        Rules=[
            rule("rate", 0, rate, {"Block": {"CustomResponse": response}}),
            rule("path", 1, match(PATH, "EXACTLY", "/refused"), {"Block": {}}),
        ],
        CustomResponseBodies={
            "wait": {"ContentType": "APPLICATION_JSON", "Content": '{"status":429}'}
        },
        VisibilityConfig=VISIBILITY,
    )["Summary"]
    with layer.configured(WebACLId=web_acl["ARN"]):
        yield layer
    delete(emulator, "CLOUDFRONT", web_acl)


def test_the_edge_refuses_what_its_web_acl_blocks_with_its_own_page(limited: GlobalLayer) -> None:
    answer = limited.get("/refused")

    assert answer.status_code == 403
    assert "Request blocked" in answer.text
    assert answer.headers["x-cache"] == "Error from cloudfront"
    assert limited.get("/where").status_code == 200


def test_an_address_over_its_limit_has_to_wait(limited: GlobalLayer) -> None:
    answers = [limited.get("/limited") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].headers["retry-after"] == "300"
    assert answers[-1].headers["content-type"] == "application/json"
    assert answers[-1].json() == {"status": 429}
    assert answers[-1].headers["x-amz-cf-id"]
    assert limited.get("/where").status_code == 200


@pytest.fixture
def limited_health(layer: GlobalLayer) -> Iterator[GlobalLayer]:
    """The distribution limits what leads to health, as modules/edge/waf.tf does."""
    health = match(PATH, "STARTS_WITH", "/health")
    health["ByteMatchStatement"]["TextTransformations"] = [
        {"Priority": 0, "Type": "URL_DECODE"},
        {"Priority": 1, "Type": "NORMALIZE_PATH"},
    ]
    rate = {
        "RateBasedStatement": {
            "Limit": 10,
            "EvaluationWindowSec": 60,
            "AggregateKeyType": "IP",
            "ScopeDownStatement": health,
        }
    }
    refusal = {"Block": {"CustomResponse": {"ResponseCode": 429}}}
    web_acl = create(layer.emulator, "CLOUDFRONT", "Allow", [rule("health", 1, rate, refusal)])
    with layer.configured(WebACLId=web_acl["ARN"]):
        yield layer
    delete(layer.emulator, "CLOUDFRONT", web_acl)


def test_no_spelling_of_health_is_a_way_round_its_limit(limited_health: GlobalLayer) -> None:
    spellings = ("/health", "/%68ealth/ready", "//health", "/x/../health/takeover", "/health/")

    answers = [limited_health.raw(path) for path in spellings * 3]

    assert answers == [200] * 10 + [429] * 5
    # Users go on, and so does whoever asks a Region at its own name.
    assert limited_health.raw("/where") == 200
    assert limited_health.stack.get(REGION, "/health").status_code == 200


@pytest.fixture
def log(locked: GlobalLayer) -> Iterator[str]:
    """A log group that the lock's refusals go to, without the key."""
    logs, waf = locked.emulator.client("logs", REGION), locked.emulator.client("wafv2")
    (acl,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    for group in ("aws-waf-logs-lock", "lock"):
        logs.create_log_group(logGroupName=group)
    start = f"arn:aws:logs:{REGION}:000000000000:log-group:"
    blocked = [{"ActionCondition": {"Action": "BLOCK"}}]
    configuration: dict[str, Any] = {
        "ResourceArn": acl["ARN"],
        "RedactedFields": [{"SingleHeader": {"Name": "x-origin-key"}}],
        "LoggingFilter": {
            "DefaultBehavior": "DROP",
            "Filters": [
                {"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": blocked},
            ],
        },
    }
    for unfit in ("lock", "aws-waf-logs-none"):
        with pytest.raises(waf.exceptions.WAFInvalidParameterException):
            waf.put_logging_configuration(
                LoggingConfiguration={**configuration, "LogDestinationConfigs": [start + unfit]}
            )
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_logging_configuration(ResourceArn=acl["ARN"])
    configuration["LogDestinationConfigs"] = [f"{start}aws-waf-logs-lock"]
    waf.put_logging_configuration(LoggingConfiguration=configuration)
    kept = waf.get_logging_configuration(ResourceArn=acl["ARN"])["LoggingConfiguration"]
    assert kept == configuration
    yield "aws-waf-logs-lock"
    waf.delete_logging_configuration(ResourceArn=acl["ARN"])
    for group in ("aws-waf-logs-lock", "lock"):
        logs.delete_log_group(logGroupName=group)


def test_what_is_refused_is_logged_without_the_key(locked: GlobalLayer, log: str) -> None:
    near = {"x-origin-key": KEY[:-1], "accept": "a/b"}
    assert locked.stack.get(REGION, "/where", headers=near).status_code == 403
    assert locked.stack.get(REGION, "/where", headers={"x-origin-key": KEY}).status_code == 200

    events = locked.emulator.client("logs", REGION).filter_log_events(logGroupName=log)["events"]
    (line,) = [json.loads(event["message"]) for event in events]
    headers = {each["name"]: each["value"] for each in line["httpRequest"]["headers"]}
    assert (line["action"], line["httpRequest"]["uri"]) == ("BLOCK", "/where")
    assert (headers["x-origin-key"], headers["accept"]) == ("REDACTED", "a/b")


def test_a_web_acl_keeps_its_description_its_bodies_and_what_it_hides(emulator: Emulator) -> None:
    waf = emulator.client("wafv2")
    bodies = {"wait": {"ContentType": "APPLICATION_JSON", "Content": "{}"}}
    field = {"FieldType": "SINGLE_HEADER", "FieldKeys": ["cookie"]}
    hidden = {"DataProtections": [{"Field": field, "Action": "SUBSTITUTION"}]}
    common: dict[str, Any] = {
        "Name": "kept", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}},
        "VisibilityConfig": VISIBILITY, "CustomResponseBodies": bodies,
        "DataProtectionConfig": hidden,
    }  # fmt: skip
    made = waf.create_web_acl(**common, Description="first")["Summary"]

    def described() -> str:
        web_acl = waf.get_web_acl(Name="kept", Scope="REGIONAL", Id=made["Id"])["WebACL"]
        assert web_acl["CustomResponseBodies"] == bodies
        assert web_acl["DataProtectionConfig"] == hidden
        return str(web_acl["Description"])

    assert described() == "first"

    changed = waf.update_web_acl(
        **common, Id=made["Id"], LockToken=made["LockToken"], Rules=[], Description="second"
    )
    assert described() == "second"
    waf.delete_web_acl(
        Name="kept", Scope="REGIONAL", Id=made["Id"], LockToken=changed["NextLockToken"]
    )


def test_a_web_acl_that_says_what_is_not_emulated_is_refused(emulator: Emulator) -> None:
    waf = emulator.client("wafv2")
    countries = rule("countries", 0, {"GeoMatchStatement": {"CountryCodes": ["DE"]}}, {"Block": {}})
    common: dict[str, Any] = {
        "Name": "strict", "Scope": "REGIONAL", "DefaultAction": {"Allow": {}},
        "VisibilityConfig": VISIBILITY,
    }  # fmt: skip
    before = waf.create_web_acl(**common, Rules=[])["Summary"]
    this = {"Id": before["Id"], "LockToken": before["LockToken"]}
    refused = "GeoMatchStatement is not emulated"

    with pytest.raises(waf.exceptions.WAFInvalidParameterException, match=refused):
        waf.create_web_acl(**{**common, "Name": "another"}, Rules=[countries])
    with pytest.raises(waf.exceptions.WAFInvalidParameterException, match=refused):
        waf.update_web_acl(**common, **this, Rules=[countries])

    kept = waf.get_web_acl(Name="strict", Scope="REGIONAL", Id=before["Id"])["WebACL"]
    assert kept["Rules"] == []
    assert "another" not in {one["Name"] for one in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]}
    delete(emulator, "REGIONAL", before)
