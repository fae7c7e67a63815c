"""Mends of WAFv2; what web ACLs decide is in `local.waf`."""

from __future__ import annotations

from typing import Any

from ministack.services import waf

Document = dict[str, Any]
FORGOTTEN = ("CustomResponseBodies", "Description")


def whole_web_acls() -> None:
    """A web ACL forgets the bodies of its custom responses, and an update its description."""
    create, update = waf.create_web_acl_record, waf._update_web_acl

    def create_web_acl_record(name: str, scope: str, props: Document) -> tuple[str, str, Document]:
        uid, arn, record = create(name, scope, props)
        record.update(_told(props))
        return uid, arn, record

    def update_web_acl(data: Document) -> tuple[int, Document, bytes]:
        answer: tuple[int, Document, bytes] = update(data)
        if answer[0] == 200:
            record = waf._resource_from_scope(
                waf._web_acls, data["Id"], data.get("Scope", "REGIONAL")
            )
            for name in FORGOTTEN:
                record.pop(name, None)
            record.update({"Description": "", **_told(data)})
        return answer

    waf.create_web_acl_record = create_web_acl_record
    waf._update_web_acl = update_web_acl


def _told(props: Document) -> Document:
    return {name: props[name] for name in FORGOTTEN if props.get(name)}


MENDS = (whole_web_acls,)
