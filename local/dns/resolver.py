"""A client-side resolver with a cache: names through the DNS server, TTLs honoured."""

from __future__ import annotations

from collections.abc import Callable

import dns.exception
import dns.name
import dns.resolver

TIMEOUT_SECONDS = 2.0


class NameLookupError(OSError):
    """A name could not be resolved: it doesn't exist, has no address, or nobody answered."""


def cached_lookup(host: str, port: int) -> Callable[[str], str]:
    """Return a function from a name to its IPv4 address, by the DNS server at `host` and `port`.

    An answer is kept for the least TTL of its chain, as CloudFront's resolver does between a
    failover name and an address; that there is none, for the SOA's negative TTL (RFC 2308, 5).
    The function raises NameLookupError, and may be called from several threads: a resolution holds
    its own state, and the cache has a lock.
    """
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], port
    resolver.timeout = resolver.lifetime = TIMEOUT_SECONDS
    resolver.cache = dns.resolver.Cache()

    def lookup(name: str) -> str:
        try:
            answer = resolver.resolve(dns.name.from_text(name), "A")
        except dns.exception.DNSException as problem:
            raise NameLookupError(f"{name}: {problem}") from problem
        return str(answer[0])

    return lookup
