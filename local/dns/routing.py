"""What Route 53 answers to a question: record sets, health and failover, no sockets.

Each rule names its page of the Route 53 Developer Guide (docs.aws.amazon.com/Route53/latest/
DeveloperGuide/<page>.html). Where AWS writes nothing, the DNS standard is followed and the rule
says so.

CNAME records: Route 53 responds "with the name of the record that you want to redirect to. Then the
DNS resolver must submit another query", in the same hosted zone as in another
(resource-record-sets-choosing-alias-non-alias). A question without the RD bit gets just that. A
question *with* it comes from a stub, such as curl or `dig` as typed, that leaves the chasing to the
recursive resolver which stands between it and Route 53 on the internet. Here nothing stands
between, so the rest of the chain is added as that resolver would, every link with its own TTL.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import dns.rrset
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import RdataType
from dns.rrset import RRset

from local.dns.zones import RecordSet, Zone

_log = logging.getLogger(__name__)

# An alias to an AWS resource has the resource's TTL, 60 s for CloudFront and load balancers
# (resource-record-sets-choosing-alias-non-alias); taken as the same for API Gateway.
AWS_RESOURCE_TTL = 60
_MAX_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `recursion_desired` is set by stubs (see the module's page)."""

    name: Name
    type: str
    recursion_desired: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's code and sections."""

    rcode: Rcode
    authoritative: bool = True
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()

    @property
    def addresses(self) -> list[str]:
        """The IPv4 addresses at the end of the chain."""
        found = (rrset for rrset in self.answer if rrset.rdtype == RdataType.A)
        return [record.to_text() for rrset in found for record in rrset]


class _NotEmulatedError(Exception):
    """A record set that the rules don't know; its text names what of it."""


def _always_healthy(_health_check_id: str) -> bool:
    return True


def _no_address(_name: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Routing:
    """Everything that an answer depends on.

    `healthy` gives a health check's status. `resolve_aws_name` gives the IPv4 addresses of an AWS
    resource's name outside of the zones (lower case, with its final dot), none when it doesn't know
    the name.
    """

    zones: Sequence[Zone]
    healthy: Callable[[str], bool] = _always_healthy
    resolve_aws_name: Callable[[str], Sequence[str]] = _no_address

    def answer(self, question: Question) -> Answer:
        """Answer a question; a name outside of the zones is refused, a loop of names fails."""
        zone = _zone_of(question.name, self.zones)
        if zone is None:
            return Answer(Rcode.REFUSED, authoritative=False)
        if question.type == "ANY":
            _log.warning("not emulated: queries of type ANY (%s)", question.name)
            return Answer(Rcode.NOTIMP, authoritative=False)
        try:
            return self._authoritative(zone, question)
        except _NotEmulatedError as problem:
            _log.warning("not emulated: %s (%s)", problem, question.name)
            return Answer(Rcode.SERVFAIL)

    def _authoritative(self, zone: Zone, question: Question) -> Answer:
        chain: list[RRset] = []
        name = question.name
        while len(chain) <= _MAX_CHAIN:
            if name not in zone.existing:
                return _negative(zone, Rcode.NXDOMAIN, chain)
            found = self._records(zone, name, question.type)
            if found is None:
                return _negative(zone, Rcode.NOERROR, chain)
            chain.append(found)
            follows = found.rdtype == RdataType.CNAME and question.type != "CNAME"
            if not follows or not question.recursion_desired:
                return _positive(zone, chain)
            name = found[0].target
            if not name.is_subdomain(zone.name):
                end = self._aws_records(name, name, question.type)
                return _positive(zone, [*chain, end] if end else chain)
        return Answer(Rcode.SERVFAIL)

    def _records(self, zone: Zone, name: Name, kind: str) -> RRset | None:
        group = zone.at(name, "CNAME") or zone.at(name, kind)
        if not group:
            return None
        unknown = next((each.not_emulated for each in group if each.not_emulated), None)
        if unknown:
            raise _NotEmulatedError(unknown)
        selected = self._select(group)
        if selected.alias is None:
            return selected.rrset(name)
        return self._aws_records(name, selected.alias, kind)

    def _select(self, group: Sequence[RecordSet]) -> RecordSet:
        """Choose among record sets of one name and type: the primary while it is healthy.

        A record without a check counts as healthy. "If none of the records in a group of records
        are healthy, [...] Route 53 considers all the records in the group to be healthy and selects
        one based on the routing policy" (health-checks-how-route-53-chooses-records).
        """
        healthy = [
            each
            for each in group
            if each.health_check_id is None or self.healthy(each.health_check_id)
        ]
        return min(healthy or group, key=lambda each: each.failover == "SECONDARY")

    def _aws_records(self, owner: Name, target: Name, kind: str) -> RRset | None:
        addresses = self.resolve_aws_name(str(target.canonicalize())) if kind == "A" else ()
        if not addresses:
            return None
        return dns.rrset.from_text_list(owner, AWS_RESOURCE_TTL, "IN", kind, addresses)


def _zone_of(name: Name, zones: Iterable[Zone]) -> Zone | None:
    covering = [zone for zone in zones if name.is_subdomain(zone.name)]
    return max(covering, key=lambda zone: len(zone.name), default=None)


def _positive(zone: Zone, chain: Sequence[RRset]) -> Answer:
    # DNSBehavior: successful answers carry the zone's name servers in the authority section.
    name_servers = _at_apex(zone, "NS")
    repeats = any(each.rdtype == RdataType.NS for each in chain)
    return Answer(
        Rcode.NOERROR, answer=tuple(chain), authority=() if repeats else tuple(name_servers)
    )


def _negative(zone: Zone, rcode: Rcode, chain: Sequence[RRset]) -> Answer:
    # "The duration of negative caching is the lesser of the SOA record's TTL or the value of the
    # minimum TTL field" (SOA-NSrecords). The code is the last name's of a chain (RFC 6604).
    authority = _at_apex(zone, "SOA")
    for rrset in authority:
        rrset.ttl = min(rrset.ttl, rrset[0].minimum)
    return Answer(rcode, answer=tuple(chain), authority=tuple(authority))


def _at_apex(zone: Zone, kind: str) -> list[RRset]:
    return [each.rrset(zone.name) for each in zone.at(zone.name, kind)]
