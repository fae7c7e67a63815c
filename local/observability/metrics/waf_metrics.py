"""AWS/WAFV2 (docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html).

Metrics of a web ACL in front of a distribution are in us-east-1 and have no Region.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.observability.metrics.recorder import Dimensions, Recorder, Sample

if TYPE_CHECKING:
    from local.web_acl import Decision

NAMESPACE = "AWS/WAFV2"
ALL_RULES, DEFAULT_ACTION = "ALL", "Default_Action"


def metrics_into(recorder: Recorder) -> Callable[[Decision], None]:
    """A listener that records what web ACLs decide."""

    def listen(decision: Decision) -> None:
        _, _, _, region, account, resource = decision.web_acl["ARN"].split(":", 5)
        web_acl: Dimensions = (("WebACL", _metric_name(decision.web_acl)),)
        if not resource.startswith("global/"):
            web_acl = (("Region", region), *web_acl)
        for name, rule in _counts(decision):
            dimensions = (*web_acl, ("Rule", rule))
            sample = Sample(name, 1, "Count")
            recorder.put((account, region), NAMESPACE, dimensions, [sample], time.time())

    return listen


def _counts(decision: Decision) -> list[tuple[str, str]]:
    """What is counted, and for which rule; every request once more for all rules together."""
    verdict, web_acl = decision.verdict, decision.web_acl
    rules = {rule["Name"]: rule for rule in web_acl.get("Rules", ())}
    decided = "AllowedRequests" if verdict.allowed else "BlockedRequests"
    counts = [("CountedRequests", rules[name]) for name in verdict.counted]
    if verdict.rule:
        counts.append((decided, rules[verdict.rule]))
    found = [(name, _metric_name(rule)) for name, rule in counts if _is_measured(rule)]
    if _is_measured(web_acl):
        found += [(name, ALL_RULES) for name in {decided, *(name for name, _ in counts)}]
        found += [] if verdict.rule else [(decided, DEFAULT_ACTION)]
    return found


def _metric_name(visible: dict[str, Any]) -> str:
    """What a web ACL or a rule is called in its metrics."""
    return str(visible["VisibilityConfig"]["MetricName"])


def _is_measured(visible: dict[str, Any]) -> bool:
    return bool(visible["VisibilityConfig"]["CloudWatchMetricsEnabled"])
