"""What Route 53 answers to a question: record sets, health and routing policies, no sockets.

Each rule names its page of the Route 53 Developer Guide (docs.aws.amazon.com/Route53/latest/
DeveloperGuide/<page>.html) or API Reference. Where AWS writes nothing, the DNS standard is followed
and the rule says so.

CNAME records: Route 53 responds "with the name of the record that you want to redirect to. Then the
DNS resolver must submit another query", in the same hosted zone as in another
(resource-record-sets-choosing-alias-non-alias). A question without the RD bit gets just that. A
question *with* it comes from a stub, such as curl or `dig` as typed, that leaves the chasing to the
recursive resolver which stands between it and Route 53 on the internet. Here nothing stands
between, so the rest of the chain is added as that resolver would, every link with its own TTL.

Not modelled: geolocation, geoproximity and CIDR routing (their record sets are left out by the
adapter, with a warning), DNSSEC, private hosted zones, zone transfer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import ip_address

from local.route53.records import (
    Failover,
    Latency,
    MultiValue,
    Record,
    Weighted,
    Zone,
    canonical_name,
    parent_name,
)

# An alias to an AWS resource has the resource's TTL, 60 s for CloudFront and load balancers
# (resource-record-sets-choosing-alias-non-alias); taken as the same for API Gateway.
AWS_RESOURCE_TTL = 60
# "Up to eight healthy records" (API Reference, ResourceRecordSet, MultiValueAnswer).
MULTI_VALUE_LIMIT = 8
_LONGEST_CHAIN = 8
_TYPES_WITH_TARGET = {"MX": 1, "NS": 0, "SRV": 3}
_ADDRESS_VERSIONS = {"A": 4, "AAAA": 6}


class Rcode(Enum):
    """Response codes, by their number on the wire."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `recursion_desired` is set by stubs (see the module's page)."""

    name: str
    type: str
    recursion_desired: bool = True


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """One record of an answer: TTL in seconds, value in Route 53's notation."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response, sections as on the wire."""

    rcode: Rcode
    authoritative: bool = True
    answers: tuple[ResourceRecord, ...] = ()
    authority: tuple[ResourceRecord, ...] = ()
    additional: tuple[ResourceRecord, ...] = ()


def _always_healthy(_health_check_id: str) -> bool:
    return True


def _no_address(_name: str) -> Sequence[str]:
    return ()


def _same_region_first(client: str, region: str) -> float:
    return 0.0 if client == region else 1.0


@dataclass(frozen=True, slots=True)
class Routing:
    """Everything that an answer depends on.

    `healthy` tells a health check's status. `resolve_aws_name` gives the addresses, IPv4 and IPv6,
    of an AWS resource's name outside of the zones, none when it doesn't know the name.
    `client_region` is where the question comes from and `latency` compares Regions for it (any
    unit, the smallest wins).
    """

    zones: Sequence[Zone]
    healthy: Callable[[str], bool] = _always_healthy
    resolve_aws_name: Callable[[str], Sequence[str]] = _no_address
    client_region: str = "us-east-1"
    latency: Callable[[str, str], float] = _same_region_first
    chance: random.Random = field(default_factory=random.Random)

    def answer(self, question: Question) -> Answer:
        """Answer a question; a name outside of the zones is refused, a loop of names fails."""
        name = canonical_name(question.name)
        zone = _zone_of(name, self.zones)
        if zone is None:
            return Answer(Rcode.REFUSED, authoritative=False)
        cut = _delegation(zone, name, question.type)
        if cut:
            return _referral(zone, cut)
        try:
            return self._authoritative(zone, replace(question, name=name), question.name)
        except _ChainTooLongError:
            return Answer(Rcode.SERVFAIL)

    def _authoritative(self, zone: Zone, question: Question, owner: str) -> Answer:
        chain: list[ResourceRecord] = []
        name = question.name
        while True:
            sets = _sets_at(zone, name)
            if sets is None:
                return _negative(zone, Rcode.NXDOMAIN, chain)
            found = self._records(zone, sets, question.type, owner)
            chain.extend(found)
            target = _cname_target(found, question.type)
            if target is None and not found:
                return _negative(zone, Rcode.NOERROR, chain)
            if target is None or not question.recursion_desired:
                return _positive(zone, chain)
            if not zone.covers(target) or _delegation(zone, target, question.type):
                chain.extend(self._aws_records(target, question.type, target))
                return _positive(zone, chain)
            if len(chain) > _LONGEST_CHAIN:
                raise _ChainTooLongError
            name = owner = target

    def _records(
        self, zone: Zone, sets: dict[str, tuple[Record, ...]], asked: str, owner: str
    ) -> list[ResourceRecord]:
        if asked == "ANY":
            # AWS documents no answer to ANY; RFC 1035, 3.2.3: every record set at the name.
            return [record for group in sets.values() for record in self._group(zone, group, owner)]
        if "CNAME" in sets and asked != "CNAME":
            return self._group(zone, sets["CNAME"], owner)
        return self._group(zone, sets.get(asked, ()), owner)

    def _group(
        self, zone: Zone, group: tuple[Record, ...], owner: str, depth: int = 0
    ) -> list[ResourceRecord]:
        chosen = self.choose(group, zone, depth)
        return [found for record in chosen for found in self._values(zone, record, owner, depth)]

    def _values(self, zone: Zone, record: Record, owner: str, depth: int) -> list[ResourceRecord]:
        if record.alias is None:
            return [
                ResourceRecord(owner, record.type, record.ttl, value) for value in record.values
            ]
        if depth >= _LONGEST_CHAIN:
            raise _ChainTooLongError
        target = canonical_name(record.alias.name)
        if zone.covers(target):
            # "Route 53 responds as if the query had asked for the record that is referenced by the
            # pointer", with that record's TTL (resource-record-sets-choosing-alias-non-alias).
            group = (_sets_at(zone, target) or {}).get(record.type, ())
            return self._group(zone, group, owner, depth + 1)
        return self._aws_records(target, record.type, owner)

    def _aws_records(self, target: str, asked: str, owner: str) -> list[ResourceRecord]:
        version = _ADDRESS_VERSIONS.get(asked)
        return [
            ResourceRecord(owner, asked, AWS_RESOURCE_TTL, address)
            for address in (self.resolve_aws_name(target) if version else ())
            if ip_address(address).version == version
        ]

    def choose(self, group: tuple[Record, ...], zone: Zone, depth: int = 0) -> Sequence[Record]:
        """Choose among record sets of one name and type, by policy and health.

        "If none of the records in a group of records are healthy, [...] Route 53 considers all the
        records in the group to be healthy and selects one based on the routing policy"
        (health-checks-how-route-53-chooses-records).
        """
        if len(group) <= 1:
            return group
        healthy = tuple(record for record in group if self.is_healthy(record, zone, depth))
        return self._by_policy(healthy or group)

    def is_healthy(self, record: Record, zone: Zone, depth: int = 0) -> bool:
        """Tell whether a record set counts as healthy.

        A record without a check always does (health-checks-how-route-53-chooses-records). A check
        on an alias *and* its target's health must both pass (dns-failover-complex-configs).
        """
        passes = record.health_check_id is None or self.healthy(record.health_check_id)
        if record.alias is None or not record.alias.evaluate_target_health or not passes:
            return passes
        target = canonical_name(record.alias.name)
        if not zone.covers(target):
            # API Gateway "is highly available by design" (API Reference, AliasTarget): unhealthy
            # only when the whole service is down in its Region, which the bench doesn't play.
            return True
        if depth >= _LONGEST_CHAIN:
            raise _ChainTooLongError
        group = (_sets_at(zone, target) or {}).get(record.type, ())
        return any(self.is_healthy(behind, zone, depth + 1) for behind in group)

    def _by_policy(self, candidates: tuple[Record, ...]) -> Sequence[Record]:
        policy = candidates[0].policy
        if isinstance(policy, Failover):
            return (min(candidates, key=_primary_first),)
        if isinstance(policy, Weighted):
            return (self._by_weight(candidates),)
        if isinstance(policy, Latency):
            return (min(candidates, key=self._distance),)
        if isinstance(policy, MultiValue):
            count = min(MULTI_VALUE_LIMIT, len(candidates))
            return self.chance.sample(candidates, count)
        return candidates[:1]

    def _by_weight(self, candidates: tuple[Record, ...]) -> Record:
        # Zero weights are considered only when every record above zero is unhealthy
        # (health-checks-how-route-53-chooses-records), and when all are zero "traffic is routed to
        # all resources with equal probability" (API Reference, ResourceRecordSet, Weight).
        weights = [_weight(record) for record in candidates]
        return self.chance.choices(candidates, weights if any(weights) else None)[0]

    def _distance(self, record: Record) -> tuple[float, str]:
        region = record.policy.region if isinstance(record.policy, Latency) else ""
        return self.latency(self.client_region, region), region


class _ChainTooLongError(Exception):
    """Aliases or CNAMEs that never end."""


def _zone_of(name: str, zones: Iterable[Zone]) -> Zone | None:
    covering = [zone for zone in zones if zone.covers(name)]
    return max(covering, key=lambda zone: len(zone.name), default=None)


def _delegation(zone: Zone, name: str, asked: str) -> str | None:
    """Return the topmost zone cut at or above `name`, below the apex (RFC 1034, 4.3.2)."""
    # A DS record stands on the parent's side of its cut (RFC 4035, 2.4).
    name = parent_name(name) if asked == "DS" and name != zone.name else name
    cut = None
    while name != zone.name:
        cut = name if "NS" in zone.at(name) else cut
        name = parent_name(name)
    return cut


def _referral(zone: Zone, cut: str) -> Answer:
    authority = tuple(_plain(cut, zone.at(cut)["NS"]))
    return Answer(
        Rcode.NOERROR,
        authoritative=False,
        authority=authority,
        additional=tuple(_target_addresses(zone, authority)),
    )


def _positive(zone: Zone, answers: Sequence[ResourceRecord]) -> Answer:
    # DNSBehavior: successful answers carry the zone's name servers in the authority section and
    # "A or AAAA records for any target of an MX, CNAME, NS, or SRV record cited in the Answer
    # section" in the additional one, "if the records are known and appropriate".
    name_servers = tuple(_plain(zone.name, zone.at(zone.name).get("NS", ())))
    repeats = any(record.type == "NS" and record.name == zone.name for record in answers)
    return Answer(
        Rcode.NOERROR,
        answers=tuple(answers),
        authority=() if repeats else name_servers,
        additional=tuple(_target_addresses(zone, answers)),
    )


def _negative(zone: Zone, rcode: Rcode, chain: Sequence[ResourceRecord]) -> Answer:
    # "The duration of negative caching is the lesser of the SOA record's TTL or the value of the
    # minimum TTL field" (SOA-NSrecords). The code is the last name's of a chain (RFC 6604).
    soa = tuple(
        replace(record, ttl=min(record.ttl, int(record.value.split()[-1])))
        for record in _plain(zone.name, zone.at(zone.name).get("SOA", ()))
    )
    return Answer(rcode, answers=tuple(chain), authority=soa)


def _sets_at(zone: Zone, name: str) -> dict[str, tuple[Record, ...]] | None:
    """Return the record sets that speak for a name, wildcards included; None if it doesn't exist.

    "Specific domain names take precedence", `*` stands for every level below it, and never for NS
    (DomainNameFormat). Which wildcard speaks: the one at the closest encloser (RFC 4592).
    """
    if name in zone.existing:
        return dict(zone.at(name))
    encloser = parent_name(name)
    while encloser not in zone.existing:
        encloser = parent_name(encloser)
    wildcard = zone.at("*." + encloser)
    return {kind: group for kind, group in wildcard.items() if kind != "NS"} or None


def _cname_target(found: Sequence[ResourceRecord], asked: str) -> str | None:
    if asked in ("CNAME", "ANY") or not found or found[0].type != "CNAME":
        return None
    return canonical_name(found[0].value)


def _plain(owner: str, group: Iterable[Record]) -> list[ResourceRecord]:
    return [
        ResourceRecord(owner, record.type, record.ttl, value)
        for record in group
        for value in record.values
    ]


def _target_addresses(zone: Zone, cited: Sequence[ResourceRecord]) -> list[ResourceRecord]:
    targets = [
        canonical_name(record.value.split()[_TYPES_WITH_TARGET[record.type]])
        for record in cited
        if record.type in _TYPES_WITH_TARGET
    ]
    return [
        found
        for target in dict.fromkeys(targets)
        for kind in ("A", "AAAA")
        for found in _plain(target, zone.at(target).get(kind, ()))
    ]


def _primary_first(record: Record) -> bool:
    return not (isinstance(record.policy, Failover) and record.policy.role == "PRIMARY")


def _weight(record: Record) -> int:
    return record.policy.weight if isinstance(record.policy, Weighted) else 0
