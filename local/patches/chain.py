"""A request's way through a Region: each step around it and in it, in order.

`steps` is the list, in the order of AWS (docs.aws.amazon.com/apigateway/latest/developerguide/
api-gateway-create-api-step-by-step.html for the method's own part; a web ACL is weighed before all
other access control, apigateway-control-access-aws-waf.html). What a step leaves for the others
stands in the context that travels with the request. ministack's steps are called one by one, in the
place of its own `handle_execute`, so that nothing is wrapped and the order stands nowhere else.
"""

from __future__ import annotations

import contextvars
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from ministack.core.responses import request_scope
from ministack.services import apigateway_v1 as gateway
from ministack.services import waf

from local import gateway_headers
from local.http_messages import Headers, Receive, Request, Response
from local.patches import payloads
from local.records import Authorization, GatewayRecord, Integration
from local.waf import Verdict

Document = dict[str, Any]


@dataclass(slots=True)
class FunctionCall:
    """The gateway's call of a function; `request_id` is the function's, once it runs.

    `segment_id` is that of the call's subsegment in X-Ray. Times are seconds since the epoch.
    """

    reference: str
    segment_id: str = field(default_factory=lambda: secrets.token_hex(8))
    start: float = field(default_factory=time.time)
    end: float = 0.0
    request_id: str | None = None


@dataclass(slots=True)
class RequestContext:
    """A request on its way, and what its steps leave behind.

    `region` is where it came to, `account` the one in which the host name is a custom domain
    there, None for a name that leads nowhere. `headers` are those that go on to the function.
    """

    request: Request
    receive: Receive
    region: str | None
    account: str | None
    headers: Headers
    # Left by find_stage.
    api_id: str = ""
    api: Document = field(default_factory=dict)
    stage_name: str = ""
    stage: Document = field(default_factory=dict)
    path: str = "/"
    # Left by the step that traces: what goes on to the function.
    trace_header: str = ""
    # Left by find_method.
    resource: Document = field(default_factory=dict)
    method: Document = field(default_factory=dict)
    path_parameters: Document = field(default_factory=dict)
    # Left by authorize.
    authorizer_context: Document | None = None
    authorization: Authorization | None = None
    # Left by whoever refuses, and by the call of the function.
    response_type: str | None = None
    waf_status: int | None = None
    call: FunctionCall | None = None
    integration: Integration | None = None

    @property
    def scope(self) -> tuple[str, str]:
        """Account and Region."""
        return self.account or "", self.region or ""

    @property
    def api_name(self) -> str:
        """The API's name."""
        return str(self.api["name"])

    @property
    def is_traced(self) -> bool:
        """Whether the stage takes part in traces."""
        # A patch leaves it as text.
        return str(self.stage.get("tracingEnabled")).lower() == "true"

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the query string, each with all its values."""
        return parse_qs(self.request.query, keep_blank_values=True)


Proceed: TypeAlias = Callable[[], Awaitable[Response]]
Step: TypeAlias = Callable[[RequestContext, Proceed], Awaitable[Response]]

# The request that is being answered, for what ministack calls without passing it on.
current: contextvars.ContextVar[RequestContext | None] = contextvars.ContextVar(
    "current", default=None
)


class RefusedError(Exception):
    """The gateway answers by itself: one of its gateway responses."""

    def __init__(self, error: Any) -> None:  # noqa: ANN401 - ministack's _GatewayError
        super().__init__(error.response_type)
        self.error = error


@dataclass(frozen=True, slots=True)
class Services:
    """What other rooms do with a request: faults, the web ACL's verdict, traces, records."""

    apply_fault: Step
    evaluate_web_acl: Callable[[str, Request], Verdict]
    trace: Step
    listeners: Sequence[Callable[[GatewayRecord], None]]


def steps(services: Services) -> tuple[Step, ...]:
    """Every step that a request passes on its way to the function, the outermost first."""
    return (
        services.apply_fault,
        add_ids,
        find_stage,
        _recording(services.listeners),
        _evaluating(services.evaluate_web_acl),
        services.trace,
        answer_refusals,
        find_method,
        authorize,
        throttle,
        validate,
        call_integration,
    )


async def answer(context: RequestContext, way: Sequence[Step]) -> Response:
    """What comes of a request that goes this way."""
    token = current.set(context)
    try:
        return await _pass(context, way)
    finally:
        current.reset(token)


async def _pass(context: RequestContext, way: Sequence[Step]) -> Response:
    return await way[0](context, lambda: _pass(context, way[1:]))


async def add_ids(context: RequestContext, proceed: Proceed) -> Response:
    """Give every answer the ids that API Gateway knows it by."""
    status, headers, body = await proceed()
    ids = {
        "x-amzn-requestid": context.request.request_id,
        "x-amz-apigw-id": context.request.extended_id,
    }
    return status, {name.lower(): value for name, value in headers.items()} | ids, body


async def find_stage(context: RequestContext, proceed: Proceed) -> Response:
    """Find the stage that the custom domain leads to; a name that leads nowhere is a 403."""
    if context.account is None:
        return forbidden()
    with request_scope(*context.scope):
        mapping = gateway.resolve_base_path_mapping(context.request.name, context.request.path)
        api_id, stage_name, path = mapping or ("", "", "/")
        if not stage_name:
            stage_name, _, rest = path.lstrip("/").partition("/")
            path = f"/{rest}"
        api = gateway._rest_apis.get(api_id)
        stage = gateway._stages_v1.get(api_id, {}).get(stage_name)
        if api is None or stage is None:
            return forbidden()
        context.api_id, context.api, context.path = api_id, api, path
        context.stage_name, context.stage = stage_name, stage
        return await proceed()


def forbidden() -> Response:
    """API Gateway's answer for a name or a base path that leads nowhere."""
    headers = {"content-type": "application/json", "x-amzn-errortype": "ForbiddenException"}
    return 403, headers, b'{"message":"Forbidden"}'


def _recording(listeners: Sequence[Callable[[GatewayRecord], None]]) -> Step:
    async def record(context: RequestContext, proceed: Proceed) -> Response:
        """Hand on a record of the request, for metrics and the access log."""
        response = await proceed()
        made = _record(context, response)
        for listen in listeners:
            listen(made)
        return response

    return record


def _evaluating(verdict_of: Callable[[str, Request], Verdict]) -> Step:
    async def evaluate_web_acl(context: RequestContext, proceed: Proceed) -> Response:
        """Weigh the stage's web ACL, where it has one."""
        arn = f"arn:aws:apigateway:{context.region}::/restapis/{context.api_id}/stages/"
        web_acl = waf._associations.get(arn + context.stage_name)
        if web_acl is None:
            return await proceed()
        verdict = verdict_of(web_acl, context.request)
        context.waf_status = 200 if verdict.allowed else 403
        if verdict.allowed:
            return await proceed()
        if verdict.status is not None:
            return verdict.status, dict(verdict.headers), verdict.body
        error = gateway._GatewayError("WAF_FILTERED", "Forbidden", "ForbiddenException")
        return _refusal(context, error)

    return evaluate_web_acl


async def answer_refusals(context: RequestContext, proceed: Proceed) -> Response:
    """Answer what a later step refuses with the API's gateway response for it."""
    try:
        return await proceed()
    except RefusedError as refused:
        return _refusal(context, refused.error)


async def find_method(context: RequestContext, proceed: Proceed) -> Response:
    """Find the resource and the method that serve the path; nothing there is a 403."""
    resource, parameters = _resource(context)
    if resource is None:
        raise RefusedError(
            gateway._gw_error("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        )
    context.resource, context.path_parameters = resource, parameters
    methods = resource["resourceMethods"]
    context.method = methods.get(context.request.method) or methods["ANY"]
    return await proceed()


async def authorize(context: RequestContext, proceed: Proceed) -> Response:
    """Have the method's authorizer look at the token."""
    start = time.time()
    refused, authorized = await gateway._authorize_request_v1(
        context.api_id, context.stage_name, context.method, context.request.method, context.path,
        context.resource, context.headers, context.request.body, context.query,
        context.path_parameters, context.stage, *context.scope,
    )  # fmt: skip
    if context.method.get("authorizerId"):
        claims = (authorized or {}).get("claims") or {}
        context.authorization = Authorization(
            start=start,
            end=time.time(),
            status=_status_of(refused) if refused else 200,
            error=refused.message if refused else None,
            sub=claims.get("sub"),
        )
    _raise(refused)
    context.authorizer_context = authorized
    return await proceed()


async def throttle(context: RequestContext, proceed: Proceed) -> Response:
    """Hold the request against the method's limits."""
    method, path = context.request.method, context.resource["path"]
    _raise(
        gateway._check_throttle(
            context.stage, context.api_id, context.stage_name, path, method, None
        )
    )
    return await proceed()


async def validate(context: RequestContext, proceed: Proceed) -> Response:
    """Check parameters and body as the method's validator asks for."""
    _raise(
        gateway._check_request_validation(
            context.method, context.api_id, _as_ministack(context), context.headers,
            context.request.body, context.query,
        )
    )  # fmt: skip
    integration = context.method.get("methodIntegration") or {}
    _raise(gateway._check_passthrough_behavior(integration, context.headers))
    return await proceed()


async def call_integration(context: RequestContext, proceed: Proceed) -> Response:
    """Call the function, or answer as a mock does: the end of the way."""
    del proceed
    integration = context.method.get("methodIntegration") or {}
    if integration.get("type") == "MOCK":
        response = gateway._invoke_mock_v1(integration)
    elif integration.get("type") == "AWS_PROXY":
        account, region = context.scope
        response = await gateway._invoke_lambda_proxy_v1(
            integration, context.api_id, context.stage_name, context.stage, context.resource,
            context.path, context.request.method, gateway_headers.to_function(context.headers),
            context.request.body, context.query, context.path_parameters,
            owner_account_id=account, owner_region=region,
            binary_media_types=context.api.get("binaryMediaTypes") or [],
            authorizer_context=context.authorizer_context,
        )  # fmt: skip
    else:
        message = f"Integration type {integration.get('type')} is not emulated"
        response = gateway._gw_error("API_CONFIGURATION_ERROR", message)
    if isinstance(response, gateway._GatewayError):
        raise RefusedError(response)
    status, headers, body = response
    return status, gateway_headers.to_client(headers), body


def note_calls() -> None:
    """Note in the context which function the gateway calls, and what came of it.

    An event that is larger than Lambda takes never reaches the function (`payloads`). A call that
    Lambda refuses as one too many is a failure of the gateway's: callers report its 500, of which
    AWS says as much (repost.aws/knowledge-center/api-gateway-internal-server-error, "Throttling");
    of which type it is, is documented nowhere. ministack hands on Lambda's own 429.
    """
    call: Callable[..., Awaitable[tuple[Any, str | None]]] = gateway._call_lambda_raw

    async def call_lambda_raw(
        reference: str,
        event: Any,  # noqa: ANN401
        **scope: Any,  # noqa: ANN401
    ) -> tuple[Any, str | None]:
        context = current.get()
        if context is None:
            return await call(reference, event, **scope)
        if payloads.size(event) > payloads.MAX_PAYLOAD:
            raise RefusedError(gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long"))
        made = context.call = FunctionCall(reference)
        result, missing = await call(reference, event, **scope)
        made.end = time.time()
        context.integration = _integration(made, result or {}, missing=bool(missing))
        if (result or {}).get("throttle"):
            raise RefusedError(gateway._gw_error("DEFAULT_5XX", "Internal server error"))
        return result, missing

    gateway._call_lambda_raw = call_lambda_raw


async def too_large(context: RequestContext, proceed: Proceed) -> Response:
    """Answer a body beyond 10 MB, in the place of what follows `add_ids`: nobody has read it."""
    del proceed
    error = gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
    with request_scope(*context.scope):
        mapping = gateway.resolve_base_path_mapping(context.request.name, "/")
        stage = gateway._stages_v1.get(mapping[0], {}).get(mapping[1]) if mapping else None
        if mapping is None or stage is None:
            headers = {"content-type": "application/json"}
            return 413, headers, b'{"message": "Request Too Long"}'
        context.api_id, context.stage_name, context.stage = mapping[0], mapping[1], stage
        return _refusal(context, error)


def _raise(error: Any) -> None:  # noqa: ANN401 - ministack's _GatewayError, or None
    if error is not None:
        raise RefusedError(error)


def _refusal(context: RequestContext, error: Any) -> Response:  # noqa: ANN401
    context.response_type = error.response_type
    response: Response = gateway._gateway_error_response(error, _as_ministack(context))
    return response


def _as_ministack(context: RequestContext) -> Document:
    """The request as ministack's gateway responses and validators read it."""
    return {
        "api_id": context.api_id,
        "stage_name": context.stage_name,
        "stage": context.stage,
        "headers": context.headers,
        "query_params": context.query,
        "path_params": context.path_parameters,
        "resource_path": context.resource.get("path", ""),
        "request_id": context.request.request_id,
    }


def _resource(context: RequestContext) -> tuple[Document | None, Document]:
    """The resource that has the request's method, and the parameters of its path."""
    segments = [segment for segment in context.path.split("/") if segment]
    method = context.request.method
    found, parameters = gateway._match_resource_tree(context.api_id, segments)
    if not _serves(found, method):
        found, parameters = gateway._match_greedy_fallback(context.api_id, segments, method)
    return (found, parameters or {}) if _serves(found, method) else (None, {})


def _serves(resource: Document | None, method: str) -> bool:
    return not {method, "ANY"}.isdisjoint((resource or {}).get("resourceMethods", {}))


def _status_of(refused: Any) -> int:  # noqa: ANN401 - ministack's _GatewayError
    default: Document = gateway._default_gateway_response(refused.response_type)
    return int(default.get("statusCode") or 403)


def _integration(call: FunctionCall, result: Document, *, missing: bool) -> Integration:
    status = 404 if missing else 429 if result.get("throttle") else 200
    error = None
    if status != 200:
        error = f"Lambda invocation failed with status: {status}."
    elif result.get("error"):
        error = (
            f"Lambda execution failed with status 200 due to customer function error. "
            f"Lambda request id: {call.request_id}"
        )
    answered = result.get("body")
    return Integration(
        start=call.start,
        end=call.end,
        status=status,
        function_status=answered.get("statusCode") if isinstance(answered, dict) else None,
        request_id=call.request_id,
        error=error,
    )


def _record(context: RequestContext, response: Response) -> GatewayRecord:
    request = context.request
    status, _, body = response
    resource = context.resource or _resource(context)[0] or {}
    return GatewayRecord(
        scope=context.scope,
        api_id=context.api_id,
        api_name=context.api_name,
        stage=context.stage_name,
        domain_name=request.name,
        protocol=request.protocol,
        method=request.method,
        resource=resource.get("path"),
        status=status,
        response_type=context.response_type,
        response_length=len(body),
        start=request.received,
        end=time.time(),
        integration=context.integration,
        authorization=context.authorization,
        waf_status=context.waf_status,
        request_id=request.request_id,
        extended_id=request.extended_id,
        trace_root=_trace_root(context.trace_header),
        edge_request_id=context.headers.get("x-amz-cf-id"),
        source_ip=request.client,
    )


def _trace_root(header: str) -> str | None:
    roots = (part.strip() for part in header.split(";"))
    return next((part[5:] for part in roots if part.startswith("Root=")), None)
