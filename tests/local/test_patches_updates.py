"""API Gateway's updates: what ministack alone makes of a patch, and what the emulator does."""

import asyncio
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import apigateway_v1

from local.patches.api_gateway_updates import apply_patch
from tests.support.emulator import Emulator

BEFORE: dict[str, Any] = {
    "models": {},
    "enabled": False,
    "timeout": 29000,
    "arns": ["a"],
    "parameters": {},
}
# What is patched → what AWS makes of it.
PATCHES = [
    ({"op": "add", "path": "/models/application~1json", "value": "Item"},
     {"models": {"application/json": "Item"}}),
    ({"op": "replace", "path": "/enabled", "value": "true"}, {"enabled": True}),
    ({"op": "replace", "path": "/timeout", "value": "5000"}, {"timeout": 5000}),
    ({"op": "add", "path": "/arns", "value": "b"}, {"arns": ["a", "b"]}),
    ({"op": "remove", "path": "/arns", "value": "a"}, {"arns": []}),
    ({"op": "add", "path": "/arns/c~1d", "value": ""}, {"arns": ["a", "c/d"]}),
    ({"op": "add", "path": "/parameters/method.response.header.etag", "value": "true"},
     {"parameters": {"method.response.header.etag": True}}),
]  # fmt: skip


def _fresh() -> dict[str, Any]:
    return {
        name: value.copy() if hasattr(value, "copy") else value for name, value in BEFORE.items()
    }


@pytest.mark.parametrize(("patch", "changed"), PATCHES)
def test_ministack_still_needs_patches_that_keep_types(
    patch: dict[str, str], changed: dict[str, Any]
) -> None:
    assert apigateway_v1._apply_patch(_fresh(), [patch]) != BEFORE | changed


@pytest.mark.parametrize(("patch", "changed"), PATCHES)
def test_a_patch_keeps_types_and_decodes_its_path(
    patch: dict[str, str], changed: dict[str, Any]
) -> None:
    assert apply_patch(_fresh(), [patch]) == BEFORE | changed


def test_ministack_still_needs_updates_of_responses() -> None:
    with request_scope("111122223333", "us-east-1"):
        answer = asyncio.run(
            apigateway_v1.handle_request(
                "PATCH", "/restapis/a/resources/r/methods/GET/responses/200", {}, b"{}", {}
            )
        )

    assert b"Unknown API Gateway v1 path" in answer[2]


def test_a_response_of_method_and_integration_can_be_changed(emulator: Emulator) -> None:
    client = emulator.client("apigateway")
    address = emulator.get_method("responses")
    client.put_method_response(**address, statusCode="200")
    client.put_integration(**address, type="MOCK")
    client.put_integration_response(**address, statusCode="200", selectionPattern="")
    header = "method.response.header.etag"

    client.update_method_response(
        **address,
        statusCode="200",
        patchOperations=[{"op": "add", "path": f"/responseParameters/{header}", "value": "true"}],
    )
    client.update_integration_response(
        **address,
        statusCode="200",
        patchOperations=[{"op": "add", "path": f"/responseParameters/{header}", "value": "'1'"}],
    )

    method = client.get_method_response(**address, statusCode="200")
    integration = client.get_integration_response(**address, statusCode="200")
    assert method["responseParameters"] == {header: True}
    assert integration["responseParameters"] == {header: "'1'"}
    with pytest.raises(client.exceptions.NotFoundException):
        client.update_method_response(**address, statusCode="404", patchOperations=[])


def test_the_default_endpoint_can_be_turned_off_and_reads_back(emulator: Emulator) -> None:
    client = emulator.client("apigateway")
    api = client.create_rest_api(name="endpoint")["id"]

    client.update_rest_api(
        restApiId=api,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}],
    )

    assert client.get_rest_api(restApiId=api)["disableExecuteApiEndpoint"] is True
