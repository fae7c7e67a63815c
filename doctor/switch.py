"""Who may write: the operator's switch, as both replicas have it. A pause left on is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator

from doctor.aws import Aws
from doctor.data import UNIT
from doctor.expected import Expected
from doctor.finding import Finding, not_yet, ok, wrong
from project.switch import Row, read

SUBJECT = "writes in {}"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at what each Region's function goes by."""
    for region in expected.regions:
        subject = SUBJECT.format(region)
        yield aws.attempt(subject, lambda s=subject, r=region: _look(aws, expected, s, r))  # type: ignore[misc]


def _look(aws: Aws, expected: Expected, subject: str, region: str) -> Finding:
    client, standby = aws.client("dynamodb", region), expected.account.standby_region
    try:
        row = read(client, expected.account.table_name, standby)
    except client.exceptions.ResourceNotFoundException:
        return not_yet(subject, UNIT)
    return judge(subject, row, int(time.time() * 1000), standby)


def judge(subject: str, row: Row, now: int, standby: str) -> Finding:
    """Judge the switch at a moment (epoch milliseconds)."""
    says = row.sentence(now, standby)
    if row.is_normal(now, standby):
        return ok(subject, says)
    return wrong(subject, says, "make resume-writes" if row.paused else "make failback")
