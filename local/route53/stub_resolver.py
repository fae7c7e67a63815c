"""A client-side resolver with a cache: names through the bench's DNS server, TTLs honoured.

What CloudFront's resolver or a phone's does between a name and an address: every record set is kept
for its own TTL, so a CNAME of 10 s is asked again although the address behind it stays for 60 s.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

_LONGEST_CHAIN = 8

Exchange = Callable[[dns.message.Message], dns.message.Message]


class NameLookupError(OSError):
    """A name could not be resolved: it doesn't exist, has no such record, or nobody answered."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Addresses of a name, the names on the way to them, and the seconds that all of it holds."""

    addresses: tuple[str, ...]
    chain: tuple[str, ...]
    ttl: float


@dataclass(frozen=True, slots=True)
class _Cached:
    values: tuple[str, ...]
    expires: float
    missing: str = ""


def exchange_with(host: str, port: int, timeout: float = 2.0) -> Exchange:
    """Return a way to ask a DNS server over UDP, and over TCP when its answer was cut."""

    def exchange(query: dns.message.Message) -> dns.message.Message:
        answer, _ = dns.query.udp_with_fallback(query, host, timeout=timeout, port=port)
        return answer

    return exchange


class StubResolver:
    """Resolves names through `exchange`; safe to use from several threads."""

    def __init__(self, exchange: Exchange, clock: Callable[[], float] = time.monotonic) -> None:
        self._exchange = exchange
        self._clock = clock
        self._cache: dict[tuple[str, str], _Cached] = {}
        self._lock = threading.Lock()

    def resolve(self, name: str, rdtype: str = "A") -> Resolution:
        """Resolve a name to addresses; raises NameLookupError."""
        asked = dns.name.from_text(name).canonicalize().to_text()
        with self._lock:
            return self._resolve(asked, rdtype)

    def address(self, name: str) -> str | None:
        """Return a name's first IPv4 address, or None when it can't be resolved."""
        try:
            return next(iter(self.resolve(name).addresses), None)
        except NameLookupError:
            return None

    async def resolve_async(self, name: str, rdtype: str = "A") -> Resolution:
        """Resolve a name without holding the event loop up."""
        return await asyncio.to_thread(self.resolve, name, rdtype)

    def forget(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._cache.clear()

    def _resolve(self, name: str, rdtype: str) -> Resolution:
        chain = [name]
        holds: list[float] = []
        while len(chain) <= _LONGEST_CHAIN:
            found, is_alias = self._look_up(chain[-1], rdtype)
            holds.append(found.expires)
            if found.missing:
                raise NameLookupError(f"{name}: {found.missing}")
            if not is_alias:
                ttl = max(0.0, min(holds) - self._clock())
                return Resolution(found.values, tuple(chain), ttl)
            chain.append(found.values[0])
        raise NameLookupError(f"{name}: more than {_LONGEST_CHAIN} names in a row")

    def _look_up(self, name: str, rdtype: str) -> tuple[_Cached, bool]:
        cached = self._cached(name, rdtype)
        if cached is not None:
            return cached
        fresh = self._ask(name, rdtype)
        for key in ((name, "CNAME"), (name, rdtype)):
            if key in fresh:
                return fresh[key], key[1] != rdtype
        raise NameLookupError(f"{name}: the answer says nothing about it")

    def _cached(self, name: str, rdtype: str) -> tuple[_Cached, bool] | None:
        now = self._clock()
        for kind in ("CNAME", rdtype):
            held = self._cache.get((name, kind))
            if held is not None and held.expires > now:
                return held, kind != rdtype
        return None

    def _ask(self, name: str, rdtype: str) -> dict[tuple[str, str], _Cached]:
        try:
            answer = self._exchange(dns.message.make_query(name, rdtype, use_edns=0))
        except (OSError, dns.exception.DNSException) as problem:
            raise NameLookupError(f"{name}: no answer ({problem})") from problem
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise NameLookupError(f"{name}: {dns.rcode.to_text(answer.rcode())}")
        fresh = dict(self._kept(rrset) for rrset in answer.answer)
        end = _end_of_chain(name, fresh)
        if (end, rdtype) not in fresh and _says_missing(answer):
            fresh[(end, rdtype)] = self._missing(answer, end, rdtype)
        self._cache.update(fresh)
        return fresh

    def _kept(self, rrset: dns.rrset.RRset) -> tuple[tuple[str, str], _Cached]:
        key = (rrset.name.canonicalize().to_text(), dns.rdatatype.to_text(rrset.rdtype))
        names = rrset.rdtype == dns.rdatatype.CNAME
        values = tuple(
            record.target.canonicalize().to_text() if names else record.to_text()
            for record in rrset
        )
        return key, _Cached(values, self._clock() + rrset.ttl)

    def _missing(self, answer: dns.message.Message, name: str, rdtype: str) -> _Cached:
        # Negative answers hold for the SOA's TTL, at most its minimum (RFC 2308, 5).
        holds = min(
            (
                min(rrset.ttl, rrset[0].minimum)
                for rrset in answer.authority
                if rrset.rdtype == dns.rdatatype.SOA
            ),
            default=0,
        )
        exists = answer.rcode() == dns.rcode.NOERROR
        why = f"{name} has no {rdtype} record" if exists else f"{name} doesn't exist"
        return _Cached((), self._clock() + holds, why)


def _says_missing(answer: dns.message.Message) -> bool:
    soa = any(rrset.rdtype == dns.rdatatype.SOA for rrset in answer.authority)
    return soa or answer.rcode() == dns.rcode.NXDOMAIN


def _end_of_chain(name: str, fresh: dict[tuple[str, str], _Cached]) -> str:
    for _ in range(_LONGEST_CHAIN):
        link = fresh.get((name, "CNAME"))
        if link is None:
            return name
        name = link.values[0]
    return name
