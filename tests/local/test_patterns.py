"""What meets a stranger's text takes time in proportion to it: here, and in what reads of him.

The function's own patterns, and the contract's: tests/unit/test_patterns.py.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import dashboards
import local
import tracing
from local import admission
from local.patches import authentication
from local.signatures import Sent, SignatureError
from tests.unit.backtracking import Matcher, nasty
from tests.unit.test_patterns import SIZE, assert_linear, most_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

# Patterns that meet nothing but what has a signature, or what an operator writes: queries, metric
# math, rules, records' names.
KNOWN_SENDERS = {
    "dashboards.series.COLOR",
    "local.addressing._API_GATEWAY",
    "local.dns.health.api._CONFIGURATION",
    "local.dns.health.api._REPORT",
    "local.dns.record_api._PATH",
    "local.dns.zones._OCTAL_ESCAPE",
    "local.faults._FIRST",
    "local.faults._FUNCTIONS_CREDENTIAL",
    "local.faults._REGIONS_ROW",
    "local.faults._WRITES",
    "local.observability.logs.access_logs._VARIABLE",
    "local.observability.logs.insights_language._TOKEN",
    "local.observability.metrics.dynamodb_metrics._REGION",
    "local.observability.metrics.metric_math.ID",
    "local.observability.metrics.metric_math.NUMBER",
    "local.observability.metrics.statistics.PERCENTILE",
    "local.patches.dynamodb._NAME",
}
SEARCHED = {"tracing.identifiers.ROOT"}


def of_modules() -> Iterator[tuple[str, re.Pattern[str]]]:
    for package in (local, tracing, dashboards):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".__main__"):
                continue
            imported = importlib.import_module(module.name)
            for name, value in vars(imported).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


ALL = dict(of_modules())
STRANGERS = {name: value for name, value in ALL.items() if name not in KNOWN_SENDERS}


def test_every_pattern_is_known_by_who_sends_its_text() -> None:
    assert set(ALL) >= KNOWN_SENDERS
    assert {"local.admission.POOLS_OWN", "local.signatures.HEADER"} <= set(STRANGERS)


@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_a_strangers_text_is_matched_in_steps_in_proportion_to_it(name: str) -> None:
    pattern = STRANGERS[name].pattern
    steps = steps_of_search if name in SEARCHED else most_steps
    assert_linear(steps(pattern, SIZE), steps(pattern, 4 * SIZE))


def steps_of_search(pattern: str, size: int) -> int:
    """The steps for the worst of the nasty texts, wherever it begins."""

    def steps(text: str) -> int:
        matcher = Matcher(pattern)
        assert matcher.search(text) is (re.search(pattern, text) is not None)
        return matcher.steps

    return max(map(steps, nasty(pattern, size)))


SIGNED = f"AWS4-HMAC-SHA256 Credential={{}}, SignedHeaders=host, Signature={'0' * 64}"


@pytest.mark.parametrize(
    ("authorization", "kept"),
    [
        ("Credential=" * 5000, False),
        ("Credential=a/" * 5000, False),
        (SIGNED.format("Credential=" * 5000), False),
        (SIGNED.format("a/20260101/b/iam/aws4_request"), True),
    ],
    ids=["repeated", "repeated parts", "repeated in a signature", "well-formed"],
)
def test_ministack_searches_no_authorization_but_one_that_is_well_formed(
    monkeypatch: pytest.MonkeyPatch, authorization: str, kept: bool
) -> None:
    given: list[dict[str, str]] = []

    def error_response(*arguments: object) -> authentication.Response:
        given.extend(each for each in arguments if isinstance(each, dict))
        return 403, {}, b""

    monkeypatch.setattr(authentication, "error_response", error_response)
    sent = Sent("POST", "/", "", [(b"authorization", authorization.encode())])

    admission._unproved(sent, SignatureError("IncompleteSignature", ""))

    assert ["authorization" in headers for headers in given] == [kept]
