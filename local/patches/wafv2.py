"""Patches of WAFv2; what web ACLs decide is in `local.waf`."""

from __future__ import annotations

from typing import Any

from ministack.services import waf

from local.waf import NotEmulatedError, check

Document = dict[str, Any]
Response = tuple[int, Document, bytes]


def whole_web_acls() -> None:
    """A web ACL is taken whatever its rules say, and an update forgets its description."""
    create, update = waf._create_web_acl, waf._update_web_acl

    def create_web_acl(data: Document) -> Response:
        refused = _refused(data)
        return refused or create(data)

    def update_web_acl(data: Document) -> Response:
        answer: Response = _refused(data) or update(data)
        if answer[0] == 200:
            record = waf._resource_from_scope(
                waf._web_acls, data["Id"], data.get("Scope", "REGIONAL")
            )
            record["Description"] = data.get("Description", "")
        return answer

    waf._create_web_acl = create_web_acl
    waf._update_web_acl = update_web_acl


def _refused(data: Document) -> Response | None:
    """The answer to a web ACL that says what is not emulated: it would protect nothing."""
    try:
        check(data)
    except NotEmulatedError as error:
        response: Response = waf._waf_err("WAFInvalidParameterException", str(error))
        return response
    return None


def web_acl(arn: str) -> dict[str, Any] | None:
    """The web ACL of this ARN."""
    return next((acl for _, acl in waf._web_acls.all_items() if acl["ARN"] == arn), None)


PATCHES = (whole_web_acls,)
