"""What AWS lets the account have in each Region, against what account.hcl needs of it.

Asked of the services themselves: what they answer is what they apply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from doctor.aws import Aws
from doctor.expected import Expected
from doctor.finding import Finding, not_known, ok, wrong

# lambda/latest/dg: configuration-concurrency. What is reserved leaves this many to all others.
UNRESERVED = 100
# lambda/latest/dg: gettingstarted-limits. Requests a second for each concurrent execution.
REQUESTS_PER_EXECUTION = 10
# Those of lambda/openapi.yaml. A stage throttles each by itself (apigateway/latest/developerguide:
# api-gateway-request-throttling), and what all let through meets the account's quota.
USER_METHODS = 7
# Those of modules/edge. A changed interval makes all of them anew before the old ones go.
NEW_HEALTH_CHECKS = 5
HEALTH_CHECKS = "quota: health checks"
ASK = "ask for more in Service Quotas"


def check(aws: Aws, expected: Expected) -> Iterator[Finding]:
    """Look at the quotas of both Regions, and at Route 53's."""
    if aws.on_emulator:
        yield not_known("quotas", "the embedded AWS has none of AWS's")
        return
    for region in expected.regions:
        look = partial(_look_at_lambda, aws, region, expected)
        yield aws.attempt(_concurrency(region), look)
        look = partial(_look_at_gateway, aws, region, expected)
        yield aws.attempt(_gateway(region), look)
    yield aws.attempt(HEALTH_CHECKS, partial(_look_at_health_checks, aws))


def _concurrency(region: str) -> str:
    return f"quota in {region}: Lambda concurrency"


def _gateway(region: str) -> str:
    return f"quota in {region}: API Gateway rate"


def _look_at_lambda(aws: Aws, region: str, expected: Expected) -> Finding:
    limits = aws.client("lambda", region).get_account_settings()["AccountLimit"]
    return judge_concurrency(region, limits["ConcurrentExecutions"], expected)


def _look_at_gateway(aws: Aws, region: str, expected: Expected) -> Finding:
    limits = aws.client("apigateway", region).get_account()["throttleSettings"]
    return judge_gateway(region, limits["rateLimit"], limits["burstLimit"], expected)


def _look_at_health_checks(aws: Aws) -> Finding:
    answer = aws.client("route53").get_account_limit(Type="MAX_HEALTH_CHECKS_BY_OWNER")
    return judge_health_checks(answer["Count"], answer["Limit"]["Value"])


def needed_concurrency(expected: Expected) -> tuple[int, str]:
    """Give how many concurrent executions a Region must have, and why."""
    reserved = [
        each
        for each in (expected.reserved_concurrency, expected.health_reserved_concurrency)
        if each > 0
    ]
    left, why = UNRESERVED if reserved else 0, "left to all others"
    if expected.reserved_concurrency <= 0:
        by_rate = math.ceil(expected.throttle_rate / REQUESTS_PER_EXECUTION)
        left, why = max(left, by_rate), f"for {expected.throttle_rate:,.0f}/s"
    parts = [*(f"{each} reserved" for each in reserved), f"{left} {why}"]
    return sum(reserved) + left, ", ".join(parts)


def judge_concurrency(region: str, limit: int, expected: Expected) -> Finding:
    """Judge how much of the function may run at once."""
    needed, why = needed_concurrency(expected)
    found = f"{limit:,}; {needed:,} needed ({why})"
    if limit >= needed:
        return ok(_concurrency(region), found)
    do = f"{ASK} (lambda, {region}); until then lower reserved_concurrency or the rate"
    return wrong(_concurrency(region), found, do)


def judge_gateway(region: str, rate: float, burst: int, expected: Expected) -> Finding:
    """Judge how many requests a Region's gateway takes."""
    needed = USER_METHODS * expected.throttle_rate
    found = (
        f"{rate:,.0f}/s, burst {burst:,}; {needed:,.0f}/s needed ({USER_METHODS} methods, "
        f"{expected.throttle_rate:,.0f}/s and burst {expected.throttle_burst:,} each)"
    )
    if rate >= needed and burst >= expected.throttle_burst:
        return ok(_gateway(region), found)
    # The burst isn't for a customer to ask for: it follows the rate.
    do = f"{ASK} (apigateway, {region}), or lower throttle_rate_limit: health is refused, too"
    return wrong(_gateway(region), found, do)


def judge_health_checks(used: int, limit: int) -> Finding:
    """Judge whether Route 53 makes as many more as a first apply, or a changed interval, needs."""
    found = f"{used} of {limit} used; {NEW_HEALTH_CHECKS} more needed"
    if used + NEW_HEALTH_CHECKS <= limit:
        return ok(HEALTH_CHECKS, found)
    return wrong(HEALTH_CHECKS, found, f"{ASK} (route53), or remove checks that nobody uses")
