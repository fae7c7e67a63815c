"""Releases: one that broke off leaves a Region with two versions, until it is put right."""

from __future__ import annotations

import time
from collections.abc import Iterator

from doctor.aws import Aws
from doctor.data import UNIT
from doctor.expected import Expected
from doctor.finding import Finding, not_yet, ok, wrong
from releases.ledger import Claim
from releases.records import Records

SUBJECT = "release in {}"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look whether a release runs, or has left something."""
    for region in expected.regions:
        subject = SUBJECT.format(region)
        yield aws.attempt(subject, lambda s=subject, r=region: _look(aws, expected, s, r))  # type: ignore[misc]


def _look(aws: Aws, expected: Expected, subject: str, region: str) -> Finding:
    client = aws.client("dynamodb", region)
    try:
        claim = Records(client, expected.account.table_name, region).read_claim()
    except client.exceptions.ResourceNotFoundException:
        return not_yet(subject, UNIT)
    return judge(subject, claim, time.time(), region)


def judge(subject: str, claim: Claim | None, now: float, region: str) -> Finding:
    """Judge what is written of a release at a moment (epoch seconds)."""
    if claim is None:
        return ok(subject, "none runs, and none broke off")
    what = f"{claim.target} after {claim.before}, since {claim.since}, by {claim.who}"
    if claim.is_live(now):
        return ok(subject, f"runs: {what}")
    return wrong(
        subject,
        f"broke off: {what}; two versions may serve",
        f"make rollback REGION={region}, or apply again",
    )
