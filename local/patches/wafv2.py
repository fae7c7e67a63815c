"""Patches of WAFv2; what web ACLs decide is in `local.waf`."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import waf

from local.waf import InvalidWebAclError, NotEmulatedError, check

Document = dict[str, Any]
Response = tuple[int, Document, bytes]


def whole_web_acls() -> None:
    """A web ACL is taken whatever its rules say, and some of what it says is forgotten.

    CustomResponseBodies always, and its description with an update.
    """
    create, update = waf._create_web_acl, waf._update_web_acl

    def create_web_acl(data: Document) -> Response:
        answer: Response = _refused(data) or create(data)
        if answer[0] == 200:
            _keep_bodies(json.loads(answer[2])["Summary"]["Id"], data)
        return answer

    def update_web_acl(data: Document) -> Response:
        answer: Response = _refused(data) or update(data)
        if answer[0] == 200:
            record = _keep_bodies(data["Id"], data)
            record["Description"] = data.get("Description", "")
        return answer

    waf._create_web_acl = create_web_acl
    waf._update_web_acl = update_web_acl


def _keep_bodies(web_acl_id: str, data: Document) -> Document:
    scope = data.get("Scope", "REGIONAL")
    record: Document = waf._resource_from_scope(waf._web_acls, web_acl_id, scope)
    record.pop("CustomResponseBodies", None)
    if data.get("CustomResponseBodies"):
        record["CustomResponseBodies"] = data["CustomResponseBodies"]
    return record


def _refused(data: Document) -> Response | None:
    """The answer to a web ACL that AWS refuses, or that isn't emulated: it would do nothing."""
    try:
        check(data)
    except (InvalidWebAclError, NotEmulatedError) as error:
        response: Response = waf._waf_err("WAFInvalidParameterException", str(error))
        return response
    return None


def web_acl(arn: str) -> dict[str, Any] | None:
    """The web ACL of this ARN."""
    return next((acl for _, acl in waf._web_acls.all_items() if acl["ARN"] == arn), None)


PATCHES = (whole_web_acls,)
