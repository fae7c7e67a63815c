"""The edge: CloudFront's distributions, emulated by ministack, reach the regional endpoints.

distributions   what a distribution answers to a viewer
origins         how an origin is found and asked
exchange        one request at the edge, and what became of it at the origin

ministack emulates a distribution's behaviours, policies and headers. What is ours is how its origin
is found and asked, as CloudFront does it: by DNS with its TTLs, over TLS with the origin's own
name, within the distribution's timeouts.

Not emulated: caching (the distribution here caches nothing, its errors included), compression
(which CloudFront does for what it may cache), geographic restrictions, and connections to the
origin that are kept for the next request: each request dials anew, which costs a handshake and
saves the question what a connection to a Region that is gone means for a write.
"""

from local.edge.distributions import answer, distribution_of, listeners, too_large
from local.edge.origins import Edge, install

__all__ = ["Edge", "answer", "distribution_of", "install", "listeners", "too_large"]
