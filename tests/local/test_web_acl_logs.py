"""The log of a web ACL: what it keeps of whom, as tables; on an emulator in test_web_acls.py."""

import asyncio
import json
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import waf

from local.observability.logs.web_acl_logs import is_kept, log_line
from local.waf import Verdict, WebRequest
from local.web_acl import Decision

ARN = "arn:aws:wafv2:us-east-1:111122223333:{}/webacl/a/0"
SECRETS = {"Authorization": "Bearer t", "cookie": "s", "x-origin-key": "k"}
REQUEST = WebRequest("GET", "/v1/items?b=1", SECRETS | {"accept": "*/*"}, "192.0.2.1", "b=1")


def condition(action: str) -> dict[str, Any]:
    return {"ActionCondition": {"Action": action}}


def filters(*actions: str, requirement: str = "MEETS_ANY", default: str = "DROP") -> dict[str, Any]:
    conditions = [condition(action) for action in actions]
    kept = {"Behavior": "KEEP", "Requirement": requirement, "Conditions": conditions}
    return {"Filters": [kept], "DefaultBehavior": default}


@pytest.mark.parametrize(
    ("logging_filter", "actions", "kept"),
    [
        (None, {"ALLOW"}, True),
        (filters("BLOCK"), {"ALLOW"}, False),
        (filters("BLOCK"), {"BLOCK"}, True),
        (filters("BLOCK", "COUNT"), {"ALLOW", "COUNT"}, True),
        (filters("BLOCK", "COUNT", requirement="MEETS_ALL"), {"ALLOW", "COUNT"}, False),
        (filters("BLOCK", "COUNT", requirement="MEETS_ALL"), {"BLOCK", "COUNT"}, True),
        (filters("COUNT"), {"ALLOW", "EXCLUDED_AS_COUNT"}, False),
        (filters("BLOCK", default="KEEP"), {"ALLOW"}, True),
    ],
)
def test_a_filter_says_which_requests_are_kept(
    logging_filter: dict[str, Any] | None, actions: set[str], kept: bool
) -> None:
    assert is_kept(logging_filter, actions) is kept


def line(scope: str = "regional", **more: Any) -> dict[str, Any]:
    web_acl = {"ARN": ARN.format(scope), "LoggingConfiguration": {}} | more
    verdict = Verdict(allowed=False, rule="health", counted=("bad",), status=429)
    return dict(log_line(Decision(web_acl, REQUEST, verdict), 1.5))


def headers_of(written: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in written["httpRequest"]["headers"]}


def test_a_line_says_who_asked_for_what_and_what_came_of_it() -> None:
    written = line()

    assert headers_of(written) == dict(REQUEST.headers)
    assert (written["timestamp"], written["httpSourceName"]) == (1500, "APIGW")
    assert (written["action"], written["terminatingRuleId"]) == ("BLOCK", "health")
    assert (written["httpRequest"]["uri"], written["httpRequest"]["args"]) == ("/v1/items", "b=1")
    assert [each["ruleId"] for each in written["nonTerminatingMatchingRules"]] == ["bad"]
    assert line("global")["httpSourceName"] == "CF"


def test_a_header_is_hidden_by_the_log_or_by_the_web_acl() -> None:
    redacted = [{"SingleHeader": {"Name": name}} for name in ("authorization", "x-origin-key")]
    field = {"FieldType": "SINGLE_HEADER", "FieldKeys": ["Cookie"]}

    written = headers_of(
        line(
            LoggingConfiguration={"RedactedFields": redacted},
            DataProtectionConfig={"DataProtections": [{"Field": field}]},
        )
    )

    assert written == dict.fromkeys(SECRETS, "REDACTED") | {"accept": "*/*"}


def test_ministack_still_needs_logging_configurations() -> None:
    headers = {"x-amz-target": "AWSWAF_20190729.PutLoggingConfiguration"}
    body = json.dumps({"LoggingConfiguration": {}}).encode()

    with request_scope("111122223333", "us-east-1"):
        answer = asyncio.run(waf.handle_request("POST", "/", headers, body, {}))

    assert json.loads(answer[2])["__type"] == "InvalidAction"
