"""Whether the world finds the zone, and its records can be changed while us-east-1 is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import dns.exception
import dns.flags
import dns.resolver

from doctor.aws import UNANSWERED, Aws, unanswered
from doctor.expected import Expected
from doctor.finding import Finding, Verdict, not_known, not_yet, ok, wrong
from project.environment import dns_server

ZONE, DELEGATION = "hosted zone", "name servers"
SIGNATURE, RECOVERY = "DS record", "accelerated recovery"
UNIT = "global/foundation"
# As long as a person waits for a name.
LOOKUP_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Zone:
    """A public hosted zone of the account. Names have no final dot; `ours` was made by UNIT."""

    id: str
    name: str
    ours: bool


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look for the zone, and from it to the world."""
    try:
        zones = _zones(aws, expected)
    except UNANSWERED as error:
        yield unanswered(ZONE, error, on_emulator=aws.on_emulator)
        return
    zone = _that_counts(zones, expected)
    yield judge_zone(zone, zones, expected)
    name = zone.name if zone else expected.account.domain_name
    if zone:
        yield aws.attempt(DELEGATION, partial(_delegation, aws, zone, expected))
    yield aws.attempt(SIGNATURE, partial(_signature, aws, name, zone))
    if zone:
        yield aws.attempt(RECOVERY, partial(_recovery, aws, zone, expected))


def resolver(*, on_emulator: bool) -> dns.resolver.Resolver:
    """Give who is asked: the embedded AWS' own name server, or this machine's resolver.

    It is asked not to validate (RFC 4035, 3.2.2): behind a DS record that breaks a zone a
    validating resolver would answer nothing else.
    """
    asked = dns.resolver.Resolver(configure=not on_emulator)
    if on_emulator:
        host, _, port = dns_server().partition(":")
        asked.nameservers, asked.port = [host], int(port)
    asked.lifetime = LOOKUP_SECONDS
    asked.flags = dns.flags.RD | dns.flags.CD
    return asked


def _zones(aws: Aws, expected: Expected) -> list[Zone]:
    """Give the public zones that have the domain's name, or the one that account.hcl names."""
    client = aws.client("route53")
    if expected.hosted_zone_id:
        try:
            found = client.get_hosted_zone(Id=expected.hosted_zone_id)["HostedZone"]
        except client.exceptions.NoSuchHostedZone:
            return []
        return [_zone(found, expected)]
    domain = expected.account.domain_name
    listed = client.list_hosted_zones_by_name(DNSName=domain)["HostedZones"]
    zones = [_zone(each, expected) for each in listed if not each["Config"]["PrivateZone"]]
    return [zone for zone in zones if zone.name == domain]


def _zone(document: Any, expected: Expected) -> Zone:  # noqa: ANN401 - a TypedDict
    comment = document["Config"].get("Comment", "")
    return Zone(
        id=document["Id"].removeprefix("/hostedzone/"),
        name=document["Name"].rstrip("."),
        # modules/foundation writes it.
        ours=comment == f"Names of {expected.name}",
    )


def _that_counts(zones: Sequence[Zone], expected: Expected) -> Zone | None:
    if expected.create_hosted_zone:
        return next((zone for zone in zones if zone.ours), None)
    return next(iter(zones), None)


def judge_zone(zone: Zone | None, zones: Sequence[Zone], expected: Expected) -> Finding:
    """Judge whether there is one zone, and which."""
    others = ", ".join(each.id for each in zones if each != zone)
    if zone is None and others:
        do = f"create_hosted_zone = false in {expected.file} uses it; true makes a second one"
        return wrong(ZONE, f"the account has one of that name already: {others}", do)
    if zone is None and not expected.create_hosted_zone:
        do = f"set create_hosted_zone = true in {expected.file}, or hosted_zone_id"
        return wrong(ZONE, f"none for {expected.account.domain_name}", do)
    if zone is None:
        return not_yet(ZONE, UNIT)
    if others:
        do = "delete those that the domain isn't delegated to: records in them are never found"
        return wrong(ZONE, f"{zone.id}, and others of the same name: {others}", do)
    return ok(ZONE, f"{zone.id} for {zone.name}")


def names(name: str, kind: str, *, on_emulator: bool) -> list[str]:
    """Ask for a name's records as text; none where there are none, or nobody who would know.

    Raises DNSException when nobody answers in time or there is nobody to ask, OSError without a
    network.
    """
    try:
        answer = resolver(on_emulator=on_emulator).resolve(f"{name}.", kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.NoNameservers):
        return []
    return [str(record).rstrip(".").lower() for record in answer]


def _unasked(subject: str, error: Exception) -> Finding:
    found = f"nobody looked: DNS does not answer ({' '.join(str(error).split())})"
    return Finding(subject, Verdict.NOT_KNOWN, found, "see /etc/resolv.conf", refused=True)


def _delegation(aws: Aws, zone: Zone, expected: Expected) -> Finding:
    answer = aws.client("route53").get_hosted_zone(Id=zone.id)
    servers = [each.rstrip(".").lower() for each in answer["DelegationSet"]["NameServers"]]
    try:
        public = names(zone.name, "NS", on_emulator=aws.on_emulator)
    except (dns.exception.DNSException, OSError) as error:
        return _unasked(DELEGATION, error)
    return judge_delegation(zone.name, servers, public, expected)


def judge_delegation(
    zone_name: str, servers: Iterable[str], public: Iterable[str], expected: Expected
) -> Finding:
    """Judge whether public DNS names the zone's own name servers, and no others."""
    ours, seen = set(servers), set(public)
    if seen == ours:
        do = "" if expected.domain_delegated else f"set domain_delegated = true in {expected.file}"
        return ok(DELEGATION, f"{zone_name} is delegated to the zone", do)
    do = f"set these for {zone_name} at its registrar or in its parent: {', '.join(sorted(ours))}"
    if ours & seen:
        differ = ", ".join(sorted(ours ^ seen))
        return wrong(DELEGATION, f"public DNS and the zone differ in {differ}", do)
    found = f"public DNS names {', '.join(sorted(seen)) or 'none'}"
    if expected.domain_delegated:
        return wrong(DELEGATION, found, do)
    return not_known(DELEGATION, f"not delegated yet: {found}", do)


def _signature(aws: Aws, name: str, zone: Zone | None) -> Finding:
    try:
        records = names(name, "DS", on_emulator=aws.on_emulator)
    except (dns.exception.DNSException, OSError) as error:
        return _unasked(SIGNATURE, error)
    # A zone that isn't signed, or not there, has no keys.
    keys = _keys(aws, zone) if records and zone else []
    return judge_signature(name, records, keys)


def _keys(aws: Aws, zone: Zone) -> list[str]:
    """Give the tags of the keys that the zone is signed with."""
    answer = aws.client("route53").get_dnssec(HostedZoneId=zone.id)
    if answer["Status"]["ServeSignature"] != "SIGNING":
        return []
    return [str(key["KeyTag"]) for key in answer["KeySigningKeys"] if key["Status"] == "ACTIVE"]


def judge_signature(name: str, records: Sequence[str], keys: Sequence[str]) -> Finding:
    """Judge DS records by the keys of the zone.

    One that matches no key makes resolvers that validate refuse every name (RFC 4035, section 5).
    """
    tags = [record.split()[0] for record in records]
    if not tags:
        return ok(SIGNATURE, f"none for {name}")
    if set(tags) & set(keys):
        return ok(SIGNATURE, f"key {', '.join(tags)}, which the zone is signed with")
    return wrong(
        SIGNATURE,
        f"{name} has key {', '.join(tags)}, which the zone isn't signed with: it would not resolve",
        "take the DS record away at the registrar, and wait for its TTL before delegating",
    )


def _recovery(aws: Aws, zone: Zone, expected: Expected) -> Finding:
    answer = aws.client("route53").get_hosted_zone(Id=zone.id)
    features = answer["HostedZone"].get("Features", {})
    if not features and aws.on_emulator:
        return not_known(RECOVERY, "the embedded AWS doesn't have this")
    return judge_recovery(zone.id, features.get("AcceleratedRecoveryStatus", "DISABLED"), expected)


def judge_recovery(zone_id: str, status: str, expected: Expected) -> Finding:
    """Judge whether records can be changed an hour after us-east-1 is lost.

    Route53/latest/DeveloperGuide: accelerated-recovery. It is free, and can't be switched on once
    it is needed; provider 5.100 doesn't know it.
    """
    do = (
        f"aws route53 update-hosted-zone-features --hosted-zone-id {zone_id} "
        "--enable-accelerated-recovery"
    )
    if status == "ENABLED":
        return ok(RECOVERY, "on")
    if status.startswith("ENABLING"):
        return not_known(RECOVERY, f"being switched on ({status})")
    if expected.deletion_protection:
        return wrong(RECOVERY, f"off ({status}): no record changes while us-east-1 is lost", do)
    return ok(RECOVERY, f"off ({status}), in an account that may be lost", do)
