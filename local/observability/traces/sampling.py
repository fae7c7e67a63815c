"""Sampling: which requests are traced.

xray-console-sampling: rules are tried in the order of priority, and the first that matches decides.
It traces a number of requests each second (the reservoir), and a share of those beyond (the fixed
rate). Which rule of two with one priority comes first is not documented; here the name decides.
What a rule's fields match of a request to an API stands in API Gateway's own page,
docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-configuring-xray-sampling-rules.html

AWS hands a rule's reservoir out to all hosts that use it; here, one process stands for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MATCHED = ("service_name", "service_type", "host", "method", "url_path", "resource_arn")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A request that may be traced, as the service that it reaches first sees it."""

    service_name: str
    service_type: str
    host: str
    method: str
    url_path: str
    resource_arn: str
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case


@dataclass(frozen=True, slots=True)
class Rule:
    """A sampling rule. `rate` is a share from 0 to 1, `reservoir` a number per second."""

    name: str
    priority: int
    reservoir: int
    rate: float
    service_name: str = "*"
    service_type: str = "*"
    host: str = "*"
    method: str = "*"
    url_path: str = "*"
    resource_arn: str = "*"
    attributes: Mapping[str, str] = field(default_factory=dict)  # header → value

    def matches(self, candidate: Candidate) -> bool:
        """Whether the rule is for this request."""
        return all(
            _like(getattr(self, name), getattr(candidate, name)) for name in MATCHED
        ) and all(
            _like(value, candidate.headers.get(name.lower(), ""))
            for name, value in self.attributes.items()
        )


def rule_of(document: Mapping[str, Any]) -> Rule:
    """A rule as X-Ray's API describes it."""
    return Rule(
        name=document["RuleName"],
        priority=document["Priority"],
        reservoir=document["ReservoirSize"],
        rate=document["FixedRate"],
        service_name=document["ServiceName"],
        service_type=document["ServiceType"],
        host=document["Host"],
        method=document["HTTPMethod"],
        url_path=document["URLPath"],
        resource_arn=document["ResourceARN"],
        attributes=document.get("Attributes", {}),
    )


def matching(rules: Iterable[Rule], candidate: Candidate) -> Rule | None:
    """The rule that decides about a request, or None where there isn't one."""
    ordered = sorted(rules, key=lambda rule: (rule.priority, rule.name))
    return next((rule for rule in ordered if rule.matches(candidate)), None)


@dataclass(slots=True)
class Sampler:
    """Takes from the rules' reservoirs; `chance` gives a number from 0 up to 1."""

    chance: Callable[[], float]
    _taken: dict[str, tuple[int, int]] = field(default_factory=dict)  # name → (second, requests)

    def picks(self, name: str, reservoir: int, rate: float, now: float) -> bool:
        """Whether to trace one more request under this name, at `now` (seconds)."""
        second, taken = self._taken.get(name, (0, 0))
        if second != int(now):
            second, taken = int(now), 0
        if taken < reservoir:
            self._taken[name] = (second, taken + 1)
            return True
        return self.chance() < rate


def _like(pattern: str, text: str) -> bool:
    """Match as rules do: `*` stands for any characters, `?` for one; case does not count."""
    if pattern == "*":
        return True
    parts = {"*": ".*", "?": "."}
    expression = "".join(parts.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL) is not None
