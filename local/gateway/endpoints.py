"""Which Region and which custom domain a request is for, and its way through the Region.

Each Region has an address of its own (`local.addressing`), where it answers for all of its custom
domains. At 127.0.0.1, where curl and browsers find every name under `.localhost`, a name leads to
its Region when it is registered in that one alone.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from local import addressing
from local.http_messages import (
    Headers,
    Receive,
    Request,
    Response,
    Scope,
    TooLargeError,
    host,
    read,
)
from local.patches import chain, custom_domains
from local.patches.chain import RequestContext, Step
from local.patches.custom_domains import Domain
from local.settings import LOOPBACK

# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: payload size 10 MB.
MAX_PAYLOAD = 10 * 1024 * 1024
REQUEST_ID = b"x-amzn-requestid"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def region_at(address: str) -> str | None:
    """The Region whose own address this is."""
    deployed = custom_domains.deployed_regions()
    return next((region for region in deployed if addressing.address(region) == address), None)


def resolve_domain(name: str, address: str) -> Domain | None:
    """The custom domain that a host name leads to at one of this machine's addresses."""
    domains = custom_domains.registered(name)
    if address == LOOPBACK:
        # A name of several Regions is for DNS to decide, and curl asks none.
        return domains[0] if len(domains) == 1 else None
    return next((each for each in domains if addressing.address(each.region) == address), None)


async def answer(
    scope: Scope, receive: Receive, region: str | None, domain: Domain | None, way: Sequence[Step]
) -> Response:
    """What a Region answers to a request that came to it."""
    sent_id = request_id(scope)
    try:
        request = await read(scope, receive, host(scope), sent_id, MAX_PAYLOAD)
    except TooLargeError:
        request = _unread(scope, sent_id)
        way = (chain.add_ids, chain.too_large if domain else chain.find_stage)
    context = RequestContext(
        request=request,
        receive=receive,
        region=region,
        account=domain.account if domain else None,
        headers=_as_gateway_sends(request),
    )
    return await chain.answer(context, way)


def request_id(scope: Scope) -> str:
    """The id of a request to API Gateway, `$context.requestId`: the client's own, if it sends one.

    "Clients can override the value in the x-amzn-RequestId header" (docs.aws.amazon.com/apigateway/
    latest/developerguide/set-up-logging.html). Its values are not documented: here, a UUID.
    """
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == REQUEST_ID]
    return sent[0] if len(sent) == 1 and UUID.fullmatch(sent[0]) else str(uuid.uuid4())


def _unread(scope: Scope, sent_id: str) -> Request:
    """The head of a request whose body is more than is taken."""
    return Request(
        name=host(scope),
        method=scope["method"],
        path=scope["path"],
        raw_path=scope["raw_path"].decode("latin-1"),
        query="",
        headers={},
        body=b"",
        client=LOOPBACK,
        request_id=sent_id,
    )


def _as_gateway_sends(request: Request) -> Headers:
    """The viewer's headers and those that API Gateway adds for the integration."""
    headers = dict(request.headers)
    before = headers.get("x-forwarded-for")
    headers["x-forwarded-for"] = f"{before}, {request.client}" if before else request.client
    headers["x-forwarded-port"] = "443"
    headers["x-forwarded-proto"] = "https"
    return headers
