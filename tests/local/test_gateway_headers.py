"""Headers between a client and a function: what API Gateway renames, drops, adds and looks for.

A `..._still_needs_...` test calls ministack as it comes: see test_patches.py.
"""

import asyncio
import json
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import apigateway_v1, lambda_svc

from local import gateway_headers
from tests.local.test_patches import ACCOUNT, proxy_api
from tests.support.emulator import REGIONS, Stack

REGION = REGIONS[0]
# docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html: what becomes
# of a request's header on its way to Lambda, and of an answer's on its way back.
PASSED, DROPPED, RENAMED = "passed", "dropped", "renamed"
TABLE = [
    ("Age", PASSED, PASSED),
    ("Accept", PASSED, PASSED),
    ("Accept-Charset", PASSED, PASSED),
    ("Accept-Encoding", PASSED, PASSED),
    ("Authorization", PASSED, RENAMED),
    ("Connection", DROPPED, RENAMED),
    ("Content-Encoding", PASSED, PASSED),
    ("Content-Length", PASSED, PASSED),
    ("Content-MD5", DROPPED, RENAMED),
    ("Content-Type", PASSED, PASSED),
    ("Date", PASSED, RENAMED),
    ("Expect", DROPPED, DROPPED),
    ("Host", PASSED, DROPPED),
    ("Max-Forwards", DROPPED, RENAMED),
    ("Pragma", PASSED, PASSED),
    ("Proxy-Authenticate", DROPPED, DROPPED),
    ("Range", PASSED, PASSED),
    ("Referer", PASSED, PASSED),
    ("Server", DROPPED, RENAMED),
    ("TE", DROPPED, DROPPED),
    ("Transfer-Encoding", DROPPED, DROPPED),
    ("Trailer", DROPPED, DROPPED),
    ("Upgrade", DROPPED, DROPPED),
    ("User-Agent", PASSED, RENAMED),
    ("Via", PASSED, DROPPED),
    ("Warn", PASSED, PASSED),
    ("WWW-Authenticate", DROPPED, RENAMED),
    ("ETag", PASSED, PASSED),
]


@pytest.mark.parametrize(("name", "request_s", "answer_s"), TABLE)
def test_each_header_of_aws_table(name: str, request_s: str, answer_s: str) -> None:
    asked = gateway_headers.to_function({name.lower(): "x", "x-mine": "y"})
    answered = gateway_headers.to_client({name: "x", "x-mine": "y", "content-type": "x"})

    assert (name.lower() in asked) is (request_s == PASSED)
    assert (name in answered) is (answer_s == PASSED)
    assert (answered.get(f"x-amzn-Remapped-{name}") == "x") is (answer_s == RENAMED)
    assert asked["x-mine"] == answered["x-mine"] == "y"


def test_a_signature_of_aws_is_nothing_for_the_function() -> None:
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=x"}

    assert gateway_headers.to_function(signed) == {}
    assert gateway_headers.to_function({"authorization": "Bearer x"}) != {}


@pytest.mark.parametrize("status", [200, 204, 304, 401])
def test_a_client_sees_what_the_gateway_makes_of_an_answer(stack: Stack, status: int) -> None:
    sent = {"WWW-Authenticate": "Bearer", "Via": "1.1 x", "ETag": '"1"'}

    answer = stack.get(REGION, "/where", params={"status": status, "headers": json.dumps(sent)})

    assert answer.status_code == status
    assert answer.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
    assert "www-authenticate" not in answer.headers
    assert "via" not in answer.headers
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["content-type"] == "application/json"


def test_a_functions_own_content_type_stays(stack: Stack) -> None:
    sent = json.dumps({"content-type": "text/plain"})

    answer = stack.get(REGION, "/where", params={"headers": sent})

    assert answer.headers["content-type"] == "text/plain"


def test_the_function_is_not_shown_what_the_gateway_drops(stack: Stack) -> None:
    sent = {"Max-Forwards": "1", "TE": "trailers", "WWW-Authenticate": "x", "X-Mine": "y"}

    seen = stack.get(REGION, "/where", headers=sent).json()["event"]["headers"]

    assert seen["x-mine"] == "y"
    assert seen.keys() & {name.lower() for name in sent} == {"x-mine"}


def test_ministack_still_needs_other_names_for_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []

    def run(_function: Any, event: Any) -> dict[str, Any]:
        events.append(event)
        headers = {"WWW-Authenticate": "Bearer", "Via": "x"}
        return {"body": {"statusCode": 401, "body": "", "headers": headers}}

    monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", run)
    monkeypatch.setattr(
        lambda_svc, "_get_func_record_for_ref_in_scope", lambda *_, **__: ({}, {}, "f")
    )
    api = proxy_api()

    with request_scope(ACCOUNT, "us-east-1"):
        _, headers, _ = asyncio.run(
            apigateway_v1.handle_execute(api, "live", "GET", "/", {"max-forwards": "1"}, b"", {})
        )

    assert {"WWW-Authenticate", "Via"} <= set(headers)
    assert "max-forwards" in events[0]["headers"]


def test_ministack_still_needs_a_case_for_required_headers() -> None:
    method = {"requestParameters": {"method.request.header.Once": True}}

    assert apigateway_v1._missing_request_parameters(method, {}, {"once": "x"}, {}) == []


@pytest.mark.parametrize(("required", "status"), [("Once", 400), ("once", 200)])
def test_a_required_header_is_looked_for_in_its_own_case(
    stack: Stack, required: str, status: int
) -> None:
    gateway, api = stack.emulator.client("apigateway", REGION), stack.apis[REGION]
    resources = gateway.get_resources(restApiId=api)["items"]
    root = next(one["id"] for one in resources if one["path"] == "/")
    address = {"restApiId": api, "resourceId": root, "httpMethod": "ANY"}
    validator = gateway.create_request_validator(
        restApiId=api, name="parameters", validateRequestParameters=True
    )["id"]
    parameter = f"/requestParameters/method.request.header.{required}"
    added = [
        {"op": "replace", "path": "/requestValidatorId", "value": validator},
        {"op": "add", "path": parameter, "value": "true"},
    ]
    gateway.update_method(**address, patchOperations=added)
    try:
        # Whatever a client writes arrives in lower case, as HTTP/2 has it.
        assert stack.get(REGION, "/", headers={"Once": "x"}).status_code == status
        assert stack.get(REGION, "/").status_code == 400
    finally:
        removed = [
            {"op": "remove", "path": parameter},
            {"op": "remove", "path": "/requestValidatorId"},
        ]
        gateway.update_method(**address, patchOperations=removed)
        gateway.delete_request_validator(restApiId=api, requestValidatorId=validator)
    assert stack.get(REGION, "/").status_code == 200
