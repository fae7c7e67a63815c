"""Whether the account may have a distribution at all, and has this one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doctor.aws import Aws
from doctor.expected import Expected
from doctor.finding import Finding, not_known, ok, wrong

SUBJECT = "CloudFront"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of the account, and the names that it answers to."""

    id: str
    status: str
    enabled: bool
    aliases: tuple[str, ...]


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at the account's distributions."""
    name = f"api.{expected.account.domain_name}"
    yield aws.attempt(SUBJECT, lambda: judge(name, _distributions(aws)))


def _distributions(aws: Aws) -> list[Distribution]:
    pages = aws.client("cloudfront").get_paginator("list_distributions").paginate()
    return [
        Distribution(
            item["Id"], item["Status"], item["Enabled"], tuple(item["Aliases"].get("Items", ()))
        )
        for page in pages
        for item in page["DistributionList"].get("Items", ())
    ]


def judge(name: str, distributions: Sequence[Distribution]) -> Finding:
    """Judge whether CloudFront serves a name, or will.

    Whether AWS has yet to verify a new account shows only when that makes its first distribution.
    """
    ours = next((each for each in distributions if name in each.aliases), None)
    if ours and not ours.enabled:
        return wrong(SUBJECT, f"{ours.id} for {name} is disabled", "apply global/edge")
    if ours:
        return ok(SUBJECT, f"{ours.id} serves {name} ({ours.status})")
    if distributions:
        return ok(SUBJECT, f"permitted; nothing for {name} yet", "apply global/edge")
    return not_known(
        SUBJECT,
        "the account has no distribution, and a new one may be refused its first",
        "ask now, by one for free: docs/deployment-guide.md#cloudfront-in-a-new-account",
    )
