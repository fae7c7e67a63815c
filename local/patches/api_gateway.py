"""Patches of API Gateway (REST)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1 as gateway

from local.patches import chain, custom_domains
from local.patches.scope import Scope, within

Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Awaitable[Response]]
# UpdateBasePathMapping's patch spells one field otherwise than the mapping does.
MAPPING_FIELDS = {"restapiId": "restApiId"}


def stage_of(scope: Scope, api_id: str, name: str) -> dict[str, Any]:
    """A stage as API Gateway keeps it; empty when there is none."""
    with within(scope):
        stage: dict[str, Any] = gateway._stages_v1.get(api_id, {}).get(name) or {}
    return stage


def method_setting(stage: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    """What a stage sets for a method: the method's own setting, or all methods' (`*/*`).

    A method's own setting is whole, so that nothing of `*/*` holds beside it.
    """
    settings = stage.get("methodSettings") or {}
    own = f"{_encoded(path)}/{method}"
    found: dict[str, Any] = settings.get(own) or settings.get("*/*") or {}
    return found


def _encoded(path: str) -> str:
    return path.replace("~", "~0").replace("/", "~1")


def methods_settings_as_aws_names_them() -> None:
    """A method's settings are kept under another name than the one that they were set under.

    UpdateStage's patch names a method `~1health~1ready/GET`, and GetStage gives that name back;
    one whose path isn't encoded is kept, and is no method's
    (github.com/hashicorp/terraform-provider-aws/issues/9738). ministack decodes it, so that
    Terraform makes the settings anew each time.
    """
    gateway._decode_json_pointer_token = _as_it_is
    gateway._method_throttle_settings = method_setting


def _as_it_is(token: str) -> str:
    return token


def defaults_set_the_status_of_the_rest() -> None:
    """The status of DEFAULT_4XX and DEFAULT_5XX changes no other response's.

    On AWS it is that of every response of the family without one of its own
    (supported-gateway-response-types).
    """
    original = gateway._gateway_response_for_type

    def gateway_response_for_type(customized: dict[str, Any], response_type: str) -> dict[str, Any]:
        response: dict[str, Any] = original(customized, response_type)
        family = customized.get(gateway._gateway_response_family(response_type)) or {}
        if response_type not in customized and family.get("statusCode"):
            return {**response, "statusCode": family["statusCode"]}
        return response

    gateway._gateway_response_for_type = gateway_response_for_type


def too_large_is_never_customized() -> None:
    """A gateway response for REQUEST_TOO_LARGE takes effect.

    AWS answers a 413 by itself whatever the API sets (api-gateway-known-issues).
    """
    original = gateway._gateway_error_response

    def gateway_error_response(error: Any, request: dict[str, Any]) -> Response:  # noqa: ANN401
        if error.response_type == "REQUEST_TOO_LARGE":
            request = {**request, "api_id": ""}
        response: Response = original(error, request)
        return response

    gateway._gateway_error_response = gateway_error_response


def base_path_none() -> None:
    """The empty base path is `(none)` in URLs, and clients percent-encode its parentheses.

    ministack keeps a mapping made with an empty path under the empty text, and looks the encoded
    one up: Terraform creates a mapping and can't read it. UpdateBasePathMapping is missing too.
    """
    original: Handler = gateway.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        if path.startswith("/domainnames/"):
            path = unquote(path)
        parts = path.strip("/").split("/")
        if method == "PATCH" and parts[0] == "domainnames" and len(parts) == 4:
            return _update_mapping(parts[1], parts[3], json.loads(body))
        if method == "POST" and parts[0] == "domainnames" and len(parts) == 3:
            mapping = json.loads(body)
            mapping["basePath"] = mapping.get("basePath") or "(none)"
            body = json.dumps(mapping).encode()
        return await original(method, path, headers, body, query)

    gateway.handle_request = handle_request


def update_domain_name() -> None:
    """UpdateDomainName is missing: a changed certificate or TLS policy can't be applied."""
    original: Handler = gateway.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        parts = path.strip("/").split("/")
        if method == "PATCH" and parts[0] == "domainnames" and len(parts) == 2:
            return _update_domain(unquote(parts[1]), json.loads(body))
        return await original(method, path, headers, body, query)

    gateway.handle_request = handle_request


def domain_name_as_aws_tells_it() -> None:
    """A domain name lacks its status, and has a mutualTlsAuthentication that names no truststore.

    Terraform sees a change in every plan, and its update waits for a status that never comes.
    """
    original: Handler = gateway.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        status, answered, document = await original(method, path, headers, body, query)
        parts = path.strip("/").split("/")
        if parts[0] == "domainnames" and len(parts) == 2 and method != "DELETE" and status < 300:
            domain = {"domainNameStatus": "AVAILABLE"} | json.loads(document)
            if not domain.get("mutualTlsAuthentication", {}).get("truststoreUri"):
                domain.pop("mutualTlsAuthentication", None)
            document = json.dumps(domain).encode()
        return status, answered, document

    gateway.handle_request = handle_request


def mock_without_method() -> None:
    """A MOCK integration given no httpMethod reads back POST, and so is replaced every time."""
    original = gateway._put_integration

    def put(api: str, resource: str, method: str, integration: dict[str, Any]) -> Response:
        if integration.get("type") == "MOCK":
            integration = {"httpMethod": None} | integration
        response: Response = original(api, resource, method, integration)
        return response

    gateway._put_integration = put


def mocks_want_a_template() -> None:
    """A MOCK integration answers whatever is sent.

    A body whose Content-Type no template is for reaches the integration as it is (integration-
    passthrough-behaviors), where a mock finds no statusCode in it: users report a 500 ("Unable to
    parse statusCode. It should be an integer defined in the request template").
    """
    original = gateway._check_passthrough_behavior

    def check_passthrough_behavior(integration: dict[str, Any], headers: dict[str, str]) -> Any:  # noqa: ANN401
        refusal = original(integration, headers)
        if refusal is None and integration.get("type") == "MOCK":
            strictly = {**integration, "passthroughBehavior": "NEVER"}
            if original(strictly, headers) is not None:
                return gateway._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
        return refusal

    gateway._check_passthrough_behavior = check_passthrough_behavior


def domain_in_two_regions() -> None:
    """A custom domain registered in two Regions always leads to the first one.

    Here the Region that the request is for, as its address says, comes first.
    """
    original = gateway.find_domain_scope

    def find_domain_scope(domain_name: str) -> tuple[str, str, str] | None:
        here = (get_account_id(), get_region())
        for domain in custom_domains.registered(domain_name):
            if (domain.account, domain.region) == here:
                return domain.account, domain.region, domain.name
        found: tuple[str, str, str] | None = original(domain_name)
        return found

    gateway.find_domain_scope = find_domain_scope


def parameter_names_have_a_case() -> None:
    """The validator finds a required header whatever its case.

    "Header names and query parameters are processed in a case-sensitive way" (api-gateway-known-
    issues, REST APIs). Whether that is true of the validator is documented nowhere, so it is here;
    names of headers arrive in lower case, as HTTP/2 clients send them.
    """
    original = gateway._missing_request_parameters

    def missing_request_parameters(
        method: dict[str, Any],
        request: dict[str, Any],
        headers: dict[str, str],
        query: Any,  # noqa: ANN401
    ) -> list[str]:
        found: list[str] = original(method, request, headers, query)
        prefix = "method.request.header."
        required = [
            name.removeprefix(prefix)
            for name, is_required in (method.get("requestParameters") or {}).items()
            if is_required and name.startswith(prefix)
        ]
        return found + [name for name in required if name not in headers and name not in found]

    gateway._missing_request_parameters = missing_request_parameters


def one_request_id() -> None:
    """Event, gateway responses and the x-amzn-RequestId header each bear an id of their own.

    On AWS `$context.requestId`, the event's `requestContext.requestId` and the header are one.
    """
    original = gateway.new_uuid

    def new_uuid() -> str:
        context = chain.current.get()
        return context.request.request_id if context else original()

    gateway.new_uuid = new_uuid


def event_of_a_custom_domain() -> None:
    """The event lacks `domainName` and `domainPrefix`, and takes its `sourceIp` from a header.

    Its `extendedRequestId` is the request id over again. On AWS `sourceIp` is the connection's
    peer, whatever X-Forwarded-For claims; `path` and `requestContext.path` are the request's.
    """
    original = gateway._build_lambda_event_v1

    def build(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - passed through
        event: dict[str, Any] = original(*args, **kwargs)
        context = chain.current.get()
        if context:
            request, filled = context.request, event["requestContext"]
            filled["domainName"] = request.name
            filled["domainPrefix"] = request.name.partition(".")[0]
            filled["extendedRequestId"] = request.extended_id
            filled["path"] = request.path
            filled["identity"]["sourceIp"] = request.client
        return event

    gateway._build_lambda_event_v1 = build


def _update_mapping(domain: str, base_path: str, patch: dict[str, Any]) -> Response:
    mappings = gateway._base_path_mappings.get(domain, {})
    mapping = mappings.get(base_path)
    if not mapping:
        return _not_found("Invalid base path mapping identifier specified")
    for operation in patch.get("patchOperations", []):
        name = operation["path"].lstrip("/")
        mapping[MAPPING_FIELDS.get(name, name)] = operation.get("value") or ""
    mapping["basePath"] = mapping["basePath"] or "(none)"
    del mappings[base_path]
    mappings[mapping["basePath"]] = mapping
    response: Response = gateway._v1_response(gateway._public_mapping(mapping))
    return response


def _update_domain(name: str, patch: dict[str, Any]) -> Response:
    domain = gateway._domain_names.get(name)
    if not domain:
        return _not_found("Invalid domain name identifier specified")
    gateway._apply_patch(domain, patch.get("patchOperations", []))
    response: Response = gateway._v1_response(domain)
    return response


def _not_found(message: str) -> Response:
    response: Response = gateway._v1_error("NotFoundException", message, 404)
    return response


PATCHES = (
    chain.note_calls,
    methods_settings_as_aws_names_them,
    defaults_set_the_status_of_the_rest,
    too_large_is_never_customized,
    base_path_none,
    update_domain_name,
    domain_name_as_aws_tells_it,
    mock_without_method,
    mocks_want_a_template,
    domain_in_two_regions,
    parameter_names_have_a_case,
    one_request_id,
    event_of_a_custom_domain,
)
