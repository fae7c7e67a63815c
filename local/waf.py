"""What a web ACL decides about a request: WAFv2's rules as a pure function.

Rule documents are those of the WAFv2 API, as a client sends them (a `SearchString` is base64).
Pages are those of docs.aws.amazon.com/waf/latest/developerguide/<page>.html.

Emulated, and nothing else: byte matches of a header and of the path, OR, rate limits per address,
allow, block and count, custom responses. `check` refuses a web ACL that says more. Of AWS's managed
rule groups, what AWS gives an example of (`local.managed_rules`): most of what such a group would
block on AWS gets through here.
"""

from __future__ import annotations

import base64
import posixpath
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from local.managed_rules import GROUPS, Components

Document = Mapping[str, Any]

# "AWS WAF checks the rate of requests frequently" and says no more than that
# (waf-rule-statement-type-rate-based-high-level-settings): counted here in steps of a second.
BUCKET_SECONDS = 1.0
# EvaluationWindowSec when a rule names none (API Reference, RateBasedStatement).
DEFAULT_WINDOW_SECONDS = 300
# ContentType of a custom response body (API Reference, CustomResponseBody): there are no others.
CONTENT_TYPES = {
    "APPLICATION_JSON": "application/json",
    "TEXT_HTML": "text/html",
    "TEXT_PLAIN": "text/plain",
}


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What rules look at: the path as the client sent it, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    source: str
    query: str = ""
    body: bytes = b""


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


class NotEmulatedError(Exception):
    """A web ACL says what is not emulated; the message names it."""


class InvalidWebAclError(Exception):
    """A web ACL says what AWS WAF refuses; the message names it."""


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
        action = _action(rule, request, _Counter(web_acl, rule, rates))
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


def _action(rule: Document, request: WebRequest, counter: _Counter) -> Document:
    """What a rule does to a request; empty when it doesn't match."""
    group = rule["Statement"].get("ManagedRuleGroupStatement")
    if group is None:
        matches = _matches(rule["Statement"], request, counter)
        return (rule.get("Action") or {}) if matches else {}
    action = _managed_action(group, request)
    counts = "Count" in (rule.get("OverrideAction") or {})
    return {"Count": {}} if action and counts else action


def _managed_action(group: Document, request: WebRequest) -> Document:
    """What a managed rule group does: its first rule that blocks, else whether one counts."""
    overrides = {each["Name"]: each["ActionToUse"] for each in group.get("RuleActionOverrides", ())}
    path, query = request.path.encode("latin-1", "replace"), request.query.encode()
    seen = Components(path, query, request.headers, request.body)
    rules = (rule for rule in GROUPS.get(group["Name"], ()) if rule.matches(seen))
    actions: list[Document] = [overrides.get(rule.name, {"Block": {}}) for rule in rules]
    return next((action for action in actions if "Block" in action), (actions or [{}])[0])


@dataclass(frozen=True, slots=True)
class _Counter:
    web_acl: Document
    rule: Document
    rates: Rates

    def over(self, statement: Document, request: WebRequest) -> bool:
        """Whether an address is over the limit; the rule blocks while it is."""
        window = statement.get("EvaluationWindowSec") or DEFAULT_WINDOW_SECONDS
        rule = (str(self.web_acl.get("ARN", "")), str(self.rule["Name"]))
        return self.rates.count(rule, request.source, float(window)) > int(statement["Limit"])


def _matches(statement: Document, request: WebRequest, counter: _Counter) -> bool:
    ((kind, content),) = statement.items()
    match kind:
        case "ByteMatchStatement":
            return _byte_match(content, request)
        case "OrStatement":
            return any(_matches(each, request, counter) for each in content["Statements"])
        case "RateBasedStatement":
            scope = content.get("ScopeDownStatement")
            counts = scope is None or _matches(scope, request, counter)
            return counts and counter.over(content, request)
    raise NotEmulatedError(f"{kind} is not emulated.")


def _byte_match(content: Document, request: WebRequest) -> bool:
    text = _component(content["FieldToMatch"], request)
    if text is None:
        return False
    for transformation in sorted(content["TextTransformations"], key=lambda t: int(t["Priority"])):
        text = TRANSFORMATIONS[transformation["Type"]](text)
    search = base64.b64decode(content["SearchString"])
    return CONSTRAINTS[content["PositionalConstraint"]](text, search)


def _component(field_to_match: Document, request: WebRequest) -> bytes | None:
    header = field_to_match.get("SingleHeader")
    text = request.headers.get(header["Name"].lower()) if header else request.path
    return None if text is None else text.encode("latin-1", "replace")


def _normalize_path(path: bytes) -> bytes:
    # "Removes multiple slashes, directory self-references, and directory back-references that are
    # not at the beginning of the input" (waf-rule-statement-transformation).
    normal = posixpath.normpath(b"/" + path.lstrip(b"/"))
    return normal + b"/" if path.endswith(b"/") and normal != b"/" else normal


TRANSFORMATIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "NONE": lambda text: text,
    "URL_DECODE": unquote_to_bytes,
    "NORMALIZE_PATH": _normalize_path,
}
CONSTRAINTS: Mapping[str, Callable[[bytes, bytes], bool]] = {
    "EXACTLY": lambda text, search: text == search,
    "STARTS_WITH": lambda text, search: text.startswith(search),
}


def _blocked(web_acl: Document, rule: str | None, action: Document) -> Verdict:
    response = action.get("CustomResponse")
    if not response:
        return Verdict(allowed=False, rule=rule)
    headers = {each["Name"].lower(): each["Value"] for each in response.get("ResponseHeaders", ())}
    status = int(response["ResponseCode"])
    key = response.get("CustomResponseBodyKey")
    if key is None:
        return Verdict(allowed=False, rule=rule, status=status, headers=headers)
    body = web_acl["CustomResponseBodies"][key]
    headers["content-type"] = CONTENT_TYPES[body["ContentType"]]
    content = str(body["Content"]).encode()
    return Verdict(allowed=False, rule=rule, status=status, headers=headers, body=content)


FIELDS = frozenset({"SingleHeader", "UriPath"})
ACTIONS = frozenset({"Allow", "Block", "Count"})


def check(web_acl: Document) -> None:
    """Raise for a web ACL that AWS WAF refuses, or that says what `evaluate` would ignore.

    InvalidWebAclError, and NotEmulatedError.
    """
    bodies = frozenset(web_acl.get("CustomResponseBodies") or ())
    _check_action(web_acl.get("DefaultAction") or {}, bodies)
    for rule in web_acl.get("Rules") or ():
        _check_known("RuleLabels", rule, frozenset(rule) - {"RuleLabels"})
        _check_action(rule.get("Action") or {}, bodies)
        group = rule["Statement"].get("ManagedRuleGroupStatement") or {}
        for override in group.get("RuleActionOverrides") or ():
            _check_action(override["ActionToUse"], bodies)
        _check_statement(rule["Statement"])


def _check_action(action: Document, bodies: Set[str]) -> None:
    _check_known("Action", action, ACTIONS)
    for how in filter(None, action.values()):
        _check_known("Action", how, frozenset({"CustomResponse"}))
        _check_response(how["CustomResponse"], bodies)


def _check_response(response: Document, bodies: Set[str]) -> None:
    """Check a custom response by its developer guide's page.

    "[...] you must first define the body in the web ACL", and no header may be named content-type
    (customizing-the-response-for-blocked-requests).
    """
    known = frozenset({"ResponseCode", "ResponseHeaders", "CustomResponseBodyKey"})
    _check_known("CustomResponse", response, known)
    key = response.get("CustomResponseBodyKey")
    if key is not None and key not in bodies:
        message = f"CustomResponseBodyKey {key} is none of the web ACL's CustomResponseBodies."
        raise InvalidWebAclError(message)
    for header in response.get("ResponseHeaders", ()):
        if header["Name"].lower() == "content-type":
            message = "A custom response can't have a header content-type: its body says the type."
            raise InvalidWebAclError(message)


def _check_statement(statement: Document) -> None:
    for kind, content in statement.items():
        match kind:
            case "ByteMatchStatement":
                _check_byte_match(content)
            case "OrStatement":
                for each in content["Statements"]:
                    _check_statement(each)
            case "RateBasedStatement":
                _check_known("AggregateKeyType", [content.get("AggregateKeyType", "IP")], {"IP"})
                _check_statement(content.get("ScopeDownStatement") or {})
            case "ManagedRuleGroupStatement":
                continue
            case _:
                raise NotEmulatedError(f"{kind} is not emulated.")


def _check_byte_match(content: Document) -> None:
    kinds = [each["Type"] for each in content["TextTransformations"]]
    _check_known("FieldToMatch", content["FieldToMatch"], FIELDS)
    _check_known("PositionalConstraint", [content["PositionalConstraint"]], CONSTRAINTS.keys())
    _check_known("TextTransformations", kinds, TRANSFORMATIONS.keys())


def _check_known(where: str, names: Iterable[str], known: Set[str]) -> None:
    for name in names:
        if name not in known:
            raise NotEmulatedError(f"{where} {name} is not emulated.")
