"""What ministack 1.5.33 lacks or gets wrong for this project, each mended by one function.

Every mend says what is wrong, and has a test in tests/local that fails once a newer ministack
no longer needs it: then it goes.
"""

from __future__ import annotations

from local.mends import (
    api_gateway,
    api_gateway_updates,
    cloudfront,
    cloudwatch,
    cognito,
    dynamodb,
    lambda_functions,
    logs,
    payloads,
    route53,
    wafv2,
)

MENDS = (
    *api_gateway.MENDS,
    *api_gateway_updates.MENDS,
    *cloudfront.MENDS,
    *cloudwatch.MENDS,
    *cognito.MENDS,
    *dynamodb.MENDS,
    *lambda_functions.MENDS,
    *logs.MENDS,
    *payloads.MENDS,
    *route53.MENDS,
    *wafv2.MENDS,
)


def apply() -> None:
    """Put every mend in place; once per process."""
    for mend in MENDS:
        mend()
