"""Patches of API Gateway's updates: without them, a changed module can't be applied again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import apigateway_v1 as gateway

Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]
Document = dict[str, Any]

# Names in a method's maps, whose values are booleans (an integration's are mappings).
FLAGS = ("method.request.", "method.response.")
# Switches of an API that it does not have until they are first set.
SWITCHES = ("disableExecuteApiEndpoint",)
TRUTH = {"true": True, "false": False}


def patch_operations() -> None:
    """A patch spoils what it changes, as ministack takes every value as it comes.

    `~1` in a path stays as it is (RFC 6901: a slash, as in `application/json`), booleans and
    numbers become text that no client can read, and a list that is added to becomes the value.
    """
    gateway._apply_patch = apply_patch


def update_responses() -> None:
    """UpdateMethodResponse and UpdateIntegrationResponse are missing."""
    original: Handler = gateway.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Document
    ) -> Response:
        parts = path.strip("/").split("/")
        if method == "PATCH" and parts[0] == "restapis" and "responses" in parts[6:-1]:
            return _update_response(parts, json.loads(body or b"{}"))
        return await original(method, path, headers, body, query)

    gateway.handle_request = handle_request


def apply_patch(document: Document, operations: list[Document]) -> Document:
    """Apply API Gateway's patch operations, in place, keeping the types of what they change."""
    for operation in operations:
        *parents, last = map(_decoded, operation["path"].lstrip("/").split("/"))
        place: Any = document
        for name in parents:
            if isinstance(place, dict):
                place = place.setdefault(name, {})
        if isinstance(place, list):
            _change_list(place, operation["op"], last)
        elif isinstance(place.get(last), list) and operation.get("value") is not None:
            _change_list(place[last], operation["op"], operation["value"])
        elif operation["op"] == "remove":
            place.pop(last, None)
        else:
            place[last] = _typed(last, place.get(last), operation.get("value"))
    return document


def _change_list(values: list[Any], operation: str, value: str) -> None:
    if operation == "replace":
        values[:] = [value]
    elif operation == "remove":
        values[:] = [kept for kept in values if kept != value]
    elif value not in values:
        values.append(value)


def _typed(name: str, before: object, value: Any) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(before, bool) or name in SWITCHES or name.startswith(FLAGS):
        return TRUTH.get(str(value).lower(), value)
    if isinstance(before, int) and str(value).lstrip("-").isdecimal():
        return int(value)
    return value


def _decoded(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _update_response(parts: list[str], patch: Document) -> Response:
    # restapis/{api}/resources/{resource}/methods/{method}[/integration]/responses/{status}
    found: Any = gateway._resources.get(parts[1], {}).get(parts[3], {}).get("resourceMethods", {})
    method = found.get(parts[5], {})
    responses = method.get("methodResponses", {})
    if parts[6] == "integration":
        responses = (method.get("methodIntegration") or {}).get("integrationResponses", {})
    response = responses.get(parts[-1])
    if response is None:
        message = "Invalid Response status code specified"
        missing: Response = gateway._v1_error("NotFoundException", message, 404)
        return missing
    changed = apply_patch(response, patch.get("patchOperations", []))
    answer: Response = gateway._v1_response(changed)
    return answer


PATCHES = (patch_operations, update_responses)
