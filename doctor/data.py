"""Whether the table is protected, and can be restored, in both Regions.

Provider 5.100 protects the table in the primary Region alone; the replica is done by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from doctor.aws import Aws
from doctor.expected import Expected
from doctor.finding import Finding, not_yet, ok, wrong

UNIT = "global/data"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at each Region's replica."""
    for region in expected.regions:
        for subject, look in (
            (f"table in {region}: protection", _protection),
            (f"table in {region}: recovery", _recovery),
        ):
            yield aws.attempt(subject, _unless_missing(aws, expected, region, subject, look))


Look = Callable[[Aws, Expected, str, str], Finding]


def _unless_missing(
    aws: Aws, expected: Expected, region: str, subject: str, look: Look
) -> Callable[[], Finding]:
    missing = aws.client("dynamodb", region).exceptions

    def attempt() -> Finding:
        try:
            return look(aws, expected, region, subject)
        except (missing.ResourceNotFoundException, missing.TableNotFoundException):
            return not_yet(subject, UNIT)

    return attempt


def _protection(aws: Aws, expected: Expected, region: str, subject: str) -> Finding:
    client = aws.client("dynamodb", region)
    table = client.describe_table(TableName=expected.account.table_name)["Table"]
    protected = bool(table.get("DeletionProtectionEnabled"))
    return judge_protection(subject, region, expected, protected=protected)


def _recovery(aws: Aws, expected: Expected, region: str, subject: str) -> Finding:
    client = aws.client("dynamodb", region)
    answer = client.describe_continuous_backups(TableName=expected.account.table_name)
    described = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    on = described.get("PointInTimeRecoveryStatus") == "ENABLED"
    return judge_recovery(subject, expected, on=on)


def judge_protection(subject: str, region: str, expected: Expected, *, protected: bool) -> Finding:
    """Judge whether a Region's replica refuses to be deleted."""
    if protected:
        return ok(subject, "on")
    if not expected.deletion_protection:
        return ok(subject, f"off, as {expected.file} says")
    do = (
        f"aws dynamodb update-table --region {region} --table-name {expected.account.table_name} "
        "--deletion-protection-enabled"
    )
    return wrong(subject, "off: one call deletes it", do)


def judge_recovery(subject: str, expected: Expected, *, on: bool) -> Finding:
    """Judge whether a Region's replica can be taken back to an earlier second."""
    if on:
        return ok(subject, "on")
    if not expected.point_in_time_recovery:
        return ok(subject, f"off, as {expected.file} says")
    return wrong(subject, "off: what is lost stays lost", f"apply {UNIT}: somebody switched it off")
