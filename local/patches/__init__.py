"""What ministack 1.5.33 lacks or gets wrong for this project, each patched by one function.

Every patch says what is wrong, and has a test in tests/local that fails once a newer ministack
no longer needs it: then it goes.
"""

from __future__ import annotations

from local.patches import (
    api_gateway,
    api_gateway_updates,
    cloudfront,
    cloudwatch,
    cognito,
    dynamodb,
    lambda_aliases,
    lambda_functions,
    logs,
    payloads,
    route53,
    wafv2,
)

PATCHES = (
    *api_gateway.PATCHES,
    *api_gateway_updates.PATCHES,
    *cloudfront.PATCHES,
    *cloudwatch.PATCHES,
    *cognito.PATCHES,
    *dynamodb.PATCHES,
    *lambda_aliases.PATCHES,
    *lambda_functions.PATCHES,
    *logs.PATCHES,
    *payloads.PATCHES,
    *route53.PATCHES,
    *wafv2.PATCHES,
)


def apply() -> None:
    """Put every patch in place; once per process."""
    for patch in PATCHES:
        patch()
