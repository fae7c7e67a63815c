"""Every check, in the order that a person puts things right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from doctor import (
    alerts,
    certificates,
    cloudfront,
    data,
    dns,
    health,
    identity,
    mail,
    quotas,
    releases,
    state,
    switch,
)
from doctor.aws import Aws
from doctor.expected import Expected
from doctor.finding import Finding

Check = Callable[[Aws, Expected], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    identity.check,
    quotas.check,
    mail.check,
    state.check,
    dns.check,
    certificates.check,
    data.check,
    cloudfront.check,
    health.check,
    switch.check,
    releases.check,
    alerts.check,
)


def examine(aws: Aws, expected: Expected) -> list[Finding]:
    """Look at everything, side by side, whatever is wrong or missing.

    Raises ToolchainError when the credentials are of no account, or of another.
    """
    whose = identity.require_account(aws, expected)
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        answers = pool.map(lambda check: list(check(aws, expected)), CHECKS)
        return [whose, *(finding for answer in answers for finding in answer)]
