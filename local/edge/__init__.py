"""The edge: CloudFront's distributions, emulated by ministack, reach the regional endpoints.

distributions   what a distribution answers to a viewer
functions       CloudFront Functions, and the origins that they choose
origins         how origins are asked, one or a group in turn
connections     how an origin is dialled, and which connections are kept
exchange        one request at the edge, and what became of it at the origin

ministack emulates a distribution's behaviours, policies and headers. What is ours is how its origin
is found and asked, as CloudFront does it: by DNS with its TTLs, over TLS with the origin's own
name, within the distribution's timeouts.

Not emulated: caching (the distribution here caches nothing, its errors included), compression
(which CloudFront does for what it may cache), and geographic restrictions.
"""

from local.edge.connections import Connections
from local.edge.distributions import answer, distribution_of, listeners, too_large
from local.edge.origins import Edge, install

__all__ = ["Connections", "Edge", "answer", "distribution_of", "install", "listeners", "too_large"]
