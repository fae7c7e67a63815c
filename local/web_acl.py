"""What a web ACL makes of a request: ministack's WAFv2 keeps them, the rules are in `local.waf`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.http_messages import Request
from local.patches import wafv2
from local.waf import Rates, Verdict, WebRequest, evaluate

logger = logging.getLogger("local.waf")

# What AWS WAF sees of a body that CloudFront or API Gateway forwards, unless the web ACL asks for
# more (Developer Guide, web-acl-setting-body-inspection-limit).
INSPECTED_BODY_BYTES = 16 * 1024

_rates = Rates()


@dataclass(frozen=True, slots=True)
class Decision:
    """A web ACL, as WAFv2 describes it, the request that it saw, and what it made of that."""

    web_acl: dict[str, Any]
    request: WebRequest
    verdict: Verdict


# Called with every request that a web ACL has looked at.
listeners: list[Callable[[Decision], None]] = []


def verdict_of(arn: str, request: Request) -> Verdict:
    """What the web ACL of this ARN makes of a request; what has none is let in.

    WAF sees the path as it was sent, whatever it is mapped to behind.
    """
    web_acl = wafv2.web_acl(arn) if arn else None
    if web_acl is None:
        return Verdict(allowed=True)
    seen = WebRequest(
        method=request.method,
        path=request.raw_path,
        headers=request.headers,
        source=request.client,
        query=request.query,
        body=request.body[:INSPECTED_BODY_BYTES],
    )
    verdict = evaluate(web_acl, seen, _rates)
    for listen in listeners:
        listen(Decision(web_acl, seen, verdict))
    if not verdict.allowed:
        rule = verdict.rule or "the default action"
        logger.info("%s %s blocked by %s of %s", seen.method, seen.path, rule, web_acl["Name"])
    return verdict
