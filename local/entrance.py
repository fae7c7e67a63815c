"""What a request on the HTTPS port meets: a Region's door, with its fault, or the edge's."""

from __future__ import annotations

import uuid

from local import doors, edge, listeners
from local.doors import Domain, Receive, Response, Scope, Send
from local.faults import CutError, Faults
from local.settings import LOOPBACK

# CloudFront takes 20 GB (cloudfront-limits), all of it streamed; here a request is read whole.
EDGE_PAYLOAD = 64 * 1024 * 1024


async def enter(scope: Scope, receive: Receive, send: Send, faults: Faults) -> None:
    """ASGI: answer one request by its host name and the address it came to."""
    try:
        await doors.respond(send, await _answer(scope, receive, faults))
    except CutError:
        listeners.cut()


async def _answer(scope: Scope, receive: Receive, faults: Faults) -> Response:
    name, address = doors.host(scope), scope["server"][0]
    domain = doors.behind(name, address)
    distribution = edge.distribution_of(name) if address == LOOPBACK and domain is None else None
    if distribution is None:
        return await _at_a_region(scope, receive, faults, domain)
    try:
        request = await doors.read(scope, receive, name, str(uuid.uuid4()), EDGE_PAYLOAD)
    except doors.TooLargeError:
        return edge.too_large()
    return await edge.answer(distribution, request)


async def _at_a_region(
    scope: Scope, receive: Receive, faults: Faults, domain: Domain | None
) -> Response:
    request_id = doors.request_id(scope)
    region = domain.region if domain else doors.region_at(scope["server"][0])
    if region and faults.shuts(region):
        raise CutError
    try:
        request = await doors.read(scope, receive, doors.host(scope), request_id)
    except doors.TooLargeError:
        return doors.too_large(domain, request_id) if domain else doors.forbidden(request_id)
    broken = await faults.at_the_door(region, receive)
    if broken or domain is None:
        return broken or doors.forbidden(request_id)
    return await doors.to_region(domain, request)
