"""X-Ray's API: groups, sampling rules, tags, segments and the traces that they make.

Operations are those of docs.aws.amazon.com/xray/latest/api. A group's filter expression is kept
and read back, and picks nothing. Every operation without an entry in `ACTIONS` is refused: it is
not emulated.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from local.observability.traces.sampling import Rule, rule_of
from local.observability.traces.segments import Document
from local.observability.traces.traces import Traces
from local.patches.scope import here, scoped_dict

Response = tuple[int, dict[str, Any], bytes]

# BatchGetTraces takes five ids (API_BatchGetTraces).
MAX_IDS = 5
DEFAULT_RULE = {
    "RuleName": "Default",
    "ResourceARN": "*",
    "Priority": 10000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}

_groups: Any = scoped_dict()  # GroupARN → group
_rules: Any = scoped_dict()  # RuleARN → sampling rule record
_tags: Any = scoped_dict()  # ARN → tags
traces = Traces()


class RefusedError(Exception):
    """An error that X-Ray answers: the code, then the message."""


async def handle_request(
    _method: str, path: str, _headers: dict[str, str], body: bytes, _query: Document
) -> Response:
    """Answer one call; X-Ray's protocol is POST with JSON, the path is the operation."""
    try:
        action = _action(path.strip("/"))
        return 200, _json_type(), json.dumps(action(json.loads(body or b"{}"))).encode()
    except RefusedError as error:
        code, message = error.args
        answer = json.dumps({"__type": code, "Message": message}).encode()
        return 400, {**_json_type(), "x-amzn-errortype": code}, answer


def _action(name: str) -> Callable[[Document], Document]:
    if name not in ACTIONS:
        raise RefusedError("InvalidRequestException", f"{name} is not emulated.")
    return ACTIONS[name]


def get_state() -> Document:
    """What is kept over a restart."""
    return {"groups": _groups, "rules": _rules, "tags": _tags}


def load_persisted_state(data: Document) -> None:
    """Take up what `get_state` gave."""
    for name, store in (("groups", _groups), ("rules", _rules), ("tags", _tags)):
        store.update(data.get(name) or {})


def reset() -> None:
    """Forget everything."""
    for store in (_groups, _rules, _tags, traces):
        store.clear()


def rules_here() -> list[Rule]:
    """The sampling rules of the account and Region that are being served."""
    records = _get_rules({})["SamplingRuleRecords"]
    return [rule_of(record["SamplingRule"]) for record in records]


def _create_group(data: Document) -> Document:
    if any(group["GroupName"] == data["GroupName"] for group in _groups.values()):
        raise RefusedError("InvalidRequestException", "A group of this name already exists.")
    arn = _arn(f"group/{data['GroupName']}/{_unique()}")
    _groups[arn] = {"GroupARN": arn, **_insights({}), **_group_fields(data)}
    _tags[arn] = _tag_map(data.get("Tags"))
    return {"Group": _groups[arn]}


def _get_group(data: Document) -> Document:
    return {"Group": _group(data)}


def _update_group(data: Document) -> Document:
    group = _group(data)
    group.update({k: v for k, v in _group_fields(data).items() if k != "GroupName"})
    return {"Group": group}


def _delete_group(data: Document) -> Document:
    arn = _group(data)["GroupARN"]
    _groups.pop(arn)
    _tags.pop(arn, None)
    return {}


def _group(data: Document) -> Document:
    for group in _groups.values():
        if data.get("GroupARN") == group["GroupARN"] or data.get("GroupName") == group["GroupName"]:
            found: Document = group
            return found
    raise RefusedError("InvalidRequestException", "Group not found")


def _group_fields(data: Document) -> Document:
    fields: Document = {
        name: data[name] for name in ("GroupName", "FilterExpression") if name in data
    }
    if "InsightsConfiguration" in data:
        fields.update(_insights(data["InsightsConfiguration"]))
    return fields


def _insights(requested: Document) -> Document:
    off = {"InsightsEnabled": False, "NotificationsEnabled": False}
    return {"InsightsConfiguration": {**off, **requested}}


def _create_rule(data: Document) -> Document:
    rule = data["SamplingRule"]
    if any(record["SamplingRule"]["RuleName"] == rule["RuleName"] for record in _rules.values()):
        raise RefusedError("InvalidRequestException", "A rule of this name already exists.")
    arn = _arn(f"sampling-rule/{rule['RuleName']}")
    now = time.time()
    kept = {"Attributes": {}, **rule, "RuleARN": arn}
    _rules[arn] = {"SamplingRule": kept, "CreatedAt": now, "ModifiedAt": now}
    _tags[arn] = _tag_map(data.get("Tags"))
    return {"SamplingRuleRecord": _rules[arn]}


def _get_rules(_data: Document) -> Document:
    default = {**DEFAULT_RULE, "RuleARN": _arn("sampling-rule/Default")}
    records = [{"SamplingRule": default, "CreatedAt": 0.0, "ModifiedAt": 0.0}, *_rules.values()]
    return {"SamplingRuleRecords": records}


def _update_rule(data: Document) -> Document:
    update = data["SamplingRuleUpdate"]
    record = _rule(update)
    record["SamplingRule"].update({k: v for k, v in update.items() if v is not None})
    record["ModifiedAt"] = time.time()
    return {"SamplingRuleRecord": record}


def _delete_rule(data: Document) -> Document:
    record = _rule(data)
    arn = record["SamplingRule"]["RuleARN"]
    _tags.pop(arn, None)
    return {"SamplingRuleRecord": _rules.pop(arn)}


def _rule(data: Document) -> Document:
    for arn, record in _rules.items():
        if data.get("RuleARN") == arn or data.get("RuleName") == record["SamplingRule"]["RuleName"]:
            found: Document = record
            return found
    raise RefusedError("InvalidRequestException", "Sampling rule does not exist.")


def _put_segments(data: Document) -> Document:
    refused = []
    for text in data.get("TraceSegmentDocuments", []):
        try:
            document = json.loads(text)
            traces.put(here(), {**document, "start_time": float(document["start_time"])})
        except (ValueError, KeyError, TypeError) as error:
            refused.append({"ErrorCode": "ParseError", "Message": f"Invalid segment. {error}"})
    return {"UnprocessedTraceSegments": refused}


def _get_traces(data: Document) -> Document:
    ids = data["TraceIds"]
    if len(ids) > MAX_IDS:
        raise RefusedError("InvalidRequestException", f"At most {MAX_IDS} trace ids at a time.")
    found = [trace for trace_id in ids if (trace := traces.get(here(), trace_id))]
    return {
        "Traces": [
            {
                "Id": trace.trace_id,
                "Duration": trace.duration,
                "LimitExceeded": False,
                "Segments": [
                    {"Id": segment["id"], "Document": json.dumps(segment)}
                    for segment in trace.segments
                ],
            }
            for trace in found
        ],
        "UnprocessedTraceIds": [],
    }


def _list_tags(data: Document) -> Document:
    tags = _tags.get(data["ResourceARN"], {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tag(data: Document) -> Document:
    _tags.setdefault(data["ResourceARN"], {}).update(_tag_map(data.get("Tags")))
    return {}


def _untag(data: Document) -> Document:
    for key in data.get("TagKeys", []):
        _tags.get(data["ResourceARN"], {}).pop(key, None)
    return {}


def _tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def _arn(resource: str) -> str:
    account, region = here()
    return f"arn:aws:xray:{region}:{account}:{resource}"


def _unique() -> str:
    return f"{time.time_ns():X}"


def _json_type() -> dict[str, Any]:
    return {"Content-Type": "application/json"}


ACTIONS: dict[str, Callable[[Document], Document]] = {
    "CreateGroup": _create_group,
    "GetGroup": _get_group,
    "UpdateGroup": _update_group,
    "DeleteGroup": _delete_group,
    "CreateSamplingRule": _create_rule,
    "GetSamplingRules": _get_rules,
    "UpdateSamplingRule": _update_rule,
    "DeleteSamplingRule": _delete_rule,
    "ListTagsForResource": _list_tags,
    "TagResource": _tag,
    "UntagResource": _untag,
    "TraceSegments": _put_segments,
    "Traces": _get_traces,
}
