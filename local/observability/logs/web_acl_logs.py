"""The log of a web ACL: a line for each request that its logging configuration keeps.

Pages are those of docs.aws.amazon.com/waf/latest/developerguide/<page>.html. A line has the fields
of logging-fields that are known here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from local.patches import logs

if TYPE_CHECKING:
    from local.web_acl import Decision

Document = Mapping[str, Any]

DEFAULT_ACTION = "Default_Action"
# What stands in the place of a value that isn't to be read (logging-fields, data-protection).
REDACTED = "REDACTED"


def of_web_acl(decision: Decision) -> None:
    """Write the line that the web ACL's logging configuration asks for, if it does."""
    web_acl = decision.web_acl
    logging = web_acl.get("LoggingConfiguration")
    if not logging or not is_kept(logging.get("LoggingFilter"), _actions(decision)):
        return
    _, _, _, region, account, *_ = web_acl["ARN"].split(":")
    group = logging["LogDestinationConfigs"][0].partition(":log-group:")[2].removesuffix(":*")
    now = time.time()
    line = json.dumps(log_line(decision, now))
    logs.write_event((account, region), group, f"{region}_{web_acl['Name']}_0", line, now)


def is_kept(logging_filter: Document | None, actions: Set[str]) -> bool:
    """Whether a filter keeps a request to which these actions were applied (API_LoggingFilter).

    Conditions by label aren't emulated: none of ours labels a request.
    """
    if not logging_filter:
        return True
    for each in logging_filter["Filters"]:
        met = [one["ActionCondition"]["Action"] in actions for one in each["Conditions"]]
        if any(met) if each["Requirement"] == "MEETS_ANY" else all(met):
            return bool(each["Behavior"] == "KEEP")
    return bool(logging_filter["DefaultBehavior"] == "KEEP")


def _actions(decision: Decision) -> Set[str]:
    """What was done to a request, as a filter calls it (API_ActionCondition)."""
    rules = {rule["Name"]: rule for rule in decision.web_acl.get("Rules", ())}
    counted = {
        "EXCLUDED_AS_COUNT" if "ManagedRuleGroupStatement" in rules[name]["Statement"] else "COUNT"
        for name in decision.verdict.counted
    }
    return {"ALLOW" if decision.verdict.allowed else "BLOCK"} | counted


def log_line(decision: Decision, at: float) -> Document:
    """What is said of a request, `at` seconds since the epoch."""
    web_acl, verdict, request = decision.web_acl, decision.verdict, decision.request
    hidden = set(_hidden(web_acl))
    return {
        "timestamp": int(at * 1000),
        "formatVersion": 1,
        "webaclId": web_acl["ARN"],
        "terminatingRuleId": verdict.rule or DEFAULT_ACTION,
        "action": "ALLOW" if verdict.allowed else "BLOCK",
        "httpSourceName": "CF" if ":global/" in web_acl["ARN"] else "APIGW",
        "nonTerminatingMatchingRules": [
            {"ruleId": name, "action": "COUNT"} for name in verdict.counted
        ],
        "responseCodeSent": verdict.status,
        "httpRequest": {
            "clientIp": request.source,
            "headers": [
                {"name": name, "value": REDACTED if name.lower() in hidden else value}
                for name, value in request.headers.items()
            ],
            "uri": request.path.partition("?")[0],
            "args": request.query,
            "httpMethod": request.method,
        },
    }


def _hidden(web_acl: Document) -> Iterator[str]:
    """The headers that nobody is to read, by the log's configuration or by the web ACL's own."""
    for field in web_acl["LoggingConfiguration"].get("RedactedFields", ()):
        yield field["SingleHeader"]["Name"].lower()
    for protection in web_acl.get("DataProtectionConfig", {}).get("DataProtections", ()):
        yield from (key.lower() for key in protection["Field"].get("FieldKeys", ()))
