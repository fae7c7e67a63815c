"""Patches of WAFv2; what web ACLs decide is in `local.waf`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack.services import waf

from local.patches import logs
from local.waf import InvalidWebAclError, NotEmulatedError, check

Document = dict[str, Any]
Response = tuple[int, Document, bytes]

# What ministack forgets of a web ACL.
FORGOTTEN = ("CustomResponseBodies", "DataProtectionConfig")
# Kept in the web ACL's own record, which is saved, and goes with it.
LOGGING = "LoggingConfiguration"
LOG_GROUP_PREFIX = "aws-waf-logs-"


def whole_web_acls() -> None:
    """A web ACL is taken whatever its rules say, and some of what it says is forgotten.

    CustomResponseBodies and DataProtectionConfig always, and its description with an update.
    """
    create, update = waf._create_web_acl, waf._update_web_acl

    def create_web_acl(data: Document) -> Response:
        answer: Response = _refused(data) or create(data)
        if answer[0] == 200:
            _keep(json.loads(answer[2])["Summary"]["Id"], data)
        return answer

    def update_web_acl(data: Document) -> Response:
        answer: Response = _refused(data) or update(data)
        if answer[0] == 200:
            record = _keep(data["Id"], data)
            record["Description"] = data.get("Description", "")
        return answer

    waf._create_web_acl = create_web_acl
    waf._update_web_acl = update_web_acl


def _keep(web_acl_id: str, data: Document) -> Document:
    scope = data.get("Scope", "REGIONAL")
    record: Document = waf._resource_from_scope(waf._web_acls, web_acl_id, scope)
    for name in FORGOTTEN:
        record.pop(name, None)
        if data.get(name):
            record[name] = data[name]
    return record


def _refused(data: Document) -> Response | None:
    """The answer to a web ACL that AWS refuses, or that isn't emulated: it would do nothing."""
    try:
        check(data)
    except (InvalidWebAclError, NotEmulatedError) as error:
        return _error("WAFInvalidParameterException", str(error))
    return None


def logging_configurations() -> None:
    """A web ACL has no log: Put-, Get- and DeleteLoggingConfiguration are missing."""
    original: Callable[..., Awaitable[Response]] = waf.handle_request
    get: Callable[[Document], Response] = waf._get_web_acl
    actions: Mapping[str, Callable[[Document, Document], Response]] = {
        "PutLoggingConfiguration": _put_logging,
        "GetLoggingConfiguration": _get_logging,
        "DeleteLoggingConfiguration": _delete_logging,
    }

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: Document
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action not in actions:
            return await original(method, path, headers, body, query)
        data = json.loads(body or b"{}")
        found, refused = waf._resolve_local_web_acl(
            data.get("ResourceArn") or data[LOGGING]["ResourceArn"]
        )
        return refused or actions[action](found, data)

    def get_web_acl(data: Document) -> Response:
        status, headers, body = get(data)
        answer = json.loads(body)
        answer.get("WebACL", {}).pop(LOGGING, None)
        return status, headers, json.dumps(answer).encode()

    waf.handle_request = handle_request
    waf._get_web_acl = get_web_acl


def _put_logging(record: Document, data: Document) -> Response:
    """Keep where a web ACL's log goes: to one log group of its own Region, which is there.

    The rules for a destination's name and place are the Developer Guide's (logging-cw-logs).
    """
    given = data[LOGGING]
    destinations = given["LogDestinationConfigs"]
    _, _, _, region, account, *_ = record["ARN"].split(":")
    start = f"arn:aws:logs:{region}:{account}:log-group:"
    group = destinations[0].removeprefix(start).removesuffix(":*")
    fits = destinations[0].startswith(start) and group.startswith(LOG_GROUP_PREFIX)
    if len(destinations) != 1 or not fits or not logs.is_there((account, region), group):
        return _error("WAFInvalidParameterException", f"No destination of a log: {destinations}")
    record[LOGGING] = given
    return _answer({LOGGING: given})


def _get_logging(record: Document, _data: Document) -> Response:
    if LOGGING not in record:
        return _error("WAFNonexistentItemException", f"{record['ARN']} has no log.")
    return _answer({LOGGING: record[LOGGING]})


def _delete_logging(record: Document, data: Document) -> Response:
    if LOGGING not in record:
        return _get_logging(record, data)
    del record[LOGGING]
    return _answer({})


def _answer(body: Document) -> Response:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()


def _error(code: str, message: str) -> Response:
    response: Response = waf._waf_err(code, message)
    return response


def web_acl(arn: str) -> dict[str, Any] | None:
    """The web ACL of this ARN."""
    return next((acl for _, acl in waf._web_acls.all_items() if acl["ARN"] == arn), None)


PATCHES = (whole_web_acls, logging_configurations)
