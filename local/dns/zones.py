"""Hosted zones as the routing rules read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import dns.name
import dns.rrset
from dns.name import Name
from dns.rrset import RRset

FailoverRole = Literal["PRIMARY", "SECONDARY"]

_OCTAL_ESCAPE = re.compile(r"\\([0-3][0-7]{2})")
_POLICIES = {
    "Weight": "weighted routing",
    "Region": "latency routing",
    "MultiValueAnswer": "multivalue answer routing",
    "GeoLocation": "geolocation routing",
    "GeoProximityLocation": "geoproximity routing",
    "CidrRoutingConfig": "IP-based routing",
}


def name_of(text: str) -> Name:
    r"""Read a name in Route 53's notation.

    Raises dns.exception.DNSException when it is none.
    """
    return dns.name.from_text(_decimal_escapes(text))


def _decimal_escapes(text: str) -> str:
    # `\052` is an asterisk in Route 53's notation, octal (Developer Guide, DomainNameFormat and
    # ResourceRecordTypes, TXT); in a zone file it would be decimal (RFC 1035, 5.1).
    return _OCTAL_ESCAPE.sub(lambda found: f"\\{int(found[1], 8):03d}", text)


@dataclass(frozen=True, slots=True)
class RecordSet:
    """A resource record set; `values` are in Route 53's notation, and empty for an alias.

    `ttl` is in seconds and means nothing for an alias, which has its target's. `not_emulated` names
    what of it the rules don't know.
    """

    name: Name
    type: str
    ttl: int = 0
    values: tuple[str, ...] = ()
    alias: Name | None = None
    failover: FailoverRole | None = None
    health_check_id: str | None = None
    not_emulated: str = ""

    def rrset(self, owner: Name) -> RRset:
        """Return its records under a name; raises dns.exception.DNSException for a bad value."""
        values = [_decimal_escapes(value) for value in self.values]
        return dns.rrset.from_text_list(
            owner, self.ttl, "IN", self.type, values, origin=dns.name.root, relativize=False
        )


@dataclass(frozen=True, slots=True)
class Zone:
    """A public hosted zone.

    `existing` also holds the names that exist only as a parent of others.
    """

    name: Name
    sets: Mapping[tuple[Name, str], tuple[RecordSet, ...]]
    existing: frozenset[Name]

    @classmethod
    def of(cls, name: Name, record_sets: Iterable[RecordSet]) -> Zone:
        """Index a zone's record sets."""
        sets: dict[tuple[Name, str], tuple[RecordSet, ...]] = {}
        existing = {name}
        for each in record_sets:
            key = each.name, each.type
            sets[key] = (*sets.get(key, ()), each)
            existing.update(_up_to(each.name, name))
        return cls(name, sets, frozenset(existing))

    def at(self, name: Name, kind: str) -> tuple[RecordSet, ...]:
        """Return the record sets of exactly this name and type."""
        return self.sets.get((name, kind), ())


def _up_to(name: Name, apex: Name) -> Iterator[Name]:
    while name.is_subdomain(apex) and name != apex:
        yield name
        name = name.parent()


def zone_of(name: str, documents: Iterable[Mapping[str, Any]]) -> Zone:
    """Read a zone from ResourceRecordSets (API Reference)."""
    apex = name_of(name)
    return Zone.of(apex, [_record_set(document, apex) for document in documents])


def _record_set(document: Mapping[str, Any], apex: Name) -> RecordSet:
    alias = document.get("AliasTarget")
    return RecordSet(
        name=name_of(document["Name"]),
        type=document["Type"],
        ttl=int(document.get("TTL") or 0),
        values=tuple(document.get("ResourceRecords", ())),
        alias=name_of(alias["DNSName"]) if alias else None,
        failover=document.get("Failover") or None,
        health_check_id=document.get("HealthCheckId") or None,
        not_emulated=not_emulated(document, apex),
    )


def not_emulated(document: Mapping[str, Any], apex: Name) -> str:
    """Name what of a ResourceRecordSet in the zone `apex` is not emulated, if anything."""
    name, kind, alias = name_of(document["Name"]), document["Type"], document.get("AliasTarget")
    reasons = {
        **{what: _is_set(document.get(key)) for key, what in _POLICIES.items()},
        "wildcard names": name.is_wild(),
        "the delegation of a name by NS records": kind == "NS" and name != apex,
        f"alias records of type {kind}": alias and kind not in {"A", "AAAA"},
        "an alias of another record": alias and name_of(alias["DNSName"]).is_subdomain(apex),
        "EvaluateTargetHealth": alias and alias.get("EvaluateTargetHealth"),
    }
    return next((what for what, applies in reasons.items() if applies), "")


def _is_set(value: object) -> bool:
    # A weight of zero is a weight; MultiValueAnswer may be false.
    return value is not None and value is not False
