"""Where a request on the HTTPS port goes, by its host name and the address that it came to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from local import edge, single_write
from local.faults import AbortError, Faults
from local.gateway import endpoints
from local.http_messages import Receive, Response, Scope, Send, TooLargeError, host, read, respond
from local.patches.chain import Step
from local.patches.cloudfront import Distribution
from local.settings import LOOPBACK

# CloudFront takes 20 GB (cloudfront-limits), all of it streamed; here a request is read whole.
EDGE_PAYLOAD = 64 * 1024 * 1024


class Router:
    """Serves the distributions' names and the Regions' endpoints."""

    def __init__(self, faults: Faults, way: Sequence[Step]) -> None:
        self._faults = faults
        self._way = way

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: answer one request."""
        try:
            await respond(send, await self._answer(scope, receive))
        except AbortError:
            single_write.abort_connection()

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        name, address = host(scope), scope["server"][0]
        domain = endpoints.resolve_domain(name, address)
        if address == LOOPBACK and domain is None:
            distribution = edge.distribution_of(name)
            if distribution is not None:
                return await self._at_the_edge(distribution, scope, receive)
        region = domain.region if domain else endpoints.region_at(address)
        if region and self._faults.shuts(region):
            raise AbortError
        return await endpoints.answer(scope, receive, region, domain, self._way)

    async def _at_the_edge(
        self, distribution: Distribution, scope: Scope, receive: Receive
    ) -> Response:
        try:
            request = await read(scope, receive, host(scope), str(uuid.uuid4()), EDGE_PAYLOAD)
        except TooLargeError:
            return edge.too_large()
        return await edge.answer(distribution, request)
