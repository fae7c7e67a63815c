"""What a web ACL decides about a request: WAFv2's rules as a pure function.

Rule documents are those of the WAFv2 API, as a client sends them (a `SearchString` is base64).
Pages are those of docs.aws.amazon.com/waf/latest/developerguide/<page>.html.

Played: byte matches of a header, the path, the query string and the method; and, or, not; rate
limits per address; allow, block (custom response included) and count. Everything else, AWS's
managed rule groups above all, is passed over: it never matches. What such a group would block on
AWS gets through here.
"""

from __future__ import annotations

import base64
import logging
import posixpath
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

logger = logging.getLogger("local.waf")

Document = Mapping[str, Any]

# "AWS WAF checks the rate of requests frequently" and says no more than that
# (waf-rule-statement-type-rate-based-high-level-settings): counted here in steps of a second.
BUCKET_SECONDS = 1.0
# EvaluationWindowSec when a rule names none (API Reference, RateBasedStatement).
DEFAULT_WINDOW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What rules look at: path and query as the client sent them, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, by which rule, and the response that a block asks for.

    `rule` is None for the default action, and `counted` are the rules that matched before and only
    count. `status` is None for a block that leaves its response to the protected resource.
    """

    allowed: bool
    rule: str | None = None
    counted: tuple[str, ...] = ()
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Rates:
    """Counts requests per rule and address over a sliding window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str, str], deque[tuple[float, int]]] = {}

    def count(self, rule: tuple[str, str], key: str, window: float) -> int:
        """Count one more request; returns how many there were in the last `window` seconds."""
        now = self._clock()
        counts = self._counts.setdefault((*rule, key), deque())
        bucket = now - now % BUCKET_SECONDS
        if counts and counts[-1][0] == bucket:
            counts[-1] = (bucket, counts[-1][1] + 1)
        else:
            counts.append((bucket, 1))
        while counts[0][0] <= now - window:
            counts.popleft()
        return sum(number for _, number in counts)


def evaluate(web_acl: Document, request: WebRequest, rates: Rates) -> Verdict:
    """Decide by the first rule, in order of priority, that matches and allows or blocks."""
    counted: list[str] = []
    for rule in sorted(web_acl.get("Rules", ()), key=lambda each: int(each["Priority"])):
        if not _matches(rule["Statement"], request, _Counter(web_acl, rule, rates)):
            continue
        action = rule.get("Action") or {}
        if "Allow" in action:
            return Verdict(allowed=True, rule=rule["Name"], counted=tuple(counted))
        if "Block" in action:
            blocked = _blocked(web_acl, rule["Name"], action["Block"] or {})
            return replace(blocked, counted=tuple(counted))
        if "Count" in action:
            counted.append(rule["Name"])
    default = web_acl.get("DefaultAction") or {}
    if "Block" in default:
        return replace(_blocked(web_acl, None, default["Block"] or {}), counted=tuple(counted))
    return Verdict(allowed=True, counted=tuple(counted))


@dataclass(frozen=True, slots=True)
class _Counter:
    web_acl: Document
    rule: Document
    rates: Rates

    def over(self, statement: Document, request: WebRequest) -> bool:
        """Whether an address is over the limit; the rule blocks while it is."""
        window = statement.get("EvaluationWindowSec") or DEFAULT_WINDOW_SECONDS
        key = request.source if statement.get("AggregateKeyType", "IP") == "IP" else ""
        rule = (str(self.web_acl.get("ARN", "")), str(self.rule["Name"]))
        return self.rates.count(rule, key, float(window)) > int(statement["Limit"])


def _matches(statement: Document, request: WebRequest, counter: _Counter) -> bool:
    ((kind, content),) = statement.items()
    match kind:
        case "ByteMatchStatement":
            return _byte_match(content, request)
        case "AndStatement":
            return all(_matches(each, request, counter) for each in content["Statements"])
        case "OrStatement":
            return any(_matches(each, request, counter) for each in content["Statements"])
        case "NotStatement":
            return not _matches(content["Statement"], request, counter)
        case "RateBasedStatement":
            scope = content.get("ScopeDownStatement")
            counts = scope is None or _matches(scope, request, counter)
            return counts and counter.over(content, request)
        case _:
            _pass_over(kind)
            return False


def _byte_match(content: Document, request: WebRequest) -> bool:
    text = _component(content["FieldToMatch"], request)
    if text is None:
        return False
    transformations = sorted(content.get("TextTransformations", ()), key=lambda t: t["Priority"])
    for transformation in transformations:
        text = TRANSFORMATIONS[transformation["Type"]](text)
    wanted = base64.b64decode(content["SearchString"])
    return CONSTRAINTS[content["PositionalConstraint"]](text, wanted)


def _component(field_to_match: Document, request: WebRequest) -> bytes | None:
    ((kind, content),) = field_to_match.items()
    text: str | None
    match kind:
        case "SingleHeader":
            text = request.headers.get(content["Name"].lower())
        case "UriPath":
            text = request.path
        case "QueryString":
            text = request.query
        case "Method":
            text = request.method
        case _:
            _pass_over(kind)
            text = None
    return None if text is None else text.encode("latin-1", "replace")


def _normalize_path(path: bytes) -> bytes:
    # "Removes multiple slashes, directory self-references, and directory back-references that are
    # not at the beginning of the input" (waf-rule-statement-transformation).
    normal = posixpath.normpath(b"/" + path.lstrip(b"/"))
    return normal + b"/" if path.endswith(b"/") and normal != b"/" else normal


def _contains_word(text: bytes, wanted: bytes) -> bool:
    """Whether the text stands between characters other than letters, digits and underscore."""
    return (
        re.search(rb"(?<![A-Za-z0-9_])" + re.escape(wanted) + rb"(?![A-Za-z0-9_])", text)
        is not None
    )


TRANSFORMATIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "NONE": lambda text: text,
    "LOWERCASE": lambda text: text.lower(),
    "URL_DECODE": unquote_to_bytes,
    "NORMALIZE_PATH": _normalize_path,
    "COMPRESS_WHITE_SPACE": lambda text: re.sub(rb"[\s\xa0]+", b" ", text),
}
CONSTRAINTS: Mapping[str, Callable[[bytes, bytes], bool]] = {
    "EXACTLY": lambda text, wanted: text == wanted,
    "STARTS_WITH": lambda text, wanted: text.startswith(wanted),
    "ENDS_WITH": lambda text, wanted: text.endswith(wanted),
    "CONTAINS": lambda text, wanted: wanted in text,
    "CONTAINS_WORD": _contains_word,
}


def _blocked(web_acl: Document, rule: str | None, action: Document) -> Verdict:
    response = action.get("CustomResponse")
    if not response:
        return Verdict(allowed=False, rule=rule)
    headers = {each["Name"].lower(): each["Value"] for each in response.get("ResponseHeaders", ())}
    bodies = web_acl.get("CustomResponseBodies") or {}
    content = bodies.get(response.get("CustomResponseBodyKey"), {})
    if content:
        headers["content-type"] = CONTENT_TYPES[content["ContentType"]]
    return Verdict(
        allowed=False,
        rule=rule,
        status=int(response["ResponseCode"]),
        headers=headers,
        body=str(content.get("Content", "")).encode(),
    )


CONTENT_TYPES = {
    "APPLICATION_JSON": "application/json",
    "TEXT_HTML": "text/html",
    "TEXT_PLAIN": "text/plain",
}


_passed_over: set[str] = set()


def _pass_over(kind: str) -> None:
    if kind not in _passed_over:
        _passed_over.add(kind)
        logger.info("rules of a web ACL are passed over here: %s", kind)
