"""Web ACLs at work: which one protects a stage or a distribution, and what it answers.

Reads ministack's WAFv2, which keeps web ACLs and evaluates none; the rules are in `local.waf`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import apigateway_v1 as gateway
from ministack.services import cloudfront, waf

from local import doors
from local.waf import Rates, Verdict, WebRequest, evaluate

logger = logging.getLogger("local.waf")

Response = tuple[int, dict[str, Any], bytes]

_rates = Rates()


@dataclass(frozen=True, slots=True)
class Decision:
    """A web ACL, as WAFv2 describes it, and what it made of a request."""

    web_acl: dict[str, Any]
    verdict: Verdict


# Told of every request that a web ACL has looked at.
listeners: list[Callable[[Decision], None]] = []


def seen(request: doors.Request, source: str) -> WebRequest:
    """A request as WAF sees it: the path as it was sent, whatever it is mapped to behind."""
    return WebRequest(request.method, request.raw_path, request.headers, source)


def at_distribution(distribution: dict[str, Any], request: WebRequest) -> Response | None:
    """CloudFront's answer to a request that the distribution's web ACL blocks, else None."""
    arn = cloudfront._text(cloudfront._dist_config_el(distribution), "WebACLId") or ""
    verdict = _verdict(arn, request)
    if verdict.allowed:
        return None
    if verdict.status is None:
        page: Response = cloudfront._cf_error_response(
            403, "Request blocked.", cloudfront._ERROR_X_CACHE
        )
        return page
    headers = cloudfront._add_cloudfront_headers(
        dict(verdict.headers), cloudfront._ERROR_X_CACHE, edge_server=True
    )
    return verdict.status, headers, b""


def at_stage(api_id: str, stage: str, request: WebRequest, request_id: str) -> Response | None:
    """API Gateway's answer to a request that the stage's web ACL blocks, else None.

    Expects the API's account and Region to be those of the current scope.
    """
    found = gateway._stages_v1.get(api_id, {}).get(stage)
    arn = waf._associations.get(_stage_arn(api_id, stage))
    if found is None or arn is None:
        return None
    verdict = _verdict(arn, request)
    if verdict.allowed:
        return None
    if verdict.status is not None:
        return verdict.status, dict(verdict.headers), b""
    error = gateway._GatewayError("WAF_FILTERED", "Forbidden", "ForbiddenException")
    context = {"api_id": api_id, "stage_name": stage, "stage": found, "headers": request.headers,
               "query_params": {}, "path_params": {}, "resource_path": "",
               "request_id": request_id}  # fmt: skip
    response: Response = gateway._gateway_error_response(error, context)
    return response


def install() -> None:
    """Evaluate a stage's web ACL before anything else of its API, whichever way leads there."""
    execute: Callable[..., Awaitable[Response]] = gateway.handle_execute

    async def handle_execute(  # noqa: PLR0913, PLR0917 - ministack's own
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
    ) -> Response:
        scope = gateway.find_api_scope(api_id)
        if scope is not None:
            request = doors.current.get()
            looked_at = (
                seen(request, request.client)
                if request
                else WebRequest(method, f"/{stage}{path}", headers, "127.0.0.1")
            )
            with request_scope(*scope):
                refused = at_stage(api_id, stage, looked_at, gateway.new_uuid())
            if refused:
                return refused
        return await execute(api_id, stage, method, path, headers, body, query)

    gateway.handle_execute = handle_execute


def _verdict(arn: str, request: WebRequest) -> Verdict:
    web_acl = _by_arn(arn) if arn else None
    if web_acl is None:
        return Verdict(allowed=True)
    verdict = evaluate(web_acl, request, _rates)
    for listener in listeners:
        listener(Decision(web_acl, verdict))
    if not verdict.allowed:
        rule = verdict.rule or "the default action"
        logger.info(
            "%s %s blocked by %s of %s", request.method, request.path, rule, web_acl["Name"]
        )
    return verdict


def _by_arn(arn: str) -> dict[str, Any] | None:
    return next((acl for _, acl in waf._web_acls.all_items() if acl["ARN"] == arn), None)


def _stage_arn(api_id: str, stage: str) -> str:
    region = gateway.get_region()
    return f"arn:aws:apigateway:{region}::/restapis/{api_id}/stages/{stage}"
