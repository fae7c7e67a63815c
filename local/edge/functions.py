"""CloudFront Functions, run as they are deployed by an embedded JavaScript engine.

Pages are those of docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/<page>.html.

Emulated: `handler(event)` of a viewer's request in the runtime cloudfront-js-2.0, and of its
helpers for origins createRequestOriginGroup (helper-functions-origin-modification). Not emulated,
and refused by name: the other helpers and modules, handlers that answer with a promise. The engine
knows more of the language than CloudFront's runtime does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import quickjs

from local.patches.cloudfront import FunctionError, FunctionResult, OriginGroup

# edge-function-restrictions-all, "Disallowed headers": a function neither sees them nor sets them.
DISALLOWED = frozenset({
    "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset",
    "x-accel-limit-rate", "x-accel-redirect", "x-amzn-auth", "x-amzn-cf-billing", "x-amzn-cf-id",
    "x-amzn-cf-xff", "x-amzn-errortype", "x-amzn-fle-profile", "x-amzn-header-count",
    "x-amzn-header-order", "x-amzn-lambda-integration-tag", "x-amzn-requestid", "x-cache",
    "x-forwarded-proto", "x-real-ip",
})  # fmt: skip
DISALLOWED_PREFIXES = ("x-amz-cf-", "x-edge-")

# For a function that never ends; CloudFront ends one after about a millisecond.
CPU_SECONDS = 1.0
# helper-functions-origin-modification, "createRequestOriginGroup()": what a group may fail over on.
FAILOVER_STATUSES = frozenset({400, 403, 404, 416, 429, 500, 502, 503, 504})
MEMORY_BYTES = 16 * 1024 * 1024

_IMPORT = re.compile(r"^[ \t]*import[ \t]+(\w+)[ \t]+from[ \t]+['\"]([^'\"]+)['\"];?", re.MULTILINE)
_RUNTIME = """
const __chosen = [];
const __cloudfront = new Proxy({ createRequestOriginGroup(group) { __chosen.push(group); } }, {
  get(helpers, name) {
    if (name in helpers) return helpers[name];
    throw new Error('cf.' + String(name) + ' is not emulated');
  },
});
"""
_CALL = """
(function (event) {
  const result = handler(JSON.parse(event));
  if (result && typeof result.then === 'function') throw new Error('promises are not emulated');
  return JSON.stringify({ result: result === undefined ? null : result, chosen: __chosen });
})
"""


def run(code: str, event: Mapping[str, Any]) -> FunctionResult:
    """Run a function's code on a viewer's request; raises FunctionError for what it throws.

    In a context of its own: CloudFront promises nothing about what a second call would find.
    """
    shown, hidden = _split(event)
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_time_limit(CPU_SECONDS)
    try:
        context.eval(_RUNTIME + _IMPORT.sub(_imported, code))
        answered = json.loads(context.eval(_CALL)(json.dumps(shown)))
    except quickjs.JSException as thrown:
        raise FunctionError(str(thrown)) from thrown
    return FunctionResult(_with(answered["result"], hidden), _group(answered["chosen"]))


def _imported(statement: re.Match[str]) -> str:
    name, module = statement.groups()
    if module != "cloudfront":
        raise FunctionError(f"the module {module} is not emulated")
    return f"const {name} = __cloudfront;"


def _split(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event without the disallowed headers, and those headers."""
    request = event["request"]
    hidden = {name: each for name, each in request["headers"].items() if _disallowed(name)}
    shown = {name: each for name, each in request["headers"].items() if name not in hidden}
    return {**event, "request": {**request, "headers": shown}}, hidden


def _disallowed(name: str) -> bool:
    return name in DISALLOWED or name.startswith(DISALLOWED_PREFIXES)


def _with(result: Any, hidden: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever it returns
    """The result, its request's headers complete again. Raises FunctionError for one added."""
    if not isinstance(result, dict) or "statusCode" in result:
        return result
    added = [name for name in result.get("headers", {}) if _disallowed(name.lower())]
    if added:
        raise FunctionError(f"a function can't add {added[0]} (edge-function-restrictions-all)")
    return {**result, "headers": {**result.get("headers", {}), **hidden}}


def _group(chosen: list[Any]) -> OriginGroup | None:
    """The last origin group made for the request. Raises FunctionError for what is no group."""
    if not chosen:
        return None
    try:
        ids = tuple(str(each["originId"]) for each in chosen[-1]["originIds"])
        codes = frozenset(map(int, chosen[-1]["failoverCriteria"]["statusCodes"]))
    except (TypeError, KeyError, ValueError) as wrong:
        raise FunctionError(f"createRequestOriginGroup: {wrong!r} in {chosen[-1]}") from wrong
    if len(ids) != 2 or len(set(ids)) != 2:
        raise FunctionError(f"an origin group has two origins, not {ids}")
    if not codes or not codes <= FAILOVER_STATUSES:
        raise FunctionError(f"an origin group can't fail over on {sorted(codes)}")
    return OriginGroup(ids, codes)
