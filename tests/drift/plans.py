"""Plans as Terraform 1.11 shows them, cut down to what a test is about; and some schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from drift.judging import judge
from drift.plan import Plan
from drift.schemas import Schemas

Json = dict[str, Any]
# Of provider 5.100.0, cut down: `terraform providers schema -json`.
SCHEMAS = Schemas.read(json.loads(Path(__file__).with_name("schemas.json").read_text()))
NO_OP = ("no-op",)
REPLACE = ("create", "delete")


def resource(
    address: str,
    before: Json | None,
    after: Json | None,
    actions: tuple[str, ...] = ("update",),
    unknown: Json | None = None,
    secret: Json | None = None,
    **more: Any,
) -> Json:
    """Make an entry of `resource_changes` or of `resource_drift`."""
    kind, name = address.partition("[")[0].rsplit(".", 2)[-2:]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": list(actions),
            "before": before,
            "after": after,
            "after_unknown": unknown or {},
            "before_sensitive": secret or {},
            "after_sensitive": secret or {},
            **({"importing": {"id": "x"}} if "importing" in more else {}),
        },
        **{name: text for name, text in more.items() if name != "importing"},
    }


def untouched(address: str, values: Json) -> Json:
    """A resource that an apply leaves alone."""
    return resource(address, values, values, NO_OP)


def plan(
    *changes: Json,
    drift: tuple[Json, ...] = (),
    sets: dict[str, Json] | None = None,
    outputs: Json | None = None,
    references: dict[str, list[str]] | None = None,
    **more: Any,
) -> Json:
    """Make a plan; `sets` are the code's expressions by address, as a plan repeats them."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "variables": {},
        "planned_values": {"root_module": {}},
        "resource_drift": list(drift),
        "resource_changes": list(changes),
        "output_changes": outputs or {},
        "configuration": {
            "root_module": {
                "outputs": {
                    name: {"expression": {"references": named}}
                    for name, named in (references or {}).items()
                },
                "resources": [
                    {"address": address, "mode": "managed", "expressions": expressions}
                    for address, expressions in (sets or {}).items()
                ],
            }
        },
        "timestamp": "2026-11-28T18:00:50Z",
        "applyable": True,
        "complete": True,
        "errored": False,
        **more,
    }


def told(document: Json) -> list[str]:
    """Say in short what is made of a plan: cause, address, what, attributes, whether it stays."""
    return [
        f"{each.cause}: {each.address} {each.what} {' '.join(each.attributes)}".rstrip()
        + (" (stays)" if each.stays else "")
        for each in judge(Plan.read(document), lambda: SCHEMAS)
    ]
