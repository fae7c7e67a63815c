"""What a distribution answers to a viewer: its web ACL first, then its behaviours."""

from __future__ import annotations

import time
from collections.abc import Callable

from local import web_acl
from local.edge.exchange import Exchange, answering
from local.http_messages import Request, Response
from local.patches import cloudfront
from local.patches.cloudfront import Distribution
from local.records import EdgeRecord

# Called with every request that a distribution has answered.
listeners: list[Callable[[EdgeRecord], None]] = []


def distribution_of(name: str) -> Distribution | None:
    """The enabled distribution that a host name leads to: by alias, or by CloudFront's own name."""
    found = (each for each in cloudfront.distributions() if name in map(str.lower, each.names))
    return next(found, None)


async def answer(distribution: Distribution, request: Request) -> Response:
    """What the distribution answers to a viewer."""
    with answering(cloudfront.new_request_id()) as exchange:
        response = (
            _blocked(distribution, request)
            or _bad(request)
            or await cloudfront.viewer_request(distribution, request)
        )
    record = _record(distribution, request, exchange, response)
    for listener in listeners:
        listener(record)
    return response


def _blocked(distribution: Distribution, request: Request) -> Response | None:
    """CloudFront's answer to a request that the distribution's web ACL blocks, else None."""
    verdict = web_acl.verdict_of(cloudfront.web_acl_arn(distribution), request)
    if verdict.allowed:
        return None
    if verdict.status is None:
        return cloudfront.blocked_page()
    return cloudfront.custom_block(verdict.status, verdict.headers, verdict.body)


def _bad(request: Request) -> Response | None:
    """CloudFront's 403 for a GET that includes a body (RequestAndResponseBehaviorCustomOrigin).

    The page names no other method, nor whether the web ACL sees the request first.
    """
    return cloudfront.bad_request_page() if request.method == "GET" and request.body else None


def _record(
    distribution: Distribution, request: Request, exchange: Exchange, response: Response
) -> EdgeRecord:
    status, headers, body = response
    return EdgeRecord(
        account=distribution.account,
        distribution=distribution.id,
        distribution_domain=distribution.domain_name,
        request=request,
        request_id=exchange.request_id,
        status=status,
        headers={name.lower(): str(value) for name, value in headers.items()},
        response_length=len(body),
        end=time.time(),
        origin=exchange.origin,
    )


def too_large() -> Response:
    """CloudFront's answer to a body that it doesn't take."""
    return cloudfront.too_large_page()
