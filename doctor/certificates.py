"""Whether each Region's certificate is valid, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from doctor.aws import GLOBAL_REGION, Aws
from doctor.expected import Expected
from doctor.finding import Finding, not_known, not_yet, ok, wrong

# ACM renews by itself, weeks before the end (acm/latest/userguide: managed-renewal). With less
# than this left it has tried and failed.
RENEWED_DAYS = 30
# ListCertificates leaves all others out unless they are named.
KEYS = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
UNIT = "global/foundation"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of the domain; it has no end until it is issued."""

    arn: str
    status: str
    ends: datetime | None
    in_use: bool


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at the Regions' certificates, and at the edge's."""
    for region in dict.fromkeys((*expected.regions, GLOBAL_REGION)):
        yield aws.attempt(_subject(region), partial(_look, aws, region, expected))


def _look(aws: Aws, region: str, expected: Expected) -> Finding:
    return judge(region, _certificates(aws, region, expected), datetime.now(UTC), expected)


def _subject(region: str) -> str:
    return f"certificate in {region}"


def _certificates(aws: Aws, region: str, expected: Expected) -> list[Certificate]:
    client = aws.client("acm", region)
    pages = client.get_paginator("list_certificates").paginate(Includes={"keyTypes": KEYS})
    arns = [
        each["CertificateArn"]
        for page in pages
        for each in page["CertificateSummaryList"]
        if each["DomainName"] == expected.account.domain_name
    ]
    described = [client.describe_certificate(CertificateArn=arn)["Certificate"] for arn in arns]
    return [
        Certificate(
            each["CertificateArn"], each["Status"], each.get("NotAfter"), bool(each.get("InUseBy"))
        )
        for each in described
    ]


def _that_matters(certificates: Sequence[Certificate]) -> Certificate:
    """Choose the one that answers, or will: in use before issued, issued before all others."""
    return max(
        certificates,
        key=lambda each: (
            each.in_use,
            each.status == "ISSUED",
            each.ends.timestamp() if each.ends else 0.0,
        ),
    )


def judge(
    region: str, certificates: Sequence[Certificate], now: datetime, expected: Expected
) -> Finding:
    """Judge a Region's certificate of the domain."""
    subject = _subject(region)
    if not certificates:
        return not_yet(subject, UNIT)
    certificate = _that_matters(certificates)
    if certificate.status == "PENDING_VALIDATION" and not expected.domain_delegated:
        do = "delegate the domain within 72 hours of the apply, then set domain_delegated = true"
        return not_known(subject, "waits for the domain's delegation", do)
    if certificate.status == "PENDING_VALIDATION":
        do = "see the name servers below; a CAA record of the domain must allow amazon.com"
        return wrong(subject, "not validated", do)
    if certificate.status != "ISSUED" or certificate.ends is None:
        do = f"terragrunt apply -replace=… it in {UNIT} ({certificate.arn})"
        return wrong(subject, certificate.status, do)
    return _judge_end(subject, (certificate.ends - now).days, certificate.ends)


def _judge_end(subject: str, days: int, ends: datetime) -> Finding:
    found = f"valid for {days} days, until {ends:%Y-%m-%d}"
    if days >= RENEWED_DAYS:
        return ok(subject, found)
    do = "see why ACM can't renew it: its validation record must stand in the zone"
    return wrong(subject, found, do)
