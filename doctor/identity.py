"""Whose account the credentials are for, and whether it has both Regions."""

from __future__ import annotations

import os
from collections.abc import Iterator

from doctor.aws import UNANSWERED, UNREACHABLE, Aws, one_line
from doctor.expected import Expected
from doctor.finding import Finding, ok, wrong
from project.console import ToolchainError

# account/latest/reference: GetRegionOptStatus.
ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")


def require_account(aws: Aws, expected: Expected) -> Finding:
    """Ask whose the credentials are. Raises ToolchainError unless they are of this account."""
    try:
        caller = aws.client("sts", expected.account.primary_region).get_caller_identity()
    except UNANSWERED as error:
        raise ToolchainError(_no_answer(error, aws, expected)) from error
    if caller["Account"] != expected.account.account_id:
        raise ToolchainError(_stranger(caller["Account"], expected))
    return ok("account", f"{caller['Account']}, as {caller['Arn']}")


def _no_answer(error: Exception, aws: Aws, expected: Expected) -> str:
    if aws.on_emulator and isinstance(error, UNREACHABLE):
        return "The embedded AWS does not answer: run `make start`, or `make up` the first time."
    return (
        f"Nobody could look at {expected.account.name}: {one_line(error).rstrip('.')}. Sign in to "
        f"{expected.account.account_id} (AWS_PROFILE, `aws sso login`) and try again."
    )


def _stranger(found: str, expected: Expected) -> str:
    leads_elsewhere = "AWS_ENDPOINT_URL" in os.environ and expected.account.name != "local"
    hint = " AWS_ENDPOINT_URL is set in this shell: unset it." if leads_elsewhere else ""
    return (
        f"The credentials are of account {found}, and {expected.file} says "
        f"{expected.account.account_id}: sign in to that one, or put the id right.{hint}"
    )


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look whether the account may use both Regions."""
    for role, region in zip(("primary", "standby"), expected.regions, strict=True):
        subject = f"{role} Region {region}"

        def look(subject: str = subject, region: str = region) -> Finding:
            answer = aws.client("account").get_region_opt_status(RegionName=region)
            return judge_region(subject, region, answer["RegionOptStatus"])

        yield aws.attempt(subject, look)


def judge_region(subject: str, region: str, status: str) -> Finding:
    """Judge a Region's opt-in status."""
    if status in ENABLED:
        return ok(subject, f"enabled ({status})")
    return wrong(
        subject,
        f"not enabled ({status})",
        f"aws account enable-region --region-name {region}, and wait: it takes minutes to hours",
    )
