"""Where Terraform's state is, and whether an overwritten one can be had back."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.aws import UNANSWERED, Aws, code, unanswered
from doctor.expected import Expected
from doctor.finding import Finding, not_known, not_yet, ok, wrong

PLACE, VERSIONS = "state bucket: where", "state bucket: versions"
MISSING = ("NoSuchBucket", "404")
UNIT = "global/foundation with --backend-bootstrap"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at the bucket, wherever it is; the embedded AWS keeps its state in files."""
    if aws.on_emulator:
        yield not_known(PLACE, "the embedded AWS' state is in files of this clone")
        return
    try:
        found = _find(aws, expected)
    except UNANSWERED as error:
        yield unanswered(PLACE, error, on_emulator=aws.on_emulator)
        return
    if found is None:
        yield not_yet(PLACE, UNIT)
        return
    bucket, region = found
    yield judge_place(bucket, region, expected)
    yield aws.attempt(VERSIONS, lambda: _versions(aws, bucket, region, expected))


def bucket_name(expected: Expected, region: str) -> str:
    """Name the bucket as terragrunt.hcl does, for the Region that it is named after."""
    return f"{expected.account.project}-tfstate-{expected.account.account_id}-{region}"


def _find(aws: Aws, expected: Expected) -> tuple[str, str] | None:
    """Give the bucket's name and Region, where it should be or else where it once was."""
    for region in dict.fromkeys((expected.state_region, *reversed(expected.regions))):
        bucket = bucket_name(expected, region)
        if place := _place(aws, bucket, region, expected.account.account_id):
            return bucket, place
    return None


def _place(aws: Aws, bucket: str, region: str, account_id: str) -> str | None:
    try:
        answer = aws.client("s3", region).get_bucket_location(
            Bucket=bucket, ExpectedBucketOwner=account_id
        )
    except UNANSWERED as error:
        if code(error) in MISSING:
            return None
        raise
    # AmazonS3/latest/API: GetBucketLocation. us-east-1 is told by nothing.
    return answer["LocationConstraint"] or "us-east-1"


def _versions(aws: Aws, bucket: str, region: str, expected: Expected) -> Finding:
    answer = aws.client("s3", region).get_bucket_versioning(
        Bucket=bucket, ExpectedBucketOwner=expected.account.account_id
    )
    return judge_versions(bucket, answer.get("Status", "off"))


def judge_place(bucket: str, region: str, expected: Expected) -> Finding:
    """Judge whether the state can be read when the primary Region is lost."""
    if region == expected.account.primary_region:
        do = "move it to another (state_region): docs/deployment-guide.md"
        return wrong(PLACE, f"{bucket} is in {region}, the primary, and is lost with it", do)
    return ok(PLACE, f"{bucket} in {region}")


def judge_versions(bucket: str, status: str) -> Finding:
    """Judge whether the bucket keeps what is overwritten."""
    if status == "Enabled":
        return ok(VERSIONS, "kept")
    do = (
        f"aws s3api put-bucket-versioning --bucket {bucket} "
        "--versioning-configuration Status=Enabled"
    )
    return wrong(VERSIONS, f"not kept ({status}): a broken state can't be had back", do)
