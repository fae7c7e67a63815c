"""Lambda's limit of 6 MB: what ministack by itself lets through, and what the emulator does.

A `..._still_needs_...` test calls ministack as it comes: see test_patches.py.
"""

import asyncio
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core.responses import request_scope
from ministack.services import apigateway_v1, lambda_svc

from local.patches.payloads import MAX_PAYLOAD, size
from tests.local.test_patches import ACCOUNT, proxy_api
from tests.support.emulator import REGIONS, Stack

REGION = REGIONS[0]


def test_the_limit_is_lambdas() -> None:
    assert MAX_PAYLOAD == 6 * 1024 * 1024


def test_ministack_still_needs_a_limit_for_events(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []

    def run(_function: Any, event: Any) -> dict[str, Any]:
        events.append(event)
        return {"body": {"statusCode": 200, "body": ""}}

    monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", run)
    monkeypatch.setattr(
        lambda_svc, "_get_func_record_for_ref_in_scope", lambda *_, **__: ({}, {}, "f")
    )
    api = proxy_api()

    with request_scope(ACCOUNT, "us-east-1"):
        answer = asyncio.run(
            apigateway_v1.handle_execute(api, "live", "GET", "/", {}, b"x" * MAX_PAYLOAD, {})
        )

    assert answer[0] == 200
    assert size(events[0]) > MAX_PAYLOAD


def test_ministack_still_needs_a_limit_for_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lambda_svc, "_execute_function_warm", lambda *_: {"body": "x" * MAX_PAYLOAD}
    )
    monkeypatch.setattr(lambda_svc, "_emit_lambda_logs", lambda *_, **__: None)

    result = lambda_svc._execute_function_dispatch({}, {}, {}, "r", 0.0)

    assert not result.get("error")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (MAX_PAYLOAD - 64 * 1024), 200),
        (b"x" * MAX_PAYLOAD, 413),
        # Six bytes of JSON each, and three of UTF-8: the event is what counts.
        (b"\x00" * (MAX_PAYLOAD // 6), 413),
        (b"\xff" * (MAX_PAYLOAD // 3), 413),
    ],
    ids=["fits", "plain", "escapes", "no utf-8"],
)
def test_an_event_that_is_too_large_reaches_no_function(
    stack: Stack, body: bytes, status: int
) -> None:
    answer = stack.get(REGION, "/size", method="POST", params={"answer": 0}, data=body)

    assert answer.status_code == status
    assert ("x-got" in answer.headers) is (status == 200)
    if status == 413:
        assert answer.json() == {"message": "Request Too Long"}


def test_base64_counts_as_it_grows(stack: Stack) -> None:
    gateway, api = stack.emulator.client("apigateway", REGION), stack.apis[REGION]
    sent: dict[str, Any] = {
        "method": "POST",
        "params": {"answer": 0},
        "data": b"x" * (MAX_PAYLOAD * 3 // 4),
        "headers": {"content-type": "image/png"},
    }
    assert stack.get(REGION, "/size", **sent).status_code == 200

    binary = {"op": "add", "path": "/binaryMediaTypes/image~1png"}
    gateway.update_rest_api(restApiId=api, patchOperations=[binary])
    try:
        assert stack.get(REGION, "/size", **sent).status_code == 413
    finally:
        gateway.update_rest_api(restApiId=api, patchOperations=[{**binary, "op": "remove"}])


def test_ministack_still_needs_a_413_that_stays_as_it_is() -> None:
    own = {"REQUEST_TOO_LARGE": {"statusCode": "400"}}

    assert (
        apigateway_v1._gateway_response_for_type(own, "REQUEST_TOO_LARGE")
        is own["REQUEST_TOO_LARGE"]
    )


def test_no_gateway_response_changes_a_413(stack: Stack) -> None:
    gateway, api = stack.emulator.client("apigateway", REGION), stack.apis[REGION]
    address = {"restApiId": api, "responseType": "REQUEST_TOO_LARGE"}
    gateway.put_gateway_response(
        **address, statusCode="413", responseTemplates={"application/json": '{"send":"less"}'}
    )
    gateway.create_deployment(restApiId=api, stageName="live")
    try:
        answer = stack.get(REGION, "/size", method="POST", data=b"x" * MAX_PAYLOAD)
        assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})
    finally:
        gateway.delete_gateway_response(**address)
        gateway.create_deployment(restApiId=api, stageName="live")


@pytest.mark.parametrize(("length", "status"), [(MAX_PAYLOAD - 1024, 200), (MAX_PAYLOAD, 502)])
def test_an_answer_that_is_too_large_is_the_functions_error(
    stack: Stack, length: int, status: int
) -> None:
    answer = stack.get(REGION, "/size", params={"answer": length})

    assert answer.status_code == status


def test_invoke_has_both_limits(stack: Stack) -> None:
    client = stack.emulator.client("lambda", REGION)
    event = {"path": "/size", "body": "", "queryStringParameters": {"answer": MAX_PAYLOAD}}

    with pytest.raises(ClientError, match="RequestTooLargeException"):
        client.invoke(FunctionName="function", Payload=json.dumps({"x": "x" * MAX_PAYLOAD}))
    failed = client.invoke(FunctionName="function", Payload=json.dumps(event))

    assert failed["FunctionError"]
    assert json.loads(failed["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
